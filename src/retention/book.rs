//! The book of rules: everything of the record that verdicts hang on, read in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono_tz::Tz;

use super::error::{Result, RetentionError};
use super::facts::Facts;
use super::rules::{Rules, ScopeRef};
use super::scope::{Scope, ScopeContext};
use super::words::{HoldWords, PolicyWords};
use crate::archive::Archive;
use crate::domain::{
    ConversationNo, Event, HandleNo, Hold, HoldNo, HoldScope, ImportNo, LabelSpan, LabelTarget,
    MessageNo, PersonNo, PolicyRef, PolicyState, PolicyVersion, SourceTrust, Timestamp,
};
use crate::query::{Directory, Purpose};
use crate::store::{ConversationRow, Epochs, MessageFloor, MessageRow, Rows};

/// What a hold protects, ready to be asked.
#[derive(Debug)]
pub(super) enum Protected {
    /// These messages.
    Ids(BTreeSet<MessageNo>),
    /// Every message of these conversations.
    Conversations(BTreeSet<ConversationNo>),
    /// What the query matches.
    Query(Box<Scope>),
}

/// An import as far as verdicts need it.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// When it ended; `None` while it runs or can be resumed.
    ended: Option<Timestamp>,
    trust: SourceTrust,
}

/// Everything verdicts hang on, as of one transaction.
#[derive(Debug)]
pub struct Book {
    rules: Rules,
    versions: Vec<PolicyVersion>,
    all_holds: Vec<Hold>,
    all_events: Vec<Event>,
    scopes: BTreeMap<PolicyRef, Scope>,
    words: BTreeMap<PolicyRef, PolicyWords>,
    protected: BTreeMap<HoldNo, Protected>,
    hold_words: BTreeMap<HoldNo, HoldWords>,
    labels: HashMap<LabelTarget, Vec<LabelSpan>>,
    floors: HashMap<MessageNo, MessageFloor>,
    imports: HashMap<ImportNo, Taken>,
    conversations: HashMap<ConversationNo, ConversationRow>,
    epochs: Epochs,
    last: MessageNo,
}

impl Book {
    /// Reads the rules. `names` must know everybody (the scope that sees everything); dates of
    /// scopes were made absolute when they were accepted, so no clock is asked.
    ///
    /// # Errors
    /// `ScopeBroken` when a stored scope of a hold that still protects no longer reads as it did:
    /// nothing may be destroyed then.
    pub fn load(archive: &Archive, rows: &Rows, names: &dyn Directory) -> Result<Book> {
        let mut book = Book {
            rules: Rules::default(),
            versions: Vec::new(),
            all_holds: Vec::new(),
            all_events: rows.events()?.into_iter().map(|row| row.event).collect(),
            scopes: BTreeMap::new(),
            words: BTreeMap::new(),
            protected: BTreeMap::new(),
            hold_words: BTreeMap::new(),
            labels: HashMap::new(),
            floors: rows.message_floors()?.into_iter().collect(),
            imports: HashMap::new(),
            conversations: HashMap::new(),
            epochs: rows.epochs()?,
            last: rows.last_message()?,
        };
        for row in rows.conversations()? {
            book.conversations.insert(row.no, row);
        }
        book.load_imports(rows)?;
        book.load_labels(rows)?;
        book.load_policies(archive, rows, names)?;
        book.load_holds(archive, rows, names)?;
        book.bind();
        Ok(book)
    }

    fn load_imports(&mut self, rows: &Rows) -> Result<()> {
        let trust: HashMap<ImportNo, SourceTrust> = rows.import_trust()?.into_iter().collect();
        for row in rows.imports()? {
            let taken = Taken {
                ended: row.ended,
                trust: trust
                    .get(&row.no)
                    .copied()
                    .unwrap_or(SourceTrust::PersonFile),
            };
            self.imports.insert(row.no, taken);
        }
        Ok(())
    }

    fn load_labels(&mut self, rows: &Rows) -> Result<()> {
        for row in rows.label_spans()? {
            self.labels.entry(row.target).or_default().push(LabelSpan {
                label: row.label,
                from: row.applied,
                until: row.ended.map_or(Timestamp::NEVER, |(at, _)| at),
                own: matches!(row.target, LabelTarget::Message(_)),
            });
        }
        Ok(())
    }

    fn load_policies(
        &mut self,
        archive: &Archive,
        rows: &Rows,
        names: &dyn Directory,
    ) -> Result<()> {
        for row in rows.policy_versions()? {
            let version = row.version;
            let words = PolicyWords::from_texts(archive.open_texts(rows, row.text_no)?)?;
            if version.state != PolicyState::Draft {
                let context = stored_context(Purpose::PolicyScope, version.zone);
                let what = format!("policy {}, version {}", version.id.no, version.id.version);
                let scope = Scope::stored(&words.scope, names, &context, &what, false)?;
                self.scopes.insert(version.id, scope);
                self.versions.push(version);
            }
            self.words.insert(version.id, words);
        }
        Ok(())
    }

