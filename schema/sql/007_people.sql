-- 007: people at the rim: sessions of browsers, the first claim, second factors, tokens of programs.
-- Every limit in time stands twice: in compliance time, which never goes back and may be slow, and by
-- the wall clock, which goes on while the computer sleeps. Whichever comes first ends it.

-- A browser that is signed in. Only the hash of what its cookie holds is kept.
create table web_session (
    hash blob primary key check (length(hash) = 32),
    tenant integer not null,
    user integer not null,
    -- How the person was recognised: 0 single-use link, 1 password, 2 password and second factor.
    strength integer not null,
    began integer not null,
    began_wall integer not null,
    -- Last request, to the minute.
    seen integer not null,
    seen_wall integer not null,
    -- When the password was given last; null where it never was.
    proved integer,
    proved_wall integer
) strict, without rowid;

create index web_session_by_user on web_session (user);

-- What the first administrator is made with: at most one, gone once it was used.
create table setup_token (
    only integer primary key check (only = 1),
    hash blob not null check (length(hash) = 32),
    expires integer not null,
    expires_wall integer not null
) strict;

-- A link that signs one person in, once.
create table sign_in_link (
    hash blob primary key check (length(hash) = 32),
    tenant integer not null,
    user integer not null,
    expires integer not null,
    expires_wall integer not null
) strict, without rowid;

-- Time-based one-time passwords (RFC 6238). The secret is sealed content.
create table second_factor (
    user integer primary key,
    tenant integer not null,
    -- Content number of the sealed secret.
    secret_no integer not null,
    -- 0 offered, 1 in use.
    in_use integer not null,
    -- Last time step whose code was taken: neither it nor an earlier one is taken again.
    last_step integer not null,
    -- Wrong codes since, and the step in which they began: they are counted to slow guessing.
    wrong integer not null default 0,
    wrong_since integer not null default 0
) strict;

-- Codes for whoever lost the device; each works once.
create table recovery_code (
    user integer not null,
    hash blob not null check (length(hash) = 32),
    primary key (user, hash)
) strict, without rowid;

-- Tokens of programs are tokens with a public id, a name (sealed content) and scopes (bits by number,
-- domain/api_scope.rs). Log-ins of people have none of the three.
alter table token add column id blob;
alter table token add column name_no integer;
alter table token add column scopes integer;
alter table token add column expires_wall integer;
-- Last use, to the minute.
alter table token add column used integer;

create unique index token_by_id on token (id) where id is not null;
create index token_by_user on token (user);
