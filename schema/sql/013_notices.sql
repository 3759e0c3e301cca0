-- 013: notices of holds: who is told to keep what, in which words, and what became of it. Rows are
-- never deleted but links: what was said and answered is what is shown when somebody asks.

-- A version of a template that somebody wrote. Version 1 of each is the program's own and no row.
create table notice_template (
    -- 0 hold, 1 release, 2 reminder, 3 escalation (domain/notice.rs).
    kind integer not null,
    -- 0 English, 1 Portuguese, 2 Spanish, 3 German, 4 Arabic.
    language integer not null,
    version integer not null check (version > 1),
    tenant integer not null,
    -- SHA-256 of language, subject and body.
    hash blob not null check (length(hash) = 32),
    created integer not null,
    created_by integer not null,
    -- Content: subject, body.
    text_no integer not null,
    primary key (kind, language, version)
) strict, without rowid;

-- Somebody named with a hold.
create table custodian (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    hold integer not null,
    language integer not null,
    -- 1: known to counsel alone, and sent nothing.
    silent integer not null check (silent in (0, 1)),
    added integer not null,
    added_by integer not null,
    -- Content: name, address, seat or handle, manager, address of the manager.
    text_no integer not null
) strict;

create index custodian_by_hold on custodian (hold);

-- The words as they were sent, merged: versions count for each hold, kind and language.
create table notice_text (
    no integer primary key,
    tenant integer not null,
    hold integer not null,
    kind integer not null,
    language integer not null,
    version integer not null,
    -- Version of the template it was made from.
    template integer not null,
    hash blob not null check (length(hash) = 32),
    created integer not null,
    -- Content: subject, body, what must be kept, contact.
    text_no integer not null,
    unique (hold, kind, language, version)
) strict;

create table notice (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    custodian integer not null,
    -- 0 hold, 1 release.
    kind integer not null,
    -- The text that was sent: an answer is an answer to this one and no other.
    text integer not null,
    -- Days without an answer after which somebody has to remind.
    remind_days integer not null check (remind_days > 0),
    issued integer not null,
    issued_by integer not null
) strict;

create index notice_by_custodian on notice (custodian);

-- What became of a notice, in order.
create table notice_act (
    notice integer not null,
    ordinal integer not null,
    -- domain/notice.rs.
    kind integer not null,
    at integer not null,
    -- Null: the custodian, or the house itself.
    by_user integer,
    -- Content: a reason.
    text_no integer,
    primary key (notice, ordinal)
) strict, without rowid;

-- The one link of a notice that opens it without a login. Gone when another takes its place, when it
-- is called back, and in every copy of the record.
create table notice_link (
    notice integer primary key,
    tenant integer not null,
    -- First bytes of the token, to find it by.
    selector blob not null unique check (length(selector) = 8),
    -- SHA-256 of the rest.
    hash blob not null check (length(hash) = 32),
    expires integer not null,
    expires_wall integer not null
) strict;
