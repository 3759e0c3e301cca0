-- 009: single sign-on at one OpenID Connect provider. Nothing here is asked of anybody outside before a
-- provider stands in the first table.

-- The provider: at most one.
create table sso_provider (
    only integer primary key check (only = 1),
    tenant integer not null,
    -- Content: issuer, client, secret, claim, address, authority, and the map from groups to roles.
    text_no integer not null,
    -- Whether passwords are refused, but for the emergency administrator.
    passwords_refused integer not null,
    -- The emergency administrator (row number of the user), where passwords are refused.
    break_glass integer,
    -- Compliance time of the last change.
    changed integer not null
) strict;

-- Whom the provider means: a person there is issuer and subject, never a name or an address.
create table sso_binding (
    -- Keyed hash over issuer and subject.
    lookup blob primary key check (length(lookup) = 32),
    tenant integer not null,
    user integer not null,
    -- Compliance time.
    since integer not null
) strict, without rowid;

create index sso_binding_by_user on sso_binding (user);

-- A browser that was sent to the provider and is not back yet. Each row is taken out once.
create table sso_attempt (
    -- SHA-256 of the state that the provider gives back.
    state blob primary key check (length(state) = 32),
    tenant integer not null,
    -- SHA-256 of what the cookie of the browser holds.
    browser blob not null check (length(browser) = 32),
    -- 0 sign in, 1 prove it again, 2 show what the provider says.
    purpose integer not null,
    -- Hash of the session that asked, for 1 and 2.
    session blob check (session is null or length(session) = 32),
    -- Path of the page to come back to.
    back text not null,
    began integer not null,
    began_wall integer not null
) strict, without rowid;

create index sso_attempt_by_age on sso_attempt (began);
