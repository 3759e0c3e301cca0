-- 003: destruction. What a purge intends, what it decided, and what is left of what it destroyed.

-- Which rows lie under a key: survivors are found by it, and no key dies that a row still names.
create index content_by_key on content (data_key);
create index blob_by_key on blob (data_key);
-- Whether anything still carries a sealed file.
create index attachment_by_blob on attachment (blob) where blob is not null;
-- Whether a handle still writes anywhere.
create index participant_by_handle on participant (handle);

-- Messages of an import that were disposed of before and therefore left out.
alter table import add column disposed integer not null default 0;

-- One run of destruction: the approved plan and how far it came. Rows are never deleted.
create table erase_batch (
    batch integer primary key,
    tenant integer not null,
    -- RFC 6962 root over the items that were approved.
    root blob not null check (length(root) = 32),
    hold_epoch integer not null,
    items integer not null,
    -- 0 intended (slices may be decided), 1 every item decided, 2 gone from the index, 3 files
    -- unlinked, 4 checked and awaiting its certificate, 5 certified.
    state integer not null,
    -- Compliance times, microseconds; `decided` is that of the first slice.
    begun integer not null,
    decided integer,
    -- Keyhold generations before the first and after the last step.
    generation_before integer not null,
    generation_after integer not null,
    -- What the check found: things looked for, 0/1 flags, files with readable words.
    sampled integer not null default 0,
    key_absent integer not null default 0,
    index_absent integer not null default 0,
    scan_hits integer not null default 0,
    certificate integer
) strict;

create table erase_item (
    batch integer not null,
    -- The message. Its row is gone once `fate` is 1; the number is never given again.
    no integer not null,
    revision integer not null,
    -- 0 waits, 1 erased, 2 dropped out.
    fate integer not null,
    reason_code integer not null default 0,
    reason_object integer not null default 0,
    -- What is left of an erased message: where it stood, when it was sent, which import brought it
    -- (its public id is computed from that), and its keyed identity.
    conversation integer,
    sent integer,
    import integer,
    keyed_id blob,
    primary key (batch, no)
) strict, without rowid;

create index erase_item_by_no on erase_item (no);

-- Numbers of the key rows a batch destroyed.
create table erase_key (
    batch integer not null,
    data_key integer not null,
    primary key (batch, data_key)
) strict, without rowid;

-- Sealed files whose rows are gone. While one waits for its unlinking, its name is not used again.
create table erase_blob (
    name blob primary key check (length(name) = 32),
    batch integer not null,
    bytes integer not null,
    -- 0 waits, 1 unlinked.
    unlinked integer not null
) strict, without rowid;

-- Recognises a disposed message that comes again: keyed hashes only, no content.
create table tombstone (
    identity blob primary key check (length(identity) = 32),
    tenant integer not null,
    -- 0 the message in its conversation, 1 the message in whatever conversation (finds the
    -- conversation of a chat that has no key of its own).
    kind integer not null,
    conversation integer not null,
    batch integer not null,
    -- Compliance time, microseconds.
    disposed integer not null
) strict, without rowid;

-- Disposed messages that came again and were admitted because a hold wanted them.
create table readmitted (
    message integer primary key,
    tenant integer not null,
    -- The batch that had disposed of it.
    batch integer not null
) strict;
