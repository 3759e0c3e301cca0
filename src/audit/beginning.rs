//! What stands in the stead of pruned entries: how many they were, the tree over them, and what the
//! story had come to by then.
//!
//! Only whole tiles of entries go, always from the first entry on. Every hash stays, so that each
//! proof that was ever given still leads to a root, and the rules are judged from here on as if the
//! entries had been read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::entry::{Draft, Entry, Outcome};
use super::error::{AuditError, Result};
use super::log::LogEnd;
use super::replay::Replay;
use crate::crypto::{DIGEST_LEN, Digest, Edge, TILE_WIDTH, hex, leaf_hash, sha256};
use crate::domain::{EntryNo, Timestamp};
use crate::store::{Rows, WriteTx};

/// Name of the file that holds it in an exported log.
pub const BEGINNING_FILE: &str = "beginning";

/// Name of the fact that holds it in the store.
const FACT: &str = "log.beginning";

/// Days since the last entry before an entry may go.
pub const PRUNE_DAYS_MIN: i64 = 365;

/// Entries read at a time.
const PAGE: u64 = 1024;

/// The log without its first entries begins here.
#[derive(Debug)]
pub struct Beginning {
    edge: Edge,
    story: Replay,
    document: Vec<u8>,
}

/// The document: canonical enough to be hashed, it is never written twice.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<S> {
    /// Roots of the perfect subtrees of the pruned entries, largest and leftmost first, in base64.
    peaks: Vec<String>,
    size: u64,
    story: S,
}

impl Beginning {
    /// What the first `size` entries come to, read from the entries that are there; `size` is a
    /// multiple of 256, and an earlier pruning went no further.
    ///
    /// # Errors
    /// `Broken` where an entry is missing or malformed, or the story so far breaks a rule: what is
    /// not sound is never pruned.
    pub fn compute(rows: &Rows, size: u64) -> Result<Self> {
        if size == 0 || size % u64::from(TILE_WIDTH) != 0 {
            return Err(AuditError::Broken(format!(
                "{size} entries are not whole tiles of {TILE_WIDTH}"
            )));
        }
        let (mut edge, mut story) = match Self::kept(rows)? {
            Some(before) => (before.edge, before.story),
            None => (Edge::new(), Replay::new()),
        };
        while edge.size() < size {
            let start = edge.size();
            for row in rows.audit_entries(EntryNo(start), EntryNo(size.min(start + PAGE)))? {
                let entry = Entry::parse(&row.entry).map_err(AuditError::Broken)?;
                edge.append(leaf_hash(&row.entry), |_| ());
                story.take(&entry);
            }
            if edge.size() == start {
                return Err(AuditError::Broken(format!("entry {start} is missing")));
            }
        }
        if let Some(violation) = story.violations().first() {
            let what = format!("entry {}: {}", violation.seq, violation.what);
            return Err(AuditError::Broken(what));
        }
        let wire = Wire {
            peaks: edge
                .peaks()
                .iter()
                .map(|peak| BASE64.encode(peak))
                .collect(),
            size,
            story: &story,
        };
        let document = serde_json::to_vec(&wire)
            .map_err(|error| AuditError::Broken(format!("the story cannot be written: {error}")))?;
        Ok(Self {
            edge,
            story,
            document,
        })
    }

    /// Reads a document; what is not one is `Broken`.
    pub fn parse(document: Vec<u8>) -> Result<Self> {
        let broken = |what: &str| AuditError::Broken(format!("{BEGINNING_FILE}: {what}"));
        let wire: Wire<Replay> =
            serde_json::from_slice(&document).map_err(|error| broken(&error.to_string()))?;
        let peaks: Option<Vec<Digest>> = wire
            .peaks
            .iter()
            .map(|peak| <[u8; DIGEST_LEN]>::try_from(BASE64.decode(peak).ok()?).ok())
            .collect();
        let edge = peaks
            .and_then(|peaks| Edge::from_peaks(wire.size, peaks))
            .ok_or_else(|| broken("its hashes do not fit its size"))?;
        let fits = wire.size > 0
            && wire.size % u64::from(TILE_WIDTH) == 0
            && wire.story.taken() == wire.size;
        match fits {
            true => Ok(Self {
                edge,
                story: wire.story,
                document,
            }),
            false => Err(broken("its story ends elsewhere than its entries")),
        }
    }

