//! Stories that are lawful, and stories that break one rule each.

use super::super::super::entry::{AuthStrength, Draft};
use super::*;

struct Story(Vec<Entry>);

impl Story {
    /// A store with an administrator, a lawyer and an auditor.
    fn begun() -> Self {
        let mut story = Story(Vec::new());
        story.add(Draft::new(EntryActor::system(), Action::StoreCreate, "r"));
        story.user(EntryActor::system(), "usr_admin", Role::Administrator);
        story.user(
            by("usr_admin", Role::Administrator),
            "usr_law",
            Role::Lawyer,
        );
        story.user(
            by("usr_admin", Role::Administrator),
            "usr_aud",
            Role::Auditor,
        );
        story
    }

    fn user(&mut self, actor: EntryActor, id: &str, role: Role) {
        self.add(
            Draft::new(actor, Action::UserAdd, "r")
                .object(id)
                .word("role", role.name()),
        );
    }

    fn add(&mut self, draft: Draft) {
        let seq = self.0.len() as u64;
        self.0.push(Entry {
            seq: EntryNo(seq),
            t_c: Timestamp(seq as i64),
            wall: Timestamp(seq as i64),
            payload_commit: [0; 32],
            draft,
        });
    }

    /// Violations of the whole story by entry.
    fn wrong(&self) -> Vec<(u64, String)> {
        let mut replay = Replay::new();
        self.0.iter().for_each(|entry| replay.take(entry));
        let found = replay.violations().iter();
        found
            .map(|violation| (violation.seq.0, violation.what.clone()))
            .collect()
    }

    fn check(&self, expected: &str) {
        let wrong = self.wrong();
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert_eq!(wrong[0].0, self.0.len() as u64 - 1);
        assert!(wrong[0].1.contains(expected), "{wrong:?}");
    }
}

fn by(id: &str, role: Role) -> EntryActor {
    EntryActor {
        id: id.to_owned(),
        role: Some(role),
        login: Some("s1".to_owned()),
        auth_strength: AuthStrength::Password,
    }
}

fn view(actor: EntryActor) -> Draft {
    Draft::new(actor, Action::ContentView, "r").object("msg_1")
}

fn import(seen: u64, fresh: u64) -> Draft {
    Draft::new(by("usr_law", Role::Lawyer), Action::ImportOutcome, "r")
        .object("imp_1")
        .count("seen", seen)
        .count("fresh", fresh)
        .count("known", 2)
        .count("revised", 1)
        .count("rejected", 0)
        .count("notes", 0)
}

#[test]
fn a_lawful_story_breaks_no_rule() {
    let mut story = Story::begun();
    story.add(view(by("usr_law", Role::Lawyer)));
    story.add(Draft::new(by("usr_law", Role::Lawyer), Action::ImportIntent, "r").object("imp_1"));
    story.add(import(10, 7));
    story.add(view(by("usr_admin", Role::Administrator)).result(Outcome::Refused));
    assert_eq!(story.wrong(), []);
    let mut replay = Replay::new();
    story.0.iter().for_each(|entry| replay.take(entry));
    assert_eq!(replay.conservation().live(), 7);
    assert!(replay.open_intents().is_empty());
}

#[test]
fn a2_a_view_without_the_right_is_found() {
    let mut story = Story::begun();
    story.add(view(by("usr_admin", Role::Administrator)));
    story.check("no right");
    let mut story = Story::begun();
    story.add(view(by("usr_aud", Role::Lawyer)));
    story.check("whose role was auditor");
    let mut story = Story::begun();
    story.add(view(EntryActor::system()));
    story.check("reads no content");
    let mut story = Story::begun();
    story.add(view(by("usr_ghost", Role::Lawyer)));
    story.check("never added");
}

#[test]
fn a2_the_role_at_that_time_counts() {
    let mut story = Story::begun();
    story.add(view(by("usr_law", Role::Lawyer)));
    let change = Draft::new(by("usr_admin", Role::Administrator), Action::UserRole, "r");
    story.add(change.object("usr_law").word("role", "auditor"));
    assert_eq!(story.wrong(), []);
    story.add(view(by("usr_law", Role::Lawyer)));
    story.check("whose role was auditor then");
}

