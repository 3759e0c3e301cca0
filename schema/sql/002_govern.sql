-- 002: what must stay, what may go, and what time it is. Rules for live schemas: 001_record.sql.
--
-- Whatever a person wrote (names, queries, reasons, citations, the words of an event) is sealed
-- content; a column that ends in `_no` and says "content" holds its number. Here are numbers,
-- times (compliance time, microseconds, unless a comment says otherwise) and enums. Holds, labels,
-- events, versions and freezes are ended or replaced, never deleted and never rewritten, so that
-- "as of" always has an answer.

-- How far the source of an import is trusted with its own times: 0 a file handed in by a person,
-- 1 an export by the server, 2 a signed live feed (domain/policy.rs).
alter table import add column trust integer not null default 0;

-- One row. Both counters only grow. A plan carries the hold epoch it was made under: an equal
-- number proves that no hold changed since. A simulation carries both.
create table govern_state (
    only integer primary key check (only = 1),
    hold_epoch integer not null,
    rule_epoch integer not null
) strict;

insert into govern_state (only, hold_epoch, rule_epoch) values (1, 0, 0);

-- The case or inquiry that holds belong to.
create table matter (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    -- Content: name, reference.
    text_no integer not null,
    opened integer not null,
    opened_by integer not null,
    closed integer
) strict;

create table policy (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    created integer not null
) strict;

-- A version is written once. In force at an instant is the highest version that is no draft and
-- whose `valid_from` has come.
create table policy_version (
    policy integer not null,
    version integer not null,
    tenant integer not null,
    -- 0 draft, 1 enabled, 2 disabled.
    state integer not null,
    -- 0 retain, 1 delete, 2 retain then delete.
    action integer not null,
    -- The period; both null = without end.
    months integer,
    days integer,
    -- IANA name: in whose calendar the period runs.
    zone text not null,
    -- 0 sent, 1 ingested, 2 last activity, 3 label applied, 4 event.
    trigger integer not null,
    -- Keyed hash of type and key of the event, when the trigger is one.
    event blob check (event is null or length(event) = 16),
    -- 1 organisation, 2 scoped, 3 label.
    level integer not null,
    label integer,
    -- 0 none, 1 governance, 2 compliance, and until when.
    lock integer not null,
    lock_until integer,
    -- Distinct approvers before destruction; 0 = automatic.
    reviewers integer not null,
    valid_from integer not null,
    created integer not null,
    author integer not null,
    -- The second person, where a weakening needed one.
    approved_by integer,
    -- Content: name, scope, citation, reason, words of the event.
    text_no integer not null,
    primary key (policy, version)
) strict, without rowid;

create table label (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    -- Content: name, description.
    text_no integer not null,
    created integer not null,
    created_by integer not null
) strict;

-- A label on a message or a conversation from one instant to another. A target carries one label
-- at a time: the next one ends the one before.
create table label_span (
    no integer primary key,
    tenant integer not null,
    label integer not null,
    -- 0 message, 1 conversation, and its number.
    target_kind integer not null,
    target integer not null,
    applied integer not null,
    applied_by integer not null,
    ended integer,
    ended_by integer
) strict;

create index label_span_by_target on label_span (target_kind, target);

-- Things that happened and start periods. A correction is a row of its own.
create table event (
    no integer primary key,
    tenant integer not null,
    -- Keyed hash of type and key: equality without the words.
    key blob not null check (length(key) = 16),
    -- When it happened: claimed, a datum and never a clock.
    at integer not null,
    recorded integer not null,
    recorded_by integer not null,
    corrects integer,
    -- Content: type, key, reason.
    text_no integer not null
) strict;

create index event_by_key on event (key);

-- Holds are predicates, never marks on messages: placing one is one row, effective at commit.
create table hold (
    no integer primary key,
    tenant integer not null,
    id blob not null unique check (length(id) = 16),
    matter integer not null,
    -- 0 ids, 1 query, 2 custodian, 3 conversation, 4 account (domain/hold.rs), and what it names.
    kind integer not null,
    object integer,
    placed integer not null,
    placed_by integer not null,
    -- Days it protects after its release.
    grace_days integer not null check (grace_days >= 14),
    -- Messages before and after a match that are protected too.
    keep_context integer not null,
    -- The first of the two who release.
    release_requested integer,
    release_requested_by integer,
    -- The second, who is somebody else: from here on the grace runs.
    released integer,
    released_by integer check (released_by is null or released_by <> release_requested_by),
    -- Content: reason of the release.
    release_text_no integer,
    -- Content: name, query, reason.
    text_no integer not null
) strict;

