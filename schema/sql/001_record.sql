-- 001: the record. Every table is strict, every row carries its tenant from the first day.
--
-- Rules for changing a live schema: a migration is a new file with the next number, applied in one
-- transaction, never edited after a release; columns are added with a default or as nullable;
-- nothing is dropped in the release that stops using it. `user_version` holds the last number applied.
--
-- Whatever a person wrote or is called lies in `content`, sealed under the key of its erase bucket.
-- The other tables hold numbers, times, flags and edges. Rows refer to each other by integer keys;
-- an id that leaves the house stands once, or is computed (message).

-- One row for each fact about the directory as a whole, such as its store id.
create table store_fact (
    name text primary key,
    value blob not null
) strict, without rowid;

-- The sequence that feeds message numbers and nonces. The high-water mark of a block is committed
-- before the first number of the block is used, so that no number is handed out twice, not even
-- after a rollback, a crash or a restore (the nonce law, part a).
create table number_sequence (
    name text primary key,
    high_water integer not null
) strict, without rowid;

-- A new salt at every process start and after every rolled-back transaction that sealed anything
-- (the nonce law, part b). The key of a content row is derived from its bucket key and this salt.
create table seal_run (
    no integer primary key,
    tenant integer not null,
    salt blob not null check (length(salt) = 32),
    -- Compliance time, microseconds.
    began integer not null
) strict;

-- Every erasable key, random, wrapped under the keyhold. Nothing erasable is derived from the root.
create table data_key (
    id integer primary key,
    tenant integer not null,
    -- crypto key kind by number (store/data_key.rs).
    kind integer not null,
    -- year * 12 + month - 1 (UTC) of the messages under a bucket key, else null.
    bucket_month integer,
    -- Shard of the conversation (or of the entity kind), else null.
    bucket_shard integer,
    -- What a key of another kind belongs to: an import number, a year, a segment.
    object text,
    -- Keyhold generation that wraps this row.
    generation integer not null,
    nonce blob not null check (length(nonce) = 12),
    wrapped blob not null check (length(wrapped) = 48),
    -- First audit sequence number at which the key may have been used.
    created_seq integer not null,
    -- 0 current, 1 reseal_only (only while survivors of a purge move), 2 minted ahead and unassigned.
    state integer not null
) strict;

create unique index data_key_current on data_key (tenant, kind, bucket_month, bucket_shard, object)
    where state = 0;
create index data_key_unassigned on data_key (kind) where state = 2;

-- How many wraps each wrapping key has made; it is refused past its limit.
create table wrap_count (
    generation integer primary key,
    wraps integer not null
) strict;

-- One run of an import.
create table import (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    -- The user who imported, and when (compliance time, microseconds).
    actor integer not null,
    began integer not null,
    ended integer,
    -- 0 running, 1 done, 2 interrupted, 3 refused.
    state integer not null,
    -- Keyed hash of the SHA-256 of the container: finds the same file again, confirms no guess.
    source_lookup blob not null,
    source_bytes integer not null,
    -- Content number of the sealed report: file name, SHA-256, assumptions, summary.
    report_no integer,
    -- Counts of the receipt.
    fresh integer not null default 0,
    known integer not null default 0,
    revised integer not null default 0,
    rejected integer not null default 0,
    notes integer not null default 0
) strict;

create index import_by_source on import (source_lookup);

-- What the reader remarked. The remark itself quotes the source, so it is sealed.
create table import_note (
    import integer not null,
    ordinal integer not null,
    kind integer not null,
    content_no integer not null,
    primary key (import, ordinal)
) strict, without rowid;

create table conversation (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    app integer not null,
    kind integer not null,
    -- The company's account it belongs to, when known.
    account integer,
    -- Keyed hash of (app, source scope, conversation key): equality look-up without the name.
    lookup blob not null,
    -- Shard of the erase buckets of its messages: fixed at creation.
    shard integer not null,
    -- Content number of the sealed title.
    title_no integer not null,
    first_sent integer,
    last_sent integer,
    messages integer not null default 0
) strict;

create index conversation_by_lookup on conversation (lookup);

