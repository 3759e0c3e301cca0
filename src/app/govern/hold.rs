//! The use-cases of legal holds: preview, place, list, release by two.
//!
//! A hold is one row. It protects from the commit on, and what it protects is decided by the exact
//! evaluator over the record; the counts shown here may come from the index and say so.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::super::clock::Stopwatch;
use super::super::search::refused;
use super::super::{AppError, Appliance, Reading, Result, SearchRequest, Session};
use super::release::{Asked, Released};
use super::simulate::Heed;
use super::spread::{DueSoon, Inside, Spread};
use super::{matter, words};
use crate::archive::Watermark;
use crate::audit::{Action, Appended};
use crate::domain::{
    ConversationId, ConversationNo, GRACE_DAYS, GRACE_DAYS_MIN, Hold, HoldId, HoldNo, HoldScope,
    MatterId, MessageId, MessageNo, PersonNo, Right, Scope, Timestamp,
};
use crate::query::ast::Pieces;
use crate::query::{Directory, NamePattern, NoFacts, ParseContext, Purpose, Resolved, parse};
use crate::retention::RetentionError;
use crate::search::{Budget, Search};
use crate::store::{HoldRow, Rows, WriteTx};

/// Most messages of one hold by ids.
pub const HOLD_ITEMS_MAX: usize = 100_000;
/// Most messages before and after a match that a hold protects too.
pub const KEEP_CONTEXT_MAX: u16 = 1_000;
/// Longest grace after a release, in days.
pub const GRACE_DAYS_MAX: u16 = 3_650;
/// Time the count of a preview may take.
const COUNT_BUDGET: Duration = Duration::from_secs(60);

/// What a hold is to protect, as people say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldTarget {
    /// These messages, in every version they ever get.
    Messages(Vec<MessageId>),
    /// Whatever the query matches, also what comes later.
    Query(String),
    /// Every conversation of a person, by name, handle or id.
    Custodian(String),
    /// One conversation.
    Conversation(ConversationId),
    /// The messages the query finds when the hold is placed, and none that come later.
    Found(String),
}

/// A hold as asked for.
#[derive(Clone, Debug)]
pub struct NewHold {
    /// The matter it belongs to.
    pub matter: MatterId,
    /// What people call it.
    pub name: String,
    /// What it protects.
    pub target: HoldTarget,
    /// Why.
    pub reason: String,
    /// Days it still protects after its release; `None` is thirty.
    pub grace_days: Option<u16>,
    /// So many messages before and after a match are protected too.
    pub keep_context: u16,
    /// Zone of the dates of a query; `None` is that of the workspace.
    pub zone: Option<String>,
    /// Warnings accepted by code.
    pub accept: Vec<String>,
}

/// How much a hold protects now.
#[derive(Clone, Debug)]
pub struct HoldExtent {
    /// Messages; exact, context apart.
    pub messages: u64,
    /// How far the count has read.
    pub watermark: Watermark,
    /// Time the count took.
    pub took: Duration,
    /// How the query was read, where it is one.
    pub reading: Option<Reading>,
    /// In words, what it protects.
    pub protects: String,
    /// The same messages by platform, year and person.
    pub spread: Spread,
    /// What would go soon without it; only a preview looks for that.
    pub due_soon: Option<DueSoon>,
}

/// A hold that was placed.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its public id.
    pub id: HoldId,
    /// Its audit entry.
    pub audit: Appended,
    /// Time from the call to the commit, from which on it protects.
    pub took: Duration,
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldStanding {
    /// It protects.
    Active,
    /// It protects; one person asked to release it.
    ReleaseRequested,
    /// Released; it protects until this instant.
    Grace(Timestamp),
    /// It no longer protects.
    Ended(Timestamp),
}

impl HoldStanding {
    /// The name in lists and reports.
    pub const fn name(self) -> &'static str {
        match self {
            HoldStanding::Active => "active",
            HoldStanding::ReleaseRequested => "release_requested",
            HoldStanding::Grace(_) => "grace",
            HoldStanding::Ended(_) => "ended",
        }
    }
}