-- What a hold by ids protects: fixed when it is placed.
create table hold_item (
    hold integer not null,
    message integer not null,
    primary key (hold, message)
) strict, without rowid;

create index hold_item_by_message on hold_item (message);

-- What the rules alone cannot tell of a message any more: the part of a compliance lock that was
-- earned under a fact that has changed since, and what a reviewer extended. Both only grow.
create table message_floor (
    message integer primary key,
    tenant integer not null,
    locked_until integer not null,
    extended_until integer not null
) strict;

-- The compliance clock: one row, written every minute and at each jump (retention/clock.rs).
create table clock (
    only integer primary key check (only = 1),
    compliance integer not null,
    -- The wall clock at that moment.
    wall integer not null,
    -- Microseconds since the computer started, and which start that was.
    boot integer not null,
    boot_id blob not null check (length(boot_id) = 16),
    -- Compliance time of the last evidence, when there was any.
    attested integer
) strict;

-- Time that was taken over from the wall clock without evidence: at most seven days a year.
create table clock_credit (
    no integer primary key,
    -- Compliance time after the credit.
    at integer not null,
    micros integer not null
) strict;

-- While a row without `lifted` stands, nothing is destroyed.
create table purge_freeze (
    no integer primary key,
    tenant integer not null,
    -- domain/freeze.rs.
    reason integer not null,
    since integer not null,
    -- Null when the house itself froze.
    set_by integer,
    -- Content: in words.
    text_no integer,
    -- Two people lift it.
    lift_requested_by integer,
    lifted integer,
    lifted_by integer check (lifted_by is null or lifted_by <> lift_requested_by)
) strict;

-- What a simulation found. A policy is enabled only with one that is newer than the last change.
create table simulation (
    no integer primary key,
    tenant integer not null,
    policy integer not null,
    version integer not null,
    -- Counters of `govern_state` when it ran.
    hold_epoch integer not null,
    rule_epoch integer not null,
    ran integer not null,
    ran_by integer not null,
    -- The day it looked at.
    as_of integer not null,
    records integer not null,
    eligible integer not null,
    -- Content: the report.
    text_no integer not null
) strict;

create index simulation_by_policy on simulation (policy, version);

-- A frozen list of what is due, on its way through review (retention/plan.rs). What happens after
-- approval is the business of the erase door and its own tables.
create table disposition (
    batch integer primary key,
    tenant integer not null,
    -- 0 in review, 1 approved, 2 handed over, 3 cancelled, 4 certified.
    state integer not null,
    computed integer not null,
    requested_by integer not null,
    hold_epoch integer not null,
    rule_epoch integer not null,
    -- Distinct approvers it needs, and the recall window in microseconds.
    reviewers integer not null,
    recall integer not null,
    items integer not null,
    root blob not null check (length(root) = 32),
    -- Content: the preview as it was shown.
    text_no integer not null
) strict;

create table disposition_item (
    batch integer not null,
    message integer not null,
    -- Latest version of the message when the list was frozen.
    revision integer not null,
    policy integer not null,
    policy_version integer not null,
    -- When the period of that policy began, and when it was over.
    t0 integer not null,
    delete_from integer not null,
    -- Until when policies kept it; the least number where none did.
    retain_until integer not null,
    due integer not null,
    primary key (batch, message)
) strict, without rowid;

-- What reviewers did, in order.
create table disposition_act (
    batch integer not null,
    ordinal integer not null,
    -- 0 approved, 1 excluded, 2 extended, 3 cancelled.
    kind integer not null,
    by_user integer not null,
    at integer not null,
    -- The message it is about; null = the batch.
    message integer,
    -- The new date of an extension.
    until integer,
    -- Content: the reason.
    text_no integer,
    primary key (batch, ordinal)
) strict, without rowid;
