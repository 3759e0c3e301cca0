-- 004: backups that are kept, the recovery keys, and where escrows go.

-- Public halves of recovery keys. The escrow is sealed to the newest that was tested; the secret
-- half is printed once and never stored.
create table recovery_key (
    no integer primary key,
    tenant integer not null,
    public blob not null unique check (length(public) = 32),
    -- Compliance time, microseconds.
    created integer not null,
    -- When it was typed in again and fitted; null: nobody proved yet that it was written down.
    tested integer
) strict;

-- Every backup whose key the live store still holds.
create table backup (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    created integer not null,
    -- Content number of the sealed path of its target.
    target_no integer not null,
    -- Its database key, kind backup_db.
    db_key integer not null,
    -- SHA-256 of its manifest; null while it is being written.
    manifest blob check (manifest is null or length(manifest) = 32),
    messages integer not null default 0,
    bytes integer not null default 0,
    -- Survivor packs beside it, and SHA-256 of their list; null: none.
    packs integer not null default 0,
    packs_hash blob check (packs_hash is null or length(packs_hash) = 32),
    -- 0 begun, 1 kept, 2 forgotten: its key is destroyed.
    state integer not null
) strict;

-- Where the escrow is replaced at every backup and every purge.
create table escrow_target (
    no integer primary key,
    tenant integer not null,
    -- Keyed hash of the path: equality without the name.
    lookup blob not null unique,
    -- Content number of the sealed path.
    target_no integer not null,
    -- When it was last replaced, and the newest backup it knows; null: never.
    written integer,
    newest_backup integer
) strict;

-- Messages that a restored backup holds and whose keys were destroyed since: a restore drops their
-- rows and answers "disposed of" for their numbers.
create table disposed_message (
    no integer primary key,
    tenant integer not null,
    import integer not null
) strict;