#[test]
fn a2_a_disabled_user_does_nothing() {
    let mut story = Story::begun();
    let disable = Draft::new(
        by("usr_admin", Role::Administrator),
        Action::UserDisable,
        "r",
    );
    story.add(disable.object("usr_law"));
    story.add(Draft::new(by("usr_law", Role::Lawyer), Action::Login, "r"));
    story.check("disabled");
}

#[test]
fn a2_a_role_given_by_somebody_without_the_right_is_found() {
    let mut story = Story::begun();
    let change = Draft::new(by("usr_law", Role::Lawyer), Action::UserRole, "r");
    story.add(change.object("usr_law").word("role", "administrator"));
    story.check("no right");
}

#[test]
fn an_import_that_lost_a_message_is_found() {
    let mut story = Story::begun();
    story.add(Draft::new(by("usr_law", Role::Lawyer), Action::ImportIntent, "r").object("imp_1"));
    story.add(import(11, 7));
    story.check("saw 11 messages and accounts for 10");
}

#[test]
fn a8_an_outcome_needs_its_intent_and_an_open_intent_is_shown() {
    let mut story = Story::begun();
    story.add(import(10, 7));
    story.check("without an intent");
    let mut story = Story::begun();
    story.add(Draft::new(by("usr_law", Role::Lawyer), Action::ImportIntent, "r").object("imp_1"));
    let mut replay = Replay::new();
    story.0.iter().for_each(|entry| replay.take(entry));
    assert_eq!(replay.open_intents(), [EntryNo(4)]);
}

#[test]
fn a8_messages_that_left_without_an_intent_are_found() {
    let act = |action: Action| Draft::new(by("usr_law", Role::Lawyer), action, "r").object("exp_1");
    let mut story = Story::begun();
    story.add(act(Action::ExportMade));
    story.check("without an intent");
    let mut story = Story::begun();
    story.add(act(Action::ExportIntent));
    story.add(act(Action::ExportMade));
    story.add(act(Action::ExportOutcome));
    assert_eq!(story.wrong(), []);
    story.add(act(Action::ExportMade));
    story.check("without an intent");
    let mut story = Story::begun();
    story.add(Draft::new(by("usr_aud", Role::Auditor), Action::ExportIntent, "r").object("exp_1"));
    story.check("has no right");
}

#[test]
fn a2_time_that_goes_back_and_a_wrong_place_are_found() {
    let mut story = Story::begun();
    story.add(view(by("usr_law", Role::Lawyer)));
    story.0[4].t_c = Timestamp(1);
    story.check("goes back");
    let mut story = Story::begun();
    story.add(view(by("usr_law", Role::Lawyer)));
    story.0[4].seq = EntryNo(9);
    assert_eq!(story.wrong().len(), 1);
}

fn law() -> EntryActor {
    by("usr_law", Role::Lawyer)
}

fn officer() -> EntryActor {
    by("usr_rec", Role::RecordsOfficer)
}

/// A list of one message that a lawyer approved, up to its intent.
fn approved() -> Story {
    let mut story = Story::begun();
    let admin = by("usr_admin", Role::Administrator);
    story.user(admin, "usr_rec", Role::RecordsOfficer);
    story.add(Draft::new(law(), Action::ImportIntent, "r").object("imp_1"));
    story.add(import(10, 7));
    story.add(
        Draft::new(officer(), Action::DispositionPlan, "r")
            .object("batch-1")
            .object("msg_1")
            .count("items", 1)
            .count("reviewers", 1)
            .count("recall", 0)
            .word("root", "00"),
    );
    let review = Draft::new(law(), Action::DispositionReview, "r").object("batch-1");
    story.add(review.word("act", "approve"));
    story.add(
        Draft::new(officer(), Action::EraseIntent, "r")
            .object("batch-1")
            .count("items", 1)
            .count("approvals", 1)
            .word("ids_root", "00"),
    );
    story
}

