//! Entries of the log as sentences.

use std::collections::BTreeMap;

use crate::audit::{Action, Draft, EntryActor, Fact, Outcome};

/// Who did what, in one sentence without its end.
pub(super) fn sentence(draft: &Draft, names: &BTreeMap<String, String>) -> String {
    let who = who(&draft.actor, names);
    let deed = deed(&draft.action);
    match draft.result {
        Outcome::Done => format!("{who} {deed}"),
        Outcome::Refused => format!("{who} was refused: {deed}"),
        Outcome::Failed => format!("{who} did not succeed: {deed}"),
    }
}

/// Who acted, by the name they sign in with.
pub(super) fn who(actor: &EntryActor, names: &BTreeMap<String, String>) -> String {
    let name = match names.get(&actor.id) {
        Some(login) => login.as_str(),
        None if actor.id == EntryActor::SYSTEM => "the house itself",
        None => &actor.id,
    };
    match actor.role {
        Some(role) => format!("{name} ({})", role.name()),
        None => name.to_owned(),
    }
}

/// Counts and words of an entry, by name.
pub(super) fn facts(draft: &Draft) -> Vec<(String, String)> {
    let shown = |fact: &Fact| match fact {
        Fact::Number(number) => number.to_string(),
        Fact::Word(word) => word.clone(),
    };
    draft
        .facts
        .iter()
        .map(|(name, fact)| (name.replace('_', " "), shown(fact)))
        .collect()
}

fn deed(action: &Action) -> &str {
    person_deed(action)
        .or_else(|| content_deed(action))
        .or_else(|| house_deed(action))
        .or_else(|| rule_deed(action))
        .or_else(|| notice_deed(action))
        .unwrap_or(action.name())
}

fn person_deed(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::Login => "signed in",
        Action::Logout => "signed out",
        Action::AccessAsk => "asked for what the role does not carry",
        Action::LoginProve => "gave the password again",
        Action::LoginWait => "is to let somebody in whom a second person has to confirm",
        Action::LoginConfirm => "let somebody in as the second person",
        Action::LoginDeny => "refused a log-in as the second person",
        Action::UserFourEyes => "decided who is let in only before four eyes",
        Action::DirectorySync => "took over what a directory tells",
        Action::LoginLink => "made a link that signs somebody in once",
        Action::SetupOffer => "offered the setup of the first administrator",
        Action::FactorAdd => "took a second factor into use",
        Action::FactorRemove => "removed a second factor",
        Action::TokenCreate => "made a token for a program",
        Action::TokenRevoke => "ended a token of a program",
        Action::UserAdd => "added a user",
        Action::UserRole => "gave a user another role",
        Action::UserDisable => "ended the access of a user",
        Action::UserEnable => "let a user sign in again",
        Action::UserPassword => "changed a password",
        Action::UserGrant => "changed what a user may see",
        Action::UserBind => "bound a user to somebody at the provider",
        Action::ProviderTest => "tried the provider of single sign-on",
        _ => return None,
    })
}

fn content_deed(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::ContentSearch => "searched messages",
        Action::ContentView => "looked at messages",
        Action::ExportIntent => "began an export",
        Action::ExportMade => "wrote the messages of an export",
        Action::ExportTake => "took the file of an export",
        Action::ExportOutcome => "ended an export",
        Action::ImportIntent => "began an import",
        Action::ImportBatch => "imported a batch",
        Action::ImportOutcome => "ended an import",
        Action::LogRead => "read the log",
        Action::LogExport => "exported the log",
        Action::PayloadPrune => "destroyed what was typed in a year",
        Action::LogPrune => "removed the first entries of the log",
        Action::VerifyRun => "ran the verifier",
        _ => return None,
    })
}

