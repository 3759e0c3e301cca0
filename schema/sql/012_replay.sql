-- 012: keys that programs gave to acts that are done once, and the answers that were given. A key that is
-- sent again is answered again, also after a restart. Kept for a day.

create table replay (
    no integer primary key,
    tenant integer not null,
    owner integer not null,
    -- Keyed hash over asker and key.
    lookup blob not null unique,
    -- Keyed hash over what was asked: confirms no guess.
    what blob not null,
    -- Compliance time.
    began integer not null,
    -- 0 under way, 1 done, 2 the process ended first.
    state integer not null,
    -- Content: the answer; null while there is none, and where it held a secret.
    text_no integer
) strict;

create index replay_by_age on replay (began);
create index replay_by_owner on replay (owner, no);
create index replay_open on replay (state) where state = 0;