fn slice(holds: &[String]) -> Draft {
    Draft::new(officer(), Action::EraseSlice, "r")
        .object("batch-1")
        .object("msg_1")
        .holds(holds)
        .count("erased", 1)
        .count("dropped", 0)
}

fn hold(nth: usize) -> String {
    format!("hld_{nth:026}")
}

#[test]
fn a2_more_holds_than_an_entry_lists_are_judged_by_their_root() {
    let all: Vec<String> = (0..40).map(hold).collect();
    let mut story = approved();
    for hold in all.iter().rev() {
        story.add(Draft::new(law(), Action::HoldPlace, "r").object(hold));
    }
    story.add(slice(&all));
    assert!(story.0.last().expect("one").draft.hold_versions.is_empty());
    assert_eq!(story.wrong(), []);
    story.0.pop();
    story.add(slice(&all[1..]));
    story.check("by other holds than those open then");
}

#[test]
fn a2_after_a_restore_holds_stand_as_the_escrow_says() {
    let host = EntryActor::system;
    let restored = |carried: &[Draft]| {
        let mut story = Story::begun();
        story.add(Draft::new(law(), Action::HoldPlace, "r").object(hold(1)));
        let restore = Draft::new(host(), Action::BackupRestore, "restore");
        story.add(restore.object("bak_1").count("disposed", 0));
        carried.iter().for_each(|draft| story.add(draft.clone()));
        story
    };
    let carry = |nth| Draft::new(host(), Action::HoldCarry, "restore").object(hold(nth));
    // One that came after the backup protects, one that was released since no longer does.
    let mut story = restored(&[carry(1).instant("until", Timestamp(1)), carry(2)]);
    assert_eq!(story.wrong(), []);
    let mut early = restored(&[carry(1).instant("until", Timestamp(1)), carry(2)]);
    early.add(slice(&[]));
    let wrong = early.wrong();
    assert!(
        wrong.iter().any(|(_, what)| what.contains(&hold(2))),
        "{wrong:?}"
    );
    assert!(
        !wrong.iter().any(|(_, what)| what.contains(&hold(1))),
        "{wrong:?}"
    );
    assert!(
        wrong
            .iter()
            .any(|(_, what)| what.contains("before the restore was confirmed"))
    );
    // Nobody carries a hold over without a restore.
    story.add(Draft::new(host(), Action::HoldCarry, "other").object(hold(2)));
    story.check("carried over without a restore");
}

#[test]
fn m5_who_is_marked_is_let_in_by_somebody_else() {
    let root = || by("usr_admin", Role::Administrator);
    let login = |by_whom: Option<&str>| {
        let draft = Draft::new(law(), Action::Login, "r");
        match by_whom {
            Some(who) => draft.word("confirmed_by", who),
            None => draft,
        }
    };
    let marked = || {
        let mut story = Story::begun();
        let mark = Draft::new(root(), Action::UserFourEyes, "r");
        story.add(mark.object("usr_law").word("act", "set"));
        story
    };
    let confirm = |by_whom| Draft::new(by_whom, Action::LoginConfirm, "r").object("usr_law");
    let mut story = marked();
    story.add(confirm(root()));
    story.add(login(Some("usr_admin")));
    assert_eq!(story.wrong(), []);
    story.add(login(Some("usr_admin")));
    story.check("no second person let them in");
    let mut story = marked();
    story.add(login(None));
    story.check("no second person let them in");
    let mut story = marked();
    story.add(confirm(law()));
    story.check("let themselves in");
}

fn issued(action: Action, custodian: &str) -> Draft {
    Draft::new(law(), action, "r")
        .object(format!("ntc_{custodian}"))
        .object(format!("cus_{custodian}"))
        .object(hold(1))
        .word("text", "abc")
}

