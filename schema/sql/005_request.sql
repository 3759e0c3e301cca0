-- 005: requests of people for the erasure of their data (GDPR art. 17), item by item. Rows are
-- ended, never deleted: the ledger is what is shown when somebody asks what became of a request.

create table erasure_request (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    -- When the person asked: a datum that somebody typed, never a clock.
    received integer not null,
    -- Compliance time.
    recorded integer not null,
    recorded_by integer not null,
    -- Until when the person has to be answered: one month.
    answer_by integer not null,
    -- Content: who asked as people say it, reference of the letter, reason.
    text_no integer not null
) strict;

-- The people a request names. What they wrote was put on it when it was recorded.
create table erasure_person (
    request integer not null,
    person integer not null,
    primary key (request, person)
) strict, without rowid;

create table erasure_item (
    request integer not null,
    message integer not null,
    -- 0 due: nothing stands in the way, it goes with the next list; 1 erased; 2 restricted: it stays
    -- and is hidden from ordinary search; 3 refused: it stays as it was.
    outcome integer not null,
    -- 0 none, 1 art. 17(3)(b) legal obligation, 2 art. 17(3)(e) legal claims, and which hold.
    ground integer not null,
    hold integer,
    -- When to look at it again: null where there is nothing to look at.
    review integer,
    -- Compliance time of this outcome, and who decided; null: the house itself, by its rules.
    decided integer not null,
    decided_by integer,
    -- Content: the reason a person gave.
    text_no integer,
    primary key (request, message)
) strict, without rowid;

-- What is hidden, and what is still to come up: found without reading what is over.
create index erasure_item_open on erasure_item (message) where outcome in (0, 2);

-- Two people who say how much time has passed, with their evidence. Rows are never deleted.
create table clock_claim (
    no integer primary key,
    tenant integer not null,
    -- The instant that is proven to have come, and the compliance time when it was said.
    proven integer not null,
    claimed integer not null,
    claimed_by integer not null,
    agreed integer,
    agreed_by integer check (agreed_by is null or agreed_by <> claimed_by),
    -- Content: the evidence in words.
    text_no integer not null
) strict;
