-- 010: long acts as somebody started them, kept so that a restart does not make them unheard of. What
-- an act did stands in the record and in the log; here stands only what its owner is shown.

create table job (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    owner integer not null,
    -- What it does: words of ours, never of people.
    title text not null,
    -- Compliance time.
    began integer not null,
    ended integer,
    -- 0 under way, 1 over, 2 cut off by the end of the process.
    state integer not null,
    -- Content: how it ended; null while it has not.
    text_no integer
) strict;

create index job_by_owner on job (owner, no);
create index job_open on job (state) where state = 0;