/// A hold as listed.
#[derive(Clone, Debug)]
pub struct HoldLine {
    /// Its public id.
    pub id: HoldId,
    /// Its matter.
    pub matter: MatterId,
    /// What people call it.
    pub name: String,
    /// In words, what it protects.
    pub protects: String,
    /// Why it was placed.
    pub reason: String,
    /// Since when.
    pub from: Timestamp,
    /// How it stands.
    pub standing: HoldStanding,
    /// Days it protects after a release.
    pub grace_days: u16,
    /// So many messages before and after a match are protected too.
    pub keep_context: u16,
    /// Whether messages that come later can fall under it.
    pub is_dynamic: bool,
    /// Login of who placed it.
    pub placed_by: String,
    /// The voice for its release that waits for another, or was the first of two.
    pub release_asked: Option<Asked>,
}

/// A target with names resolved.
struct Aimed {
    scope: HoldScope,
    items: Vec<MessageNo>,
    /// Public ids of the items, in their order.
    named: Vec<MessageId>,
    /// The query as typed and in canonical form with absolute dates, else empty.
    query: [String; 2],
    resolved: Option<(Resolved, Reading)>,
    protects: String,
}

impl Appliance {
    /// What a hold would protect now. Nothing is changed.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the target is not found or the query is ambiguous.
    pub fn preview_hold(
        &self,
        session: &Session,
        target: &HoldTarget,
        zone: Option<&str>,
        accept: &[String],
    ) -> Result<HoldExtent> {
        self.preview_hold_watched(session, target, zone, accept, &mut |_, _, _| true)
    }

    /// The same for somebody who waits: `heed` is told what is done and how far it is, and says
    /// whether to go on.
    ///
    /// # Errors
    /// As [`Appliance::preview_hold`]; [`AppError::Interrupted`] when it says no.
    pub fn preview_hold_watched(
        &self,
        session: &Session,
        target: &HoldTarget,
        zone: Option<&str>,
        accept: &[String],
        heed: &mut Heed<'_>,
    ) -> Result<HoldExtent> {
        self.require(session, Right::PlaceHolds, Action::HoldPlace)?;
        let mut step = |what| match heed(what, 0, 0) {
            true => Ok(()),
            false => Err(AppError::from(RetentionError::Stopped)),
        };
        step("looking for what it protects")?;
        let aimed = self.aim(session, target, zone, accept)?;
        step("counting what it protects")?;
        let extent = self.extent(session, aimed, Some(heed))?;
        self.log_rules_read(session, "hold.preview", 1)?;
        Ok(extent)
    }

    /// Places a hold. It protects from the commit on, before this returns.
    ///
    /// # Errors
    /// As [`Appliance::preview_hold`]; when the matter is closed or unknown, a name or reason is
    /// missing, or a limit is passed.
    pub fn place_hold(&self, session: &Session, new: &NewHold) -> Result<Placed> {
        let watch = Stopwatch::start();
        self.require(session, Right::PlaceHolds, Action::HoldPlace)?;
        let name = words::name("the name of the hold", &new.name)?;
        let reason = words::reason(&new.reason)?;
        let grace_days = grace_of(new.grace_days)?;
        if new.keep_context > KEEP_CONTEXT_MAX {
            return Err(AppError::Usage(format!(
                "a hold keeps at most {KEEP_CONTEXT_MAX} messages around a match"
            )));
        }
        let aimed = self.aim(session, &new.target, new.zone.as_deref(), &new.accept)?;
        let now = self.clock.now();
        let id = HoldId(self.new_id());
        let audit = self.change(now, |tx| {
            let narrow = self.narrow(tx, session)?;
            let matter = matter::shown_matter(tx, narrow.as_ref(), new.matter)?;
            if matter.closed.is_some() {
                return Err(AppError::Conflict(format!(
                    "matter {} is closed",
                    new.matter
                )));
            }
            let [typed, canonical] = &aimed.query;
            let text_no = self
                .archive
                .seal_texts(tx, &[name, canonical, reason, typed, &aimed.protects])?;
            let hold = Hold {
                no: HoldNo(0),
                matter: matter.no,
                scope: aimed.scope,
                from: now.compliance,
                placed_by: session.actor.no,
                release: None,
                grace_days,
                keep_context: new.keep_context,
            };
            let no = tx.insert_hold(&HoldRow {
                id,
                hold,
                release_requested: None,
                text_no,
                release_text_no: None,
            })?;
            for item in &aimed.items {
                self.still_there(tx, session, &new.target, *item)?;
                tx.insert_hold_item(no, *item)?;
            }
            let mut draft = self
                .draft(session, Action::HoldPlace)
                .object(id)
                .objects(&aimed.named)
                .word("kind", aimed.scope.name())
                .count("items", aimed.items.len() as u64);
            draft.matter = Some(matter.id.to_string());
            let payload = format!("{name}\n{typed}\n{canonical}\n{reason}");
            self.log(tx, now, draft, Some(payload.as_bytes()))
        })?;
        let took = watch.elapsed();
        self.sign_log()?;
        Ok(Placed { id, audit, took })
    }

