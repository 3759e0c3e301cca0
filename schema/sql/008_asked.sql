-- 008: searches that somebody asked in a browser. The address of a page names the row, so that no
-- query stands in an address, a history or a log. The same words of the same person are one row.

create table asked (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    owner integer not null,
    -- Keyed hash over owner and words.
    lookup blob not null unique,
    -- When it was asked first and last, compliance time.
    first_asked integer not null,
    last_asked integer not null,
    -- Whether the owner keeps it under a name.
    saved integer not null default 0,
    -- Content: the query, the order, the zone, the name.
    text_no integer not null
) strict;

create index asked_by_owner on asked (owner, last_asked);