fn told() -> Story {
    let mut story = Story::begun();
    story.add(Draft::new(law(), Action::HoldPlace, "r").object(hold(1)));
    for (who, silent) in [("a", 0), ("quiet", 1)] {
        let add = Draft::new(law(), Action::CustodianAdd, "r");
        let add = add.object(format!("cus_{who}")).object(hold(1));
        story.add(add.count("silent", silent));
    }
    story.add(issued(Action::NoticeIssue, "a"));
    story
}

fn answered(text: &str) -> Draft {
    let mut draft = Draft::new(EntryActor::system(), Action::NoticeAcknowledge, "r")
        .object("ntc_a")
        .object("cus_a")
        .word("text", text);
    draft.on_behalf = Some("cus_a".to_owned());
    draft
}

#[test]
fn h11_a_notice_is_sent_to_who_is_named_and_answered_once_in_its_own_words() {
    let of = |action| Draft::new(law(), action, "r").object("ntc_a");
    let mut story = told();
    story.add(of(Action::NoticeRemind));
    story.add(answered("abc"));
    assert_eq!(story.wrong(), []);
    let planted = [
        (vec![issued(Action::NoticeIssue, "quiet")], "who is silent"),
        (vec![issued(Action::NoticeIssue, "ghost")], "never named"),
        (vec![issued(Action::NoticeRelease, "a")], "which stands"),
        (vec![answered("other")], "in other words"),
        (vec![answered("abc"), answered("abc")], "answered twice"),
        (
            vec![answered("abc"), of(Action::NoticeEscalate)],
            "was answered before",
        ),
        (
            vec![of(Action::NoticeWithdraw), answered("abc")],
            "was called back before",
        ),
    ];
    for (acts, what) in planted {
        let mut story = told();
        acts.into_iter().for_each(|act| story.add(act));
        let wrong = story.wrong();
        assert!(
            wrong.iter().any(|(_, wrong)| wrong.contains(what)),
            "{what}: {wrong:?}"
        );
    }
    // Who may not place a hold issues none.
    let mut story = told();
    let mut by_auditor = issued(Action::NoticeIssue, "a");
    by_auditor.actor = by("usr_aud", Role::Auditor);
    story.add(by_auditor);
    let wrong = story.wrong();
    assert!(
        wrong.iter().any(|(_, wrong)| wrong.contains("no right")),
        "{wrong:?}"
    );
}

#[test]
fn a2_certificates_have_no_gap_but_for_those_a_restore_skips() {
    let outcome = |number| {
        Draft::new(officer(), Action::EraseOutcome, "r")
            .object("batch-1")
            .count("certificate", number)
            .count("erased", 1)
            .count("dropped", 0)
    };
    let mut story = approved();
    story.add(slice(&[]));
    story.add(outcome(1));
    assert_eq!(story.wrong(), []);
    story.0.pop();
    story.add(outcome(4));
    story.check("certificate 4 follows 0");
    // What the escrow knew of is not given out again.
    let restore = Draft::new(EntryActor::system(), Action::BackupRestore, "restore")
        .object("bak_1")
        .count("certificates", 3)
        .count("disposed", 0);
    story.0.pop();
    story.add(restore);
    story.add(outcome(4));
    assert_eq!(story.wrong(), []);
    story.0.pop();
    story.add(outcome(1));
    story.check("certificate 1 follows 3");
}

#[test]
fn a2_a_clock_that_one_person_advanced_is_found() {
    let claim = |actor, action| Draft::new(actor, action, "r").word("claim", 1);
    let mut story = approved();
    story.add(claim(law(), Action::ClockAdvanceRequest));
    story.add(claim(officer(), Action::ClockAdvance));
    assert_eq!(story.wrong(), []);
    story.add(claim(officer(), Action::ClockAdvance));
    story.check("nobody claimed before");
    let mut story = approved();
    story.add(claim(law(), Action::ClockAdvanceRequest));
    story.add(claim(law(), Action::ClockAdvance));
    story.check("one person alone, usr_law, advanced the clock");
}

#[test]
fn a_log_begins_with_its_store() {
    let mut story = Story(Vec::new());
    story.add(Draft::new(EntryActor::system(), Action::StoreOpen, "r"));
    story.check("does not begin");
}