    /// A purge may have taken a message since it was aimed at: then the hold is not placed, and it
    /// is said what became of the message.
    fn still_there(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        target: &HoldTarget,
        item: MessageNo,
    ) -> Result<()> {
        if tx.message(item)?.is_some() {
            return Ok(());
        }
        let HoldTarget::Messages(ids) = target else {
            return Err(AppError::NotFound(format!("message {item}")));
        };
        let scope = self.scope(session)?;
        for id in ids {
            let disposed = self.archive.disposed_of_id(*id)?;
            if disposed.is_some_and(|disposed| disposed.no == item) {
                return Err(self.gone(tx, &scope, *id)?);
            }
        }
        Err(AppError::NotFound(format!("message {item}")))
    }

    /// How much a placed hold protects now.
    ///
    /// # Errors
    /// For who may not see the rules; when there is no such hold.
    pub fn hold_extent(&self, session: &Session, id: HoldId) -> Result<HoldExtent> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let row = self.shown_hold(&rows, session, id)?;
        let [_, canonical, _, typed, protects] = self.words(&rows, row.text_no)?;
        let items = rows.hold_items(row.hold.no)?;
        drop(rows);
        let resolved = match row.hold.scope {
            HoldScope::Query => {
                let scope = Scope::everything();
                let names = self.names()?;
                let request = SearchRequest::new(canonical.clone());
                Some(self.understand(&request, Purpose::Search, &names, &scope)?)
            }
            _ => None,
        };
        let aimed = Aimed {
            scope: row.hold.scope,
            items,
            named: Vec::new(),
            query: [typed, canonical],
            resolved,
            protects,
        };
        let extent = self.extent(session, aimed, None)?;
        self.log_rules_read(session, "hold.extent", 1)?;
        Ok(extent)
    }

    /// Asks for the release of a hold, or, when somebody else asked already, releases it. The grace
    /// runs from the second person's consent. What then becomes purgeable is found first, and told
    /// and logged with either voice.
    ///
    /// # Errors
    /// For who may not release; when it is released already, or the same person asks twice.
    pub fn release_hold(&self, session: &Session, id: HoldId, reason: &str) -> Result<Released> {
        self.require(session, Right::ReleaseHolds, Action::HoldRelease)?;
        let reason = words::reason(reason)?;
        let consequences = self.consequences(session, id)?;
        let now = self.clock.now();
        let by = session.actor.no;
        let (standing, audit) = self.change(now, |tx| {
            let row = hold_of(tx, id)?;
            if row.hold.release.is_some() {
                return Err(AppError::Conflict(format!("hold {id} is released already")));
            }
            let draft = |action| {
                self.draft(session, action)
                    .object(id)
                    .count("purgeable", consequences.purgeable)
            };
            let Some((_, first)) = row.release_requested else {
                let text_no = self.archive.seal_texts(tx, &[reason])?;
                tx.request_release(row.hold.no, now.compliance, by, text_no)?;
                let draft = draft(Action::HoldReleaseRequest);
                let entry = self.log(tx, now, draft, Some(reason.as_bytes()))?;
                return Ok((HoldStanding::ReleaseRequested, entry));
            };
            if first == by {
                return Err(AppError::Blocked(format!(
                    "you asked to release hold {id} already; another lawyer or records officer \
                     must agree"
                )));
            }
            tx.release_hold(row.hold.no, now.compliance, by)?;
            let draft = draft(Action::HoldRelease)
                .count("grace_days", u64::from(row.hold.grace_days))
                .instant("until", hold_of(tx, id)?.hold.ends())
                .word("requested_by", self.user_id(tx, first)?);
            let entry = self.log(tx, now, draft, Some(reason.as_bytes()))?;
            let released = hold_of(tx, id)?;
            self.tell_release(tx, session, &released, now)?;
            let standing = standing_of(&released, now.compliance);
            Ok((standing, entry))
        })?;
        self.sign_log()?;
        Ok(Released {
            standing,
            consequences,
            audit,
        })
    }

    /// Every hold there ever was, in the order of placing.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn holds(&self, session: &Session) -> Result<Vec<HoldLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let matters = rows.matters()?;
        let narrow = self.narrow(&rows, session)?;
        let mut lines = Vec::new();
        for row in rows.holds()? {
            if let Some(narrow) = &narrow
                && !narrow.shows_hold(&rows, &row)?
            {
                continue;
            }
            let [name, _, reason, _, protects] = self.words(&rows, row.text_no)?;
            let matter = matters.iter().find(|matter| matter.no == row.hold.matter);
            lines.push(HoldLine {
                id: row.id,
                matter: matter.map_or(MatterId(0), |matter| matter.id),
                name,
                protects,
                reason,
                from: row.hold.from,
                standing: standing_of(&row, now.compliance),
                grace_days: row.hold.grace_days,
                keep_context: row.hold.keep_context,
                is_dynamic: row.hold.scope != HoldScope::Ids,
                placed_by: self.login_of(&rows, row.hold.placed_by)?,
                release_asked: self.release_asked(&rows, session, &row)?,
            });
        }
        drop(rows);
        self.log_rules_read(session, "holds", lines.len())?;
        Ok(lines)
    }

    /// The hold of an id, where it is shown.
    pub(super) fn shown_hold(&self, rows: &Rows, session: &Session, id: HoldId) -> Result<HoldRow> {
        let row = hold_of(rows, id)?;
        match self.narrow(rows, session)? {
            Some(narrow) if !narrow.shows_hold(rows, &row)? => {
                Err(AppError::NotFound(id.to_string()))
            }
            _ => Ok(row),
        }
    }

    fn aim(
        &self,
        session: &Session,
        target: &HoldTarget,
        zone: Option<&str>,
        accept: &[String],
    ) -> Result<Aimed> {
        let scope = self.scope(session)?;
        match target {
            HoldTarget::Messages(ids) => self.aim_at_messages(&scope, ids),
            HoldTarget::Query(text) => self.aim_at_query(&scope, text, zone, accept),
            HoldTarget::Found(text) => self.aim_at_found(&scope, text, zone, accept),
            HoldTarget::Custodian(name) => self.aim_at_person(&scope, name),
            HoldTarget::Conversation(id) => {
                let row = self.archive.store().read()?.conversation_by_id(*id)?;
                let row = row
                    .filter(|row| scope.allows(row.no, row.account))
                    .ok_or_else(|| AppError::NotFound(id.to_string()))?;
                Ok(aimed(
                    HoldScope::Conversation(row.no),
                    format!("conversation {id}"),
                ))
            }
        }
    }

    fn aim_at_messages(&self, scope: &Scope, ids: &[MessageId]) -> Result<Aimed> {
        if ids.is_empty() || ids.len() > HOLD_ITEMS_MAX {
            return Err(AppError::Usage(format!(
                "a hold by ids names 1 to {HOLD_ITEMS_MAX} messages"
            )));
        }
        let rows = self.archive.store().read()?;
        let mut items = BTreeMap::new();
        for id in ids {
            match self.visible_message(&rows, scope, *id)? {
                Some(row) => items.insert(row.no, *id),
                None => return Err(self.gone(&rows, scope, *id)?),
            };
        }
        let protects = format!("{} messages by id", items.len());
        Ok(Aimed {
            items: items.keys().copied().collect(),
            named: items.into_values().collect(),
            ..aimed(HoldScope::Ids, protects)
        })
    }

    fn aim_at_query(
        &self,
        scope: &Scope,
        text: &str,
        zone: Option<&str>,
        accept: &[String],
    ) -> Result<Aimed> {
        let names = self.names()?;
        let request = SearchRequest {
            zone: zone.map(str::to_owned),
            accept: accept.to_vec(),
            ..SearchRequest::new(text)
        };
        let (resolved, reading) = self.understand(&request, Purpose::HoldScope, &names, scope)?;
        // What is kept must read back as the same query for as long as the hold lives.
        let context = ParseContext {
            zone: reading.zone,
            now: self.clock.now().wall,
            strict: false,
            purpose: Purpose::Search,
        };
        if parse(&reading.resolved, &context).ast.is_none() {
            return Err(AppError::Usage(
                "the query is too long once its names are spelled out; place two holds instead"
                    .to_owned(),
            ));
        }
        let protects = reading.read_as.clone();
        Ok(Aimed {
            query: [text.to_owned(), reading.resolved.clone()],
            resolved: Some((resolved, reading)),
            ..aimed(HoldScope::Query, protects)
        })
    }

    /// What a query finds now, as a hold by ids.
    fn aim_at_found(
        &self,
        scope: &Scope,
        text: &str,
        zone: Option<&str>,
        accept: &[String],
    ) -> Result<Aimed> {
        let aimed_at = self.aim_at_query(scope, text, zone, accept)?;
        let Some((resolved, reading)) = aimed_at.resolved else {
            return Err(AppError::Usage("write a query".to_owned()));
        };
        let found = self.found(&resolved, scope, HOLD_ITEMS_MAX)?;
        if found.is_empty() {
            return Err(AppError::Usage(
                "the query finds nothing now; a hold that also protects what comes later can be \
                 placed on it"
                    .to_owned(),
            ));
        }
        let mut items: Vec<MessageNo> = found.into_iter().collect();
        items.sort_unstable();
        let rows = self.archive.store().read()?;
        let mut named = Vec::with_capacity(items.len());
        for no in &items {
            named.extend(self.public_id(&rows, *no)?);
        }
        let read_as = &reading.read_as;
        let protects = format!(
            "{} messages found on the day it was placed: {read_as}",
            items.len()
        );
        Ok(Aimed {
            items,
            named,
            query: [text.to_owned(), reading.resolved.clone()],
            resolved: Some((resolved, reading)),
            ..aimed(HoldScope::Ids, protects)
        })
    }

    fn aim_at_person(&self, scope: &Scope, name: &str) -> Result<Aimed> {
        let (person, label) = self.person_named(scope, name)?;
        let protects = format!("every conversation of {label}");
        Ok(aimed(HoldScope::Custodian(person), protects))
    }

    /// The one person of a name, a handle or an id, with how they are called.
    pub(super) fn person_named(&self, scope: &Scope, name: &str) -> Result<(PersonNo, String)> {
        let names = self.names()?;
        let scoped = names.within(&self.archive, scope, None);
        let people = scoped.people(&NamePattern::new(&Pieces::literal(name.trim())));
        let [person] = people.as_slice() else {
            if people.is_empty() {
                return Err(AppError::NotFound(format!("person {name}")));
            }
            let several: Vec<String> = people
                .iter()
                .map(|person| format!("{} ({})", person.label, person.id))
                .collect();
            return Err(AppError::Usage(format!(
                "several people match \"{name}\"; name one by id: {}",
                several.join(", ")
            )));
        };
        let handle = person.handles.iter().find_map(|no| scoped.handle(*no));
        let no = handle.ok_or_else(|| AppError::NotFound(format!("person {name}")))?;
        Ok((no.person, format!("{} ({})", person.label, person.id)))
    }

    /// What it would protect, as far as whoever asks may see: a hold protects whatever it matches, and
    /// tells nobody about what is hidden from them.
    fn extent(
        &self,
        session: &Session,
        aimed: Aimed,
        ahead: Option<&mut Heed<'_>>,
    ) -> Result<HoldExtent> {
        let watch = Stopwatch::start();
        let sight = Scope {
            withheld: Arc::default(),
            ..self.scope(session)?
        };
        let watermark = match sight.sees_all() {
            true => self.archive.watermark()?,
            false => self.archive.watermark()?.without_figures(),
        };
        let names = self.names()?;
        let seen = names.within(&self.archive, &sight, None);
        let inside_of = |numbers: Vec<ConversationNo>| -> HashSet<ConversationNo> {
            numbers.into_iter().filter(|no| seen.sees(*no)).collect()
        };
        let inside = match aimed.scope {
            HoldScope::Ids => Inside::Messages(aimed.items.iter().copied().collect()),
            HoldScope::Query => Inside::Messages(match &aimed.resolved {
                Some((resolved, _)) => self.found(resolved, &sight, usize::MAX)?,
                None => HashSet::new(),
            }),
            HoldScope::Conversation(no) => Inside::Conversations(HashSet::from([no])),
            HoldScope::Custodian(no) => {
                Inside::Conversations(inside_of(self.conversations_of(no)?.into_iter().collect()))
            }
            HoldScope::Account(account) => {
                let conversations = self.archive.store().read()?.conversations()?;
                let of = conversations
                    .iter()
                    .filter(|row| row.account == Some(account));
                Inside::Conversations(inside_of(of.map(|row| row.no).collect()))
            }
        };
        let messages = match &inside {
            Inside::Messages(numbers) => numbers.len() as u64,
            Inside::Conversations(numbers) => {
                let rows = self.archive.store().read()?;
                messages_of(&rows, |row| numbers.contains(&row))?
            }
        };
        let took = watch.elapsed();
        Ok(HoldExtent {
            messages,
            watermark,
            took,
            reading: aimed.resolved.map(|(_, reading)| reading),
            protects: aimed.protects,
            spread: self.spread(&inside)?,
            due_soon: match ahead {
                Some(heed) => Some(self.due_soon(&inside, heed)?),
                None => None,
            },
        })
    }

    /// The messages that match within a sight; an error when there are more than `most`.
    fn found(&self, resolved: &Resolved, sight: &Scope, most: usize) -> Result<HashSet<MessageNo>> {
        let (found, total) = self.found_up_to(resolved, sight, most)?;
        found.ok_or_else(|| {
            AppError::Usage(format!(
                "{total} messages match, and a hold by ids names at most {HOLD_ITEMS_MAX}: let the \
                 hold follow the query instead"
            ))
        })
    }

    /// The messages that match within a sight, and how many; `None` in place of them when there are
    /// more than `most`.
    pub(super) fn found_up_to(
        &self,
        resolved: &Resolved,
        sight: &Scope,
        most: usize,
    ) -> Result<(Option<HashSet<MessageNo>>, u64)> {
        let watch = Stopwatch::start();
        let names = self.names()?;
        let scoped = names.within(&self.archive, sight, None);
        let spent = || watch.elapsed();
        let search = Search {
            archive: &self.archive,
            picture: None,
            names: &scoped,
            facts: &NoFacts,
            resolved,
            budget: Budget {
                allowed: COUNT_BUDGET,
                spent: &spent,
            },
        };
        let (keys, total) = search.keys(most).map_err(refused)?;
        let numbers = keys.map(|keys| keys.into_iter().map(|key| key.no).collect());
        Ok((numbers, total))
    }

    fn release_asked(
        &self,
        rows: &Rows,
        session: &Session,
        row: &HoldRow,
    ) -> Result<Option<Asked>> {
        let Some((at, by)) = row.release_requested else {
            return Ok(None);
        };
        let [reason] = match row.release_text_no {
            Some(no) => self.words(rows, no)?,
            None => [String::new()],
        };
        Ok(Some(Asked {
            at,
            by: self.login_of(rows, by)?,
            is_own: by == session.actor.no,
            reason,
        }))
    }

    fn conversations_of(&self, person: PersonNo) -> Result<BTreeSet<ConversationNo>> {
        let names = self.names()?;
        let handles = names
            .directory()
            .handles
            .values()
            .filter(|entry| entry.person == person)
            .map(|entry| entry.no)
            .collect();
        let everything = Scope::everything();
        let scoped = names.within(&self.archive, &everything, None);
        Ok(scoped.conversations_with(&handles))
    }
}

