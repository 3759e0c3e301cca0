-- 006: what the kept backups are owed. Written in the transaction that destroys an old key, for what
-- was moved inside it; gone once every kept backup has its survivor pack.

create table erase_owed (
    batch integer not null,
    -- The current key of a bucket: all that lies under it is given.
    data_key integer not null,
    primary key (batch, data_key)
) strict, without rowid;