-- One sender identity as sources name it: (app, scope, label or platform id).
create table handle (
    no integer primary key,
    tenant integer not null,
    app integer not null,
    person integer not null,
    lookup blob not null unique,
    -- Content number of the sealed label and platform handle.
    name_no integer not null
) strict;

create index handle_by_person on handle (person);

create table person (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16)
) strict;

-- Who wrote or was present where; `to:` and `with:` read it.
create table participant (
    conversation integer not null,
    handle integer not null,
    primary key (conversation, handle)
) strict, without rowid;

-- A message without its words. Its public id is computed from the number and the import's time,
-- so it needs no column; its words are content (no, version, part).
create table message (
    no integer primary key,
    tenant integer not null,
    conversation integer not null,
    sender integer,
    import integer not null,
    -- Effective time, microseconds UTC; never moves.
    sent integer not null,
    -- Place in the order of its source.
    order_index integer not null,
    kind integer not null,
    presence integer not null,
    -- Number of the latest version; 0 is the first.
    version integer not null,
    reply_to integer
) strict;

-- Conversation order is (sent, order_index, no); 011 widens the index.
create index message_in_order on message (conversation, sent);

-- Everything sealed row by row. key = number << 20 | version << 4 | part, so that a version's parts
-- lie together and the number is a prefix. Entities (titles, names, reports) take their numbers from
-- the same sequence as messages.
create table content (
    key integer primary key,
    tenant integer not null,
    data_key integer not null,
    run integer not null,
    sealed blob not null
) strict;

-- Second and later sightings of a message; the first is in the message's own sealed part.
create table observation (
    message integer not null,
    import integer not null,
    -- Content number of the sealed sighting: entry, span, raw form.
    content_no integer not null,
    primary key (message, import, content_no)
) strict, without rowid;

-- Sealed files. Dedupe goes through this table, never through the file's existence.
create table blob (
    no integer primary key,
    tenant integer not null,
    -- Keyed hash that is also the file name.
    name blob not null unique check (length(name) = 32),
    data_key integer not null,
    nonce blob not null,
    wrapped blob not null,
    bytes integer not null
) strict;

create table attachment (
    message integer not null,
    ordinal integer not null,
    blob integer,
    primary key (message, ordinal)
) strict, without rowid;

-- Index work that is committed with the rows and not yet visible in the index: whole ranges of
-- message numbers of one part.
create table outbox (
    seq integer primary key,
    tenant integer not null,
    -- Part of the index: a calendar year.
    part integer not null,
    first_no integer not null,
    last_no integer not null,
    -- 0 the rows are new, 1 they replace what the index may hold.
    replaces integer not null
) strict;

create index outbox_by_part on outbox (part, seq);

-- What the index stood at when its outbox rows were removed: an older index is refused.
create table index_anchor (
    part integer primary key,
    generation integer not null,
    -- Rewrites of the list of segments since that commit, and the hash of the list.
    revision integer not null,
    meta_hash blob not null,
    -- Last outbox sequence number that was settled into it.
    settled_seq integer not null
) strict;

-- The audit log (schema/log.md). `entry` is the canonical JSON that is hashed; the payload is
-- sealed and its key may be destroyed without hurting the tree.
create table audit_entry (
    seq integer primary key,
    tenant integer not null,
    entry blob not null,
    payload_key integer,
    payload blob
) strict;

-- The right edge of the tree after the last entry: one row.
create table audit_edge (
    only integer primary key check (only = 1),
    size integer not null,
    edge blob not null
) strict;

create table audit_checkpoint (
    size integer primary key,
    -- The whole signed note.
    note text not null
) strict;

create table user (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    -- Log-in name, lower case.
    login text not null unique,
    role integer not null,
    -- PHC string of Argon2id.
    password text not null,
    created integer not null,
    disabled integer not null default 0
) strict;

-- What a user may see: 0 everything, 1 conversation, 2 account, 3 denied conversation.
create table user_grant (
    user integer not null,
    kind integer not null,
    object integer not null,
    primary key (user, kind, object)
) strict, without rowid;

-- Log-ins and API tokens: only the hash is kept.
create table token (
    hash blob primary key,
    tenant integer not null,
    user integer not null,
    created integer not null,
    expires integer not null
) strict, without rowid;