    /// The one of this log; `None` while every entry is there.
    pub fn kept(rows: &Rows) -> Result<Option<Self>> {
        rows.fact(FACT)?.map(Self::parse).transpose()
    }

    /// Writes it into the record in the stead of the one before.
    pub fn keep(&self, tx: &WriteTx<'_>) -> Result<()> {
        Ok(tx.put_fact(FACT, &self.document)?)
    }

    /// Entries that are pruned: the first that is there has this number.
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Compliance time of the last of them.
    pub fn until(&self) -> Timestamp {
        self.story.last().unwrap_or(Timestamp::ALWAYS)
    }

    /// The tree over them.
    pub const fn edge(&self) -> &Edge {
        &self.edge
    }

    /// The document, as an exported log holds it.
    pub fn document(&self) -> &[u8] {
        &self.document
    }

    /// The story from here on.
    pub(super) fn into_story(self) -> Replay {
        self.story
    }

    /// Adds to the entry of the pruning what it did: entries, root, until, beginning.
    pub fn told(&self, draft: Draft) -> Draft {
        draft
            .count("entries", self.size())
            .word("root", hex(&self.edge.root()))
            .instant("until", self.until())
            .word("beginning", self.digest())
    }

    /// SHA-256 of the document, in hex.
    pub(super) fn digest(&self) -> String {
        hex(&sha256(&self.document))
    }
}

/// Whether the entries of a log begin where they should: right behind what was pruned, and one is at
/// the end. A hole further in is found by the verifier.
pub fn check_beginning(rows: &Rows) -> Result<()> {
    let begins = Beginning::kept(rows)?.map_or(0, |beginning| beginning.size());
    let size = LogEnd::read(rows)?.edge.size();
    for seq in [begins, size.saturating_sub(1)] {
        if begins < size
            && rows
                .audit_entries(EntryNo(seq), EntryNo(seq + 1))?
                .is_empty()
        {
            return Err(AuditError::Broken(format!("entry {seq} is missing")));
        }
    }
    Ok(())
}