fn house_deed(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::StoreCreate => "made the data directory",
        Action::StoreOpen => "opened the data directory",
        Action::StoreClose => "closed the data directory",
        Action::SlotAdd => "added a way to open the data",
        Action::SlotRemove => "removed a way to open the data",
        Action::KeyRotate => "wrapped every key anew",
        Action::RecoveryCreate => "made a recovery key",
        Action::RecoveryTest => "proved a recovery key",
        Action::BackupIntent => "began a backup",
        Action::BackupOutcome => "ended a backup",
        Action::EscrowReplace => "replaced the escrow",
        Action::BackupForget => "gave a backup up",
        Action::BackupRestore => "restored a backup",
        Action::RestoreConfirm => "confirmed a restored archive",
        Action::BackupDrill => "restored a backup for trial",
        Action::IndexRebuild => "rebuilt the search index",
        Action::ClockHeartbeat => "noted the time",
        Action::ClockAdvanceRequest => "said how much time has passed",
        Action::ClockAdvance => "agreed that time has passed",
        Action::ConfigChange => "changed the configuration",
        _ => return None,
    })
}

fn notice_deed(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::CustodianAdd => "named a custodian with a hold",
        Action::CustodianChange => "corrected what is known of a custodian",
        Action::NoticeTemplate => "wrote a template of notices",
        Action::NoticeIssue => "issued a notice of a hold",
        Action::NoticeRelease => "told a custodian that a hold is released",
        Action::NoticeLetter => "made a letter with the link of a notice",
        Action::NoticeOpen => "opened a notice by its link",
        Action::NoticeDue => "noted that a notice waits for an answer too long",
        Action::NoticeRemind => "reminded a custodian",
        Action::NoticeEscalate => "told the manager of a custodian",
        Action::NoticeAcknowledge => "confirmed a notice by its link",
        Action::NoticeAcknowledgeFor => "wrote down that a custodian confirmed a notice",
        Action::NoticeWithdraw => "called a notice back",
        _ => return None,
    })
}

fn rule_deed(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::EraseIntent => "began to destroy a batch",
        Action::EraseSlice => "destroyed a part of a batch",
        Action::EraseOutcome => "ended the destruction of a batch",
        Action::MatterOpen => "opened a matter",
        Action::MatterClose => "closed a matter",
        Action::HoldPlace => "placed a hold",
        Action::HoldReleaseRequest => "asked for the release of a hold",
        Action::HoldRelease => "agreed to the release of a hold",
        Action::HoldCarry => "carried a hold over into a restored archive",
        Action::LabelCreate => "made a label",
        Action::LabelApply => "put a label on records",
        Action::LabelRemove => "took a label off records",
        Action::EventRecord => "recorded an event",
        Action::FreezeSet => "stopped all destruction",
        Action::FreezeLiftRequest => "asked to let destruction go on",
        Action::FreezeLift => "agreed to let destruction go on",
        Action::RulesRead => "looked at rules",
        Action::PolicyWrite => "wrote a policy",
        Action::PolicyEnable => "put a policy in force",
        Action::PolicyDisable => "ended a policy",
        Action::SimulationRun => "simulated a policy",
        Action::DispositionPlan => "put together what is due",
        Action::DispositionReview => "reviewed what is due",
        Action::DispositionCancel => "called a list of what is due off",
        Action::CertificateMake => "made a certificate",
        Action::ErasureAdd => "recorded a request for erasure",
        Action::ErasureDecide => "decided on a request for erasure",
        Action::ErasureProgress => "went on with a request for erasure",
        Action::LockRecord => "wrote compliance locks down",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    #[test]
    fn every_act_has_words() {
        for action in Action::ALL {
            assert_ne!(deed(action), action.name(), "{}", action.name());
        }
        assert_eq!(deed(&Action::Other("x.y".to_owned())), "x.y");
    }

    #[test]
    fn a_sentence_names_who_and_what_came_of_it() {
        let actor = EntryActor {
            id: "usr_1".to_owned(),
            role: Some(Role::Lawyer),
            ..EntryActor::system()
        };
        let names = BTreeMap::from([("usr_1".to_owned(), "ana".to_owned())]);
        let draft = Draft::new(actor, Action::ContentSearch, "r");
        assert_eq!(sentence(&draft, &names), "ana (lawyer) searched messages");
        let refused = draft.result(Outcome::Refused);
        assert_eq!(
            sentence(&refused, &names),
            "ana (lawyer) was refused: searched messages"
        );
        let house = Draft::new(EntryActor::system(), Action::ClockHeartbeat, "r");
        assert_eq!(sentence(&house, &names), "the house itself noted the time");
    }
}