    fn load_holds(&mut self, archive: &Archive, rows: &Rows, names: &dyn Directory) -> Result<()> {
        let custodians = Custodians::load(rows)?;
        for row in rows.holds()? {
            let hold = row.hold;
            let words = HoldWords::from_texts(archive.open_texts(rows, row.text_no)?)?;
            let all = self.conversations.values();
            let protected = match hold.scope {
                HoldScope::Ids => Protected::Ids(rows.hold_items(hold.no)?.into_iter().collect()),
                HoldScope::Conversation(no) => Protected::Conversations(BTreeSet::from([no])),
                HoldScope::Account(account) => Protected::Conversations(
                    all.filter(|row| row.account == Some(account))
                        .map(|row| row.no)
                        .collect(),
                ),
                HoldScope::Custodian(person) => {
                    Protected::Conversations(custodians.conversations_of(person))
                }
                HoldScope::Query => {
                    let context = stored_context(Purpose::HoldScope, Tz::UTC);
                    let what = format!("hold {}", hold.no);
                    let strict = hold.release.is_none();
                    let scope = Scope::stored(&words.query, names, &context, &what, strict)?;
                    Protected::Query(Box::new(scope))
                }
            };
            self.protected.insert(hold.no, protected);
            self.hold_words.insert(hold.no, words);
            self.all_holds.push(hold);
        }
        Ok(())
    }

    fn bind(&mut self) {
        self.rules = Rules::new(&self.versions, &self.all_holds, &self.all_events);
    }

    /// Tries a version out: adds it as if it had been enabled at `from`, in the place of the other
    /// versions of its policy. Only for simulations.
    pub fn try_policy(&mut self, version: PolicyVersion, scope: Scope, from: Timestamp) {
        let newest = self
            .versions
            .iter()
            .filter(|other| other.id.no == version.id.no)
            .map(|other| other.id.version)
            .max()
            .unwrap_or(0);
        let id = PolicyRef {
            no: version.id.no,
            version: version.id.version.max(newest.saturating_add(1)),
        };
        self.scopes.insert(id, scope);
        self.versions.push(PolicyVersion {
            id,
            state: PolicyState::Enabled,
            valid_from: from,
            ..version
        });
        self.bind();
    }

    /// Tries out what ends when a hold is released and its grace is over. Only for simulations.
    pub fn try_without_hold(&mut self, hold: HoldNo) {
        self.all_holds.retain(|other| other.no != hold);
        self.bind();
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The counters as of the transaction.
    pub fn epochs(&self) -> Epochs {
        self.epochs
    }

    /// The largest message number as of the transaction.
    pub fn last_message(&self) -> MessageNo {
        self.last
    }

    /// The words of a version, drafts too.
    pub fn policy_words(&self, policy: PolicyRef) -> Option<&PolicyWords> {
        self.words.get(&policy)
    }

    /// The scope of a version that is no draft.
    pub fn policy_scope(&self, policy: PolicyRef) -> Option<&Scope> {
        self.scopes.get(&policy)
    }

    /// The words of a hold.
    pub fn hold_words(&self, hold: HoldNo) -> Option<&HoldWords> {
        self.hold_words.get(&hold)
    }

    /// A conversation as of the transaction.
    pub fn conversation(&self, no: ConversationNo) -> Result<&ConversationRow> {
        self.conversations
            .get(&no)
            .ok_or_else(|| RetentionError::NotFound(format!("conversation {no}")))
    }

    /// The scope of a place in the rules, where it is a query.
    pub(super) fn query_of(&self, scope: ScopeRef) -> Option<&Scope> {
        match scope {
            ScopeRef::Term(place) => self.scopes.get(&self.rules.terms()[place].version.id),
            ScopeRef::Hold(place) => match self.protected_by(place)? {
                Protected::Query(scope) => Some(scope),
                _ => None,
            },
        }
    }

    pub(super) fn protected_by(&self, place: usize) -> Option<&Protected> {
        self.protected.get(&self.rules.holds()[place].no)
    }

    /// The facts of a message, its labels gathered in `labels`. `now` stands for the end of an
    /// import that still runs.
    pub fn facts<'l>(
        &self,
        row: &MessageRow,
        now: Timestamp,
        labels: &'l mut Vec<LabelSpan>,
    ) -> Result<Facts<'l>> {
        let conversation = self.conversation(row.conversation)?;
        let taken = self
            .imports
            .get(&row.import)
            .ok_or_else(|| RetentionError::NotFound(format!("import {}", row.import)))?;
        labels.clear();
        if !self.labels.is_empty() {
            for target in [
                LabelTarget::Message(row.no),
                LabelTarget::Conversation(row.conversation),
            ] {
                labels.extend(self.labels.get(&target).into_iter().flatten());
            }
        }
        let floor = match self.floors.is_empty() {
            true => MessageFloor::default(),
            false => self.floors.get(&row.no).copied().unwrap_or_default(),
        };
        Ok(Facts {
            no: row.no,
            conversation: row.conversation,
            account: conversation.account,
            sent: row.sent,
            // While an import runs its messages are as young as can be: late, never early.
            ingested: taken.ended.unwrap_or(now),
            trust: taken.trust,
            last_activity: conversation.span.map_or(row.sent, |span| span.last),
            labels,
            locked_until: floor.locked_until,
            extended_until: floor.extended_until,
        })
    }
}

fn stored_context(purpose: Purpose, zone: Tz) -> ScopeContext<'static> {
    ScopeContext {
        purpose,
        zone,
        now: Timestamp(0),
        accepted: &[],
    }
}

/// Who takes part where.
struct Custodians {
    handles: HashMap<HandleNo, PersonNo>,
    participants: Vec<(ConversationNo, HandleNo)>,
}

impl Custodians {
    fn load(rows: &Rows) -> Result<Custodians> {
        Ok(Custodians {
            handles: rows
                .handles()?
                .into_iter()
                .map(|row| (row.no, row.person))
                .collect(),
            participants: rows.participants()?,
        })
    }

    /// Every conversation a person writes in or is present in: one record, many custodians.
    fn conversations_of(&self, person: PersonNo) -> BTreeSet<ConversationNo> {
        self.participants
            .iter()
            .filter(|(_, handle)| self.handles.get(handle) == Some(&person))
            .map(|(conversation, _)| *conversation)
            .collect()
    }
}
