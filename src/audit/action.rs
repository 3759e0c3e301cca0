//! What was done: the closed list of acts in the log, and the right each of them needs.

use crate::domain::Right;

/// How an act relates to the state it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// One entry tells it all: it stands in the transaction of the change itself.
    Whole,
    /// Something long begins; an outcome with the same first object must follow.
    Intent,
    /// It ended, well or not.
    Outcome,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $right:expr, $phase:ident;)*) => {
        /// An act. The text is in the log for ever and never changes its meaning.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $name,)*
            /// An act of a newer program; it is counted and proved, and not judged.
            Other(String),
        }

        impl Action {
            /// Every act this program knows.
            pub const ALL: &'static [Action] = &[$(Action::$name,)*];

            /// The text in the log.
            pub fn name(&self) -> &str {
                match self {
                    $(Action::$name => $text,)*
                    Action::Other(name) => name,
                }
            }

            /// The right somebody needs to do it; `None` when everybody known may.
            pub const fn right(&self) -> Option<Right> {
                match self {
                    $(Action::$name => $right,)*
                    Action::Other(_) => None,
                }
            }

            /// How it relates to the state it changes.
            pub const fn phase(&self) -> Phase {
                match self {
                    $(Action::$name => Phase::$phase,)*
                    Action::Other(_) => Phase::Whole,
                }
            }

            /// The act of a text; an unknown one is [`Action::Other`].
            pub fn from_name(name: &str) -> Action {
                match name {
                    $($text => Action::$name,)*
                    other => Action::Other(other.to_owned()),
                }
            }
        }
    };
}

