-- 014: log-ins that open only before four eyes, and users that a directory brought.

-- Whose log-ins open only when a second person confirms them.
create table four_eyes (
    -- 0 a user, by number; 1 everybody of a role, by its number.
    kind integer not null,
    object integer not null,
    tenant integer not null,
    -- Who has to confirm; null: any administrator.
    second integer,
    since integer not null,
    set_by integer not null,
    primary key (kind, object)
) strict, without rowid;

-- A session that waits for the second person, or that one of them let in: until when.
create table session_watch (
    hash blob primary key check (length(hash) = 32),
    tenant integer not null,
    user integer not null,
    ends integer not null,
    ends_wall integer not null,
    -- Null while it waits.
    confirmed_by integer check (confirmed_by is null or confirmed_by <> user)
) strict, without rowid;

-- Users that a directory brought: it may end and change them, and nobody else of ours.
create table directory_user (
    user integer primary key,
    tenant integer not null,
    synced integer not null,
    -- Content: the name the directory has for them, and what it shows.
    text_no integer not null
) strict;