/// What an entry says of a pruning: how many entries, and the digest of what stands for them.
pub(super) fn pruning(entry: &Entry) -> Option<(u64, String)> {
    let done = entry.draft.action == Action::LogPrune && entry.draft.result == Outcome::Done;
    let told = (
        entry.draft.number("entries"),
        entry.draft.fact_word("beginning"),
    );
    match told {
        (Some(entries), Some(digest)) if done => Some((entries, digest.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::export;
    use super::super::entry::{AuthStrength, EntryActor};
    use super::super::testing::{Files, Scratch, checkpoint_now, draft, fill, now, signer};
    use super::super::verifier::{Pins, verify_files, verify_store};
    use super::super::{Draft, LogFiles, Payload, Verdict, append};
    use super::*;
    use crate::crypto::{Checkpoint, SeededEntropy};
    use crate::domain::Role;
    use crate::store::Store;
    use proptest::prelude::*;

    const YEAR: i64 = PRUNE_DAYS_MIN * Timestamp::MICROS_PER_DAY;

    fn officer() -> EntryActor {
        EntryActor {
            id: "usr_1".to_owned(),
            role: Some(Role::RecordsOfficer),
            login: None,
            auth_strength: AuthStrength::Password,
        }
    }

    fn write(store: &Store, at: i64, draft: Draft) {
        let tx = store.write().expect("writes");
        let payload = Payload::none(&SeededEntropy::new(at as u64));
        append(&tx, &now(at), draft, payload).expect("appends");
        tx.commit().expect("commits");
    }

    /// A store of openings and one records officer; the anchor of all of them.
    fn grown(scratch: &Scratch, entries: u64) -> (Store, Files, Checkpoint) {
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 40);
        let added = draft(Action::UserAdd)
            .object("usr_1")
            .word("role", "records-officer");
        write(&store, 40, added);
        fill(&store, entries - 41);
        let anchor = checkpoint_now(&store, &mut files);
        (store, files, anchor)
    }

    /// Prunes so many entries at an instant, told by `tell`; signs and publishes.
    fn prune(
        store: &Store,
        files: &mut Files,
        at: i64,
        entries: u64,
        tell: impl Fn(Draft) -> Draft,
    ) {
        let tx = store.write().expect("writes");
        let beginning = Beginning::compute(&tx, entries).expect("sound");
        tx.delete_audit_entries(EntryNo(entries)).expect("deletes");
        beginning.keep(&tx).expect("keeps");
        let told = beginning.told(Draft::new(officer(), Action::LogPrune, "r9"));
        let payload = Payload::none(&SeededEntropy::new(9));
        append(&tx, &now(at), tell(told), payload).expect("appends");
        tx.commit().expect("commits");
        checkpoint_now(store, files);
    }

    fn exported(store: &Store, files: &Files) -> Files {
        let mut out = Files::new();
        let rows = store.read().expect("reads");
        export(&rows, files, signer().verifier(), &mut out).expect("exports");
        out
    }

    fn pins(anchor: &Checkpoint) -> Pins {
        Pins {
            keys: vec![signer().verifier().clone()],
            anchors: vec![anchor.clone()],
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn a7_a_log_without_its_beginning_is_proved_as_before(
            entries in 300..900u64,
            tiles in prop::collection::vec(1..3u64, 1..3),
        ) {
            let scratch = Scratch::new();
            let (store, mut files, anchor) = grown(&scratch, entries);
            let mut gone = 0;
            for (nth, tiles) in (1i64..).zip(tiles) {
                if gone + tiles * 256 > entries {
                    break;
                }
                gone += tiles * 256;
                prune(&store, &mut files, entries as i64 + nth * YEAR, gone, |told| told);
            }
            let rows = store.read().expect("reads");
            let report = verify_store(&rows, &files, &pins(&anchor));
            prop_assert_eq!(&report.problems, &[]);
            prop_assert_eq!(report.verdict, Verdict::Sound);
            prop_assert_eq!((report.pruned, report.entries), (gone, report.size - gone));
            let out = exported(&store, &files);
            let report = verify_files(&out, &pins(&anchor));
            prop_assert_eq!(&report.problems, &[]);
            prop_assert_eq!((report.verdict, report.pruned), (Verdict::Sound, gone));
        }
    }

    #[test]
    fn a7_what_stands_for_the_pruned_cannot_be_changed_or_left_out() {
        let scratch = Scratch::new();
        let (store, mut files, anchor) = grown(&scratch, 600);
        prune(&store, &mut files, 600 + YEAR, 512, |told| told);
        let sound = exported(&store, &files);
        assert_eq!(verify_files(&sound, &pins(&anchor)).verdict, Verdict::Sound);
        let document = sound[BEGINNING_FILE].clone();
        for at in 0..document.len() {
            let mut forged = document.clone();
            forged[at] ^= 1;
            let mut files = sound.clone();
            files.insert(BEGINNING_FILE.to_owned(), forged);
            let verdict = verify_files(&files, &pins(&anchor)).verdict;
            assert_eq!(verdict, Verdict::Broken, "byte {at}");
        }
        for name in sound.keys() {
            let mut files = sound.clone();
            files.remove(name);
            let verdict = verify_files(&files, &pins(&anchor)).verdict;
            let lawful = name.starts_with("checkpoints/");
            assert_eq!(verdict == Verdict::Sound, lawful, "{name}");
        }
    }

    #[test]
    fn a7_a_pruning_against_the_rules_is_found() {
        let pruned = |at: i64, tell: &dyn Fn(Draft) -> Draft, before: &[Draft]| {
            let scratch = Scratch::new();
            let (store, mut files, anchor) = grown(&scratch, 600);
            for draft in before {
                write(&store, 601, draft.clone());
            }
            prune(&store, &mut files, at, 256, tell);
            let rows = store.read().expect("reads");
            let report = verify_store(&rows, &files, &pins(&anchor));
            report
                .problems
                .into_iter()
                .map(|one| one.what)
                .collect::<Vec<_>>()
        };
        let late = 600 + YEAR;
        let same = |told: Draft| told;
        assert_eq!(pruned(late, &same, &[]), Vec::<String>::new());
        let found = |at, tell: &dyn Fn(Draft) -> Draft, before: &[Draft], wanted: &str| {
            let problems = pruned(at, tell, before);
            assert!(
                problems.iter().any(|what| what.contains(wanted)),
                "{problems:?}"
            );
        };
        found(late - 600, &same, &[], "before they are 365 days old");
        found(
            late,
            &|told| told.count("entries", 512),
            &[],
            "is not what the log says",
        );
        found(
            late,
            &|told| told.word("beginning", "00"),
            &[],
            "is not what the log says",
        );
        found(late, &|_| draft(Action::StoreOpen), &[], "no entry says");
        let lawyer = |told: Draft| Draft {
            actor: EntryActor {
                role: Some(Role::Lawyer),
                ..officer()
            },
            ..told
        };
        found(late, &lawyer, &[], "whose role was records-officer");
        let freeze = Draft::new(officer(), Action::FreezeSet, "r2").word("freeze", "1");
        found(late, &same, &[freeze], "while freeze 1 stands");
        let law = draft(Action::UserAdd)
            .object("usr_2")
            .word("role", "lawyer");
        let counsel = EntryActor {
            id: "usr_2".to_owned(),
            role: Some(Role::Lawyer),
            ..officer()
        };
        let hold = Draft::new(counsel, Action::HoldPlace, "r3").object("hld_1");
        found(late, &same, &[law, hold], "while hold hld_1 is open");
    }

    #[test]
    fn a7_files_that_were_lost_are_made_again_as_far_as_entries_are_there() {
        let scratch = Scratch::new();
        let (store, mut files, anchor) = grown(&scratch, 600);
        prune(&store, &mut files, 600 + YEAR, 512, |told| told);
        let mut cut = files.clone();
        cut.retain(|name, _| name.starts_with("tile/0/00") && !name.contains(".p/"));
        write(&store, 700 + YEAR, draft(Action::StoreOpen));
        checkpoint_now(&store, &mut cut);
        let rows = store.read().expect("reads");
        let report = verify_store(&rows, &cut, &pins(&anchor));
        assert_eq!((report.problems, report.verdict), (vec![], Verdict::Sound));
        cut.remove("tile/0/001");
        cut.remove("checkpoint");
        let tx = store.write().expect("writes");
        let refused = super::super::sign(&tx, &cut, &signer()).expect_err("its hashes are lost");
        assert!(refused.to_string().contains("log/tile/0/001"), "{refused}");
    }

    #[test]
    fn a_hole_behind_the_beginning_keeps_the_log_from_opening() {
        let scratch = Scratch::new();
        let (store, mut files, _) = grown(&scratch, 600);
        prune(&store, &mut files, 600 + YEAR, 256, |told| told);
        let check = |store: &Store| check_beginning(&store.read().expect("reads"));
        check(&store).expect("it begins where it should");
        let tx = store.write().expect("writes");
        tx.delete_audit_entries(EntryNo(257)).expect("deletes");
        tx.commit().expect("commits");
        assert!(check(&store).is_err());
        let rows = store.read().expect("reads");
        let report = verify_store(&rows, &files, &Pins::default());
        assert_eq!(report.verdict, Verdict::Broken);
    }

    #[test]
    fn only_whole_tiles_that_are_sound_can_go() {
        let scratch = Scratch::new();
        let (store, files, _) = grown(&scratch, 600);
        assert!(files.read("checkpoint").expect("reads").is_some());
        let rows = store.read().expect("reads");
        for size in [0, 255, 600, 768] {
            assert!(Beginning::compute(&rows, size).is_err(), "{size}");
        }
        drop(rows);
        let other = Scratch::new();
        let store = other.open();
        fill(&store, 3);
        write(&store, 3, draft(Action::ContentView));
        fill(&store, 300);
        let rows = store.read().expect("reads");
        let refused = Beginning::compute(&rows, 256).expect_err("a rule is broken");
        assert!(refused.to_string().contains("entry 3"), "{refused}");
    }
}