actions! {
    /// The data directory was made. First entry of every log.
    StoreCreate = "store.create", None, Whole;
    /// It was opened by a process.
    StoreOpen = "store.open", None, Whole;
    /// It was closed in order.
    StoreClose = "store.close", None, Whole;
    /// Somebody logged in.
    Login = "login", None, Whole;
    /// Somebody asked for what their role does not carry; only refusals are logged.
    AccessAsk = "access.ask", None, Whole;
    /// Somebody logged out.
    Logout = "logout", None, Whole;
    /// A person who is signed in gave their password again: object = user.
    LoginProve = "login.prove", None, Whole;
    /// Somebody was recognised whose log-in opens only before four eyes, and waits: object = user.
    LoginWait = "login.wait", None, Whole;
    /// A second person let a log-in in: object = user. The `login` that follows says `confirmed_by`.
    LoginConfirm = "login.confirm", None, Whole;
    /// A second person refused a log-in that waited: object = user.
    LoginDeny = "login.deny", None, Whole;
    /// A link was made that signs somebody in once: object = user.
    LoginLink = "login.link", None, Whole;
    /// A token was made with which the first administrator can be added.
    SetupOffer = "setup.offer", None, Whole;
    /// Somebody has a second factor from now on: object = user.
    FactorAdd = "factor.add", None, Whole;
    /// Somebody has none any more: object = user.
    FactorRemove = "factor.remove", None, Whole;
    /// A token for a program was made: objects = token, user; facts: days, scopes (one word).
    TokenCreate = "token.create", None, Whole;
    /// It was ended: objects = token, user.
    TokenRevoke = "token.revoke", None, Whole;
    /// A user was added: object = user, facts: role.
    UserAdd = "user.add", Some(Right::ManageUsers), Whole;
    /// A user got another role: object = user, facts: role.
    UserRole = "user.role", Some(Right::ManageUsers), Whole;
    /// A user may no longer log in: object = user.
    UserDisable = "user.disable", Some(Right::ManageUsers), Whole;
    /// A user may log in again: object = user.
    UserEnable = "user.enable", Some(Right::ManageUsers), Whole;
    /// A user got another password, and every other log-in of theirs ended: object = user; facts:
    /// way = `own`, `reset` or `break-glass`.
    UserPassword = "user.password", None, Whole;
    /// What a user may see was changed: object = user; facts: everything (0 or 1), conversations,
    /// accounts, denied.
    UserGrant = "user.grant", Some(Right::ManageUsers), Whole;
    /// The log-ins of a user, or of everybody in a role, open only before four eyes, or no longer: object
    /// = user, or facts: role; act = `set` or `remove`, second (who has to confirm).
    UserFourEyes = "user.four-eyes", Some(Right::ManageUsers), Whole;
    /// What a directory tells was taken over: facts: new, changed, left, refused. The entries of the
    /// users say `way` = `directory`.
    DirectorySync = "directory.sync", Some(Right::SyncDirectory), Whole;
    /// Somebody at the provider of single sign-on is a user from now on: object = user; facts: way =
    /// `sso` (at their first sign-in) or `administrator`.
    UserBind = "user.bind", Some(Right::ManageUsers), Whole;
    /// Somebody signed in at the provider to see what it says of them: facts: claims.
    ProviderTest = "provider.test", Some(Right::ManageUsers), Whole;
    /// A search was answered: facts: hits, query_commit, ids_root.
    ContentSearch = "content.search", Some(Right::ReadContent), Whole;
    /// Messages were shown: objects = messages or conversations.
    ContentView = "content.view", Some(Right::ReadContent), Whole;
    /// Messages leave the house: begun.
    ExportIntent = "export.intent", Some(Right::Export), Intent;
    /// The messages were written out and are about to be signed: object = export, facts: messages,
    /// files_digest, messages_root. The bundle proves that this entry is in the log.
    ExportMade = "export.made", Some(Right::Export), Whole;
    /// Messages left the house, or did not.
    ExportOutcome = "export.outcome", None, Outcome;
    /// A staged export was fetched by whoever made it: object = export, facts: bytes.
    ExportTake = "export.take", Some(Right::Export), Whole;
    /// An import began: object = import.
    ImportIntent = "import.intent", Some(Right::Import), Intent;
    /// A batch of it was admitted: object = import, facts: first_no, count.
    ImportBatch = "import.batch", Some(Right::Import), Whole;
    /// An import ended: object = import, facts: seen, fresh, known, revised, rejected, notes.
    ImportOutcome = "import.outcome", None, Outcome;
    /// The log was read.
    LogRead = "log.read", Some(Right::ReadAudit), Whole;
    /// The log was exported.
    LogExport = "log.export", Some(Right::ReadAudit), Whole;
    /// What was typed in a year can no longer be read, its keys are destroyed: facts: year, keys,
    /// generation.
    PayloadPrune = "payload.prune", Some(Right::RequestDisposition), Whole;
    /// The first entries of the log are no longer kept: facts: entries (so many), root (over them),
    /// until (compliance time of the last), beginning (SHA-256 of what stands in their stead).
    LogPrune = "log.prune", Some(Right::RequestDisposition), Whole;
    /// The verifier ran: facts: problems.
    VerifyRun = "verify.run", Some(Right::Verify), Whole;
    /// A slot was added.
    SlotAdd = "slot.add", Some(Right::ManageKeys), Whole;
    /// A slot was removed.
    SlotRemove = "slot.remove", Some(Right::ManageKeys), Whole;
    /// Keys were rotated: facts: generation.
    KeyRotate = "key.rotate", Some(Right::ManageKeys), Whole;
    /// A recovery key was made: facts: key (its name).
    RecoveryCreate = "recovery.create", Some(Right::ManageKeys), Whole;
    /// A recovery key was typed in again: facts: key (its name).
    RecoveryTest = "recovery.test", Some(Right::ManageKeys), Whole;
    /// A backup began: object = backup.
    BackupIntent = "backup.intent", Some(Right::ManageKeys), Intent;
    /// A backup ended: object = backup, facts: messages, bytes, manifest.
    BackupOutcome = "backup.outcome", None, Outcome;
    /// The escrow was replaced: facts: targets, unreached, backups.
    EscrowReplace = "escrow.replace", Some(Right::ManageKeys), Whole;
    /// A backup is no longer kept, its key is destroyed: object = backup.
    BackupForget = "backup.forget", Some(Right::ManageKeys), Whole;
    /// The data directory was made from a backup: object = backup, facts: disposed (messages whose
    /// keys were destroyed since the backup), packs, log_size (entries of the log in the backup),
    /// certificates (the last number that may be taken).
    BackupRestore = "backup.restore", None, Whole;
    /// Somebody confirmed a restored data directory: destruction may go on.
    RestoreConfirm = "restore.confirm", Some(Right::ConfirmRestore), Whole;
    /// The search index was rebuilt.
    IndexRebuild = "index.rebuild", Some(Right::MaintainIndex), Whole;
    /// A batch of messages is to be destroyed: object = batch, facts: items, approvals, ids_root.
    EraseIntent = "erase.intent", Some(Right::RequestDisposition), Intent;
    /// A slice of it was decided: objects = batch, then what was destroyed; hold_versions = every
    /// hold that was open; facts: erased, dropped, generation.
    EraseSlice = "erase.slice", Some(Right::RequestDisposition), Whole;
    /// It was certified: object = batch, facts: certificate, erased, dropped, items_root.
    EraseOutcome = "erase.outcome", Some(Right::RequestDisposition), Outcome;
    /// A matter was opened: object = matter.
    MatterOpen = "matter.open", Some(Right::PlaceHolds), Whole;
    /// A matter was closed: object = matter.
    MatterClose = "matter.close", Some(Right::PlaceHolds), Whole;
    /// A hold was placed and protects from here on: objects = hold, then the messages it names;
    /// matter, facts: kind, items.
    HoldPlace = "hold.place", Some(Right::PlaceHolds), Whole;
    /// The release of a hold was asked for: object = hold.
    HoldReleaseRequest = "hold.release.request", Some(Right::ReleaseHolds), Whole;
    /// A second person agreed to the release: object = hold, facts: requested_by, grace_days, until,
    /// purgeable (messages that then may go).
    HoldRelease = "hold.release", Some(Right::ReleaseHolds), Whole;
    /// How a hold stands in a record that was restored: object = hold, facts: until and requested_by
    /// where its release was asked for. Same request as the `backup.restore` before it.
    HoldCarry = "hold.carry", None, Whole;
    /// Somebody was named with a hold: objects = custodian, hold; facts: language, silent (0 or 1).
    CustodianAdd = "custodian.add", Some(Right::PlaceHolds), Whole;
    /// What is known of them was corrected: objects and facts as of `custodian.add`.
    CustodianChange = "custodian.change", Some(Right::PlaceHolds), Whole;
    /// A version of a template was written: facts: kind, language, version, text (digest of its words).
    NoticeTemplate = "notice.template", Some(Right::PlaceHolds), Whole;
    /// A notice was issued: objects = notice, custodian, hold; facts: language, version, text (digest of
    /// the words).
    NoticeIssue = "notice.issue", Some(Right::PlaceHolds), Whole;
    /// A custodian was told that the hold is released: objects and facts as of `notice.issue`.
    NoticeRelease = "notice.release", Some(Right::ReleaseHolds), Whole;
    /// A letter with a link was made: object = notice.
    NoticeLetter = "notice.letter", Some(Right::PlaceHolds), Whole;
    /// A notice was opened by its link: object = notice, on behalf of its custodian.
    NoticeOpen = "notice.open", None, Whole;
    /// Time passed without an answer: object = notice, facts: next = `reminder` or `escalation`.
    NoticeDue = "notice.due", None, Whole;
    /// A custodian was reminded: object = notice.
    NoticeRemind = "notice.remind", Some(Right::PlaceHolds), Whole;
    /// Their manager was told: object = notice.
    NoticeEscalate = "notice.escalate", Some(Right::PlaceHolds), Whole;
    /// A custodian confirmed a notice by its link: objects = notice, custodian, on behalf of the
    /// custodian; facts: text (digest of the words that were shown).
    NoticeAcknowledge = "notice.acknowledge", None, Whole;
    /// A lawyer wrote down that they did: objects and facts as of `notice.acknowledge`.
    NoticeAcknowledgeFor = "notice.acknowledge.for", Some(Right::PlaceHolds), Whole;
    /// A notice was called back, and its link with it: object = notice.
    NoticeWithdraw = "notice.withdraw", Some(Right::PlaceHolds), Whole;
    /// A label was made: object = label.
    LabelCreate = "label.create", Some(Right::MarkRecords), Whole;
    /// A label was put on records: objects = label, then message or conversation.
    LabelApply = "label.apply", Some(Right::MarkRecords), Whole;
    /// Records lost their label: object = message or conversation.
    LabelRemove = "label.remove", Some(Right::MarkRecords), Whole;
    /// An event was recorded: facts: event, key, at.
    EventRecord = "event.record", Some(Right::MarkRecords), Whole;
    /// All destruction was stopped: facts: freeze, why.
    FreezeSet = "freeze.set", None, Whole;
    /// Somebody asked to let it go on: facts: freeze.
    FreezeLiftRequest = "freeze.lift.request", Some(Right::Freeze), Whole;
    /// A second person agreed: facts: freeze, requested_by.
    FreezeLift = "freeze.lift", Some(Right::Freeze), Whole;
    /// Rules, or the verdict on a record, were looked at.
    RulesRead = "rules.read", Some(Right::ReadRules), Whole;
    /// A version of a policy was written: object = policy, facts: version and its terms.
    PolicyWrite = "policy.write", Some(Right::WriteRules), Whole;
    /// A version was put in force: object = policy, facts: version, its terms, weaker, author, scope,
    /// counts_from.
    PolicyEnable = "policy.enable", Some(Right::WriteRules), Whole;
    /// A policy was ended: object = policy, facts as of `policy.enable`.
    PolicyDisable = "policy.disable", Some(Right::WriteRules), Whole;
    /// A policy was tried over the archive: object = policy, facts: version, records, eligible.
    SimulationRun = "simulation.run", Some(Right::WriteRules), Whole;
    /// What is due was put on a list: objects = batch, then the messages; policy_versions = what lets
    /// them go; facts: items, reviewers, recall, root.
    DispositionPlan = "disposition.plan", Some(Right::RequestDisposition), Whole;
    /// Somebody reviewed a list: object = batch, facts: act, message.
    DispositionReview = "disposition.review", Some(Right::ReviewDisposition), Whole;
    /// A list was called off: object = batch.
    DispositionCancel = "disposition.cancel", Some(Right::ReviewDisposition), Whole;
    /// A certificate was made: object = batch, facts: certificate, digest.
    CertificateMake = "certificate.make", Some(Right::RequestDisposition), Whole;
    /// The clock goes on: written every hour and at each jump, facts: jump (microseconds) if any.
    ClockHeartbeat = "clock.heartbeat", None, Whole;
    /// A person's request for erasure was recorded: object = request, facts: items, due, restricted.
    ErasureAdd = "erasure.add", Some(Right::HandleRequests), Whole;
    /// Somebody decided on items of it: object = request, facts: act, items.
    ErasureDecide = "erasure.decide", Some(Right::HandleRequests), Whole;
    /// Its items came up again by themselves: object = request, facts: due, erased, restricted.
    ErasureProgress = "erasure.progress", None, Whole;
    /// Somebody said how much time has passed: facts: proven (seconds since 1970).
    ClockAdvanceRequest = "clock.advance.request", Some(Right::AdvanceClock), Whole;
    /// A second person agreed: facts: proven, requested_by.
    ClockAdvance = "clock.advance", Some(Right::AdvanceClock), Whole;
    /// A backup was restored for trial: object = backup, facts: sound, millis, report (digest).
    BackupDrill = "backup.drill", Some(Right::ManageKeys), Whole;
    /// Compliance locks were written down with the messages they keep: facts: messages.
    LockRecord = "lock.record", None, Whole;
    /// The configuration was changed: facts: what = `sso`, act = `set` or `remove`, and of a provider
    /// that was set: only (whether passwords are refused), groups (how many give a role).
    ConfigChange = "config.change", Some(Right::ManageUsers), Whole;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_stands_once() {
        let mut names: Vec<&str> = Action::ALL.iter().map(Action::name).collect();
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.name()), *action);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Action::ALL.len());
        assert_eq!(Action::from_name("x.y"), Action::Other("x.y".to_owned()));
    }
}