fn aimed(scope: HoldScope, protects: String) -> Aimed {
    Aimed {
        scope,
        items: Vec::new(),
        named: Vec::new(),
        query: [String::new(), String::new()],
        resolved: None,
        protects,
    }
}

fn grace_of(asked: Option<u16>) -> Result<u16> {
    let days = asked.unwrap_or(GRACE_DAYS);
    if (GRACE_DAYS_MIN..=GRACE_DAYS_MAX).contains(&days) {
        return Ok(days);
    }
    Err(AppError::Usage(format!(
        "the grace after a release is {GRACE_DAYS_MIN} to {GRACE_DAYS_MAX} days"
    )))
}

fn messages_of(rows: &Rows, is_in: impl Fn(crate::domain::ConversationNo) -> bool) -> Result<u64> {
    let conversations = rows.conversations()?;
    let inside = conversations.iter().filter(|row| is_in(row.no));
    Ok(inside.map(|row| row.messages).sum())
}

/// The hold of an id.
pub(super) fn hold_of(rows: &Rows, id: HoldId) -> Result<HoldRow> {
    let found = rows.holds()?.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| AppError::NotFound(id.to_string()))
}

fn standing_of(row: &HoldRow, now: Timestamp) -> HoldStanding {
    let ends = row.hold.ends();
    match (row.hold.release, row.release_requested) {
        (Some(_), _) if now < ends => HoldStanding::Grace(ends),
        (Some(_), _) => HoldStanding::Ended(ends),
        (None, Some(_)) => HoldStanding::ReleaseRequested,
        (None, None) => HoldStanding::Active,
    }
}
