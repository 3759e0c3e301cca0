//! The canary law: a unique string in every field, any way to stop, zero hits in any byte on disk.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use wordkeep::app::{Appliance, SearchRequest, Session, VerifyRequest, Witnesses};

use crate::child::{Death, Ended, Stop, run};
use crate::house::{Place, count, files_below, import, ios_export, log_in};
use crate::seals::{SealFile, seals_and_repeats};

/// What every canary begins with; nothing else in the world does.
const MARK: &str = "qzxcanaryjv";

fn canary(field: &str) -> String {
    // Letters only, so that each is one word of the language and can be searched.
    format!("{MARK}{field}wkpt")
}

const FIELDS: [&str; 9] = [
    "body", "sender", "title", "filename", "bytes", "query", "note", "login", "edited",
];

/// Asks a question that is itself a canary.
pub fn ask(appliance: &Appliance, session: &Session) {
    let request = SearchRequest::new(canary("query"));
    appliance.search(session, &request).unwrap();
}

/// Enough talk for a chat to be known again by what was said in it.
fn plain_between(export: usize) -> String {
    (0..60)
        .map(|n| {
            let (day, minute) = (13 + n / 6, 10 * (n % 6));
            format!(
                "[{day:02}/02/2021, 09:{minute:02}:0{export}] Bo: the matter {n} of export \
                 {export} is settled\n"
            )
        })
        .collect()
}

/// A house with canaries in all fields: the exports lie outside the data directory.
fn planted(root: &Path) -> Place {
    let place = Place::new(root);
    let appliance = place.create();
    let admin = log_in(&appliance, "root");
    appliance
        .add_user(
            &admin,
            &canary("login"),
            wordkeep::domain::Role::Auditor,
            crate::house::PASSWORD,
            &[],
        )
        .unwrap();
    appliance.close().unwrap();
    let exports = root.join("exports");
    std::fs::create_dir_all(&exports).unwrap();
    for n in 0..3 {
        let file = format!("00000001-{}.txt", canary("filename"));
        let chat = format!(
            "{note}\n[15/01/2019, 10:00:0{n}] Bo: {edited} \u{200e}<This message was edited>\n\
             [16/01/2020, 10:00:0{n}] Bo: plain words\n{plain}\
             [13/01/2024, 10:00:0{n}] {sender}: {body} offer number {n}\n\
             [14/01/2024, 10:00:0{n}] {sender}: \u{200e}<attached: {file}>\n",
            note = canary("note"),
            sender = canary("sender"),
            body = canary("body"),
            edited = canary("edited"),
            plain = plain_between(n),
        );
        let title = format!("{} {n}", canary("title"));
        let bytes = format!("{} {n}", canary("bytes")).repeat(50);
        ios_export(&exports, &title, &chat, &[(&file, bytes.as_bytes())]);
    }
    place
}

/// Every way in which a canary could show itself.
fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    for text in [MARK.to_owned(), MARK.to_uppercase()] {
        needles.push(("raw".to_owned(), text.as_bytes().to_vec()));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        needles.push(("UTF-16LE".to_owned(), wide));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        needles.push(("UTF-16BE".to_owned(), wide));
        needles.push((
            "backwards".to_owned(),
            text.bytes().rev().collect::<Vec<u8>>(),
        ));
        for shift in 0..3 {
            let padded = [vec![0; shift], text.as_bytes().to_vec()].concat();
            let encoded = STANDARD.encode(&padded);
            // The first group mixes with what stands before, the last with what follows.
            let inner = &encoded[4..encoded.len() - 4];
            needles.push(("base64".to_owned(), inner.as_bytes().to_vec()));
        }
    }
    needles
}

/// Scans names and bytes of every file of the data directory.
fn hits(data: &Path) -> Vec<String> {
    let needles = needles();
    let mut hits = Vec::new();
    for path in files_below(data) {
        let shown = path.strip_prefix(data).unwrap().display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        for (form, needle) in &needles {
            if memmem::find(shown.as_bytes(), needle).is_some() {
                hits.push(format!("{shown}: {form} in its name"));
            }
            if let Some(at) = memmem::find(&bytes, needle) {
                hits.push(format!("{shown}: {form} at byte {at}"));
            }
        }
    }
    hits
}

#[test]
fn e1_the_scan_finds_what_it_is_made_to_find() {
    let dir = tempfile::tempdir().unwrap();
    let text = canary("body");
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (n, bytes) in [
        text.clone().into_bytes(),
        wide,
        STANDARD.encode(format!("x{text}y")).into_bytes(),
        STANDARD.encode(format!("xx{text}y")).into_bytes(),
        text.to_uppercase().into_bytes(),
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(dir.path().join(format!("file{n}")), bytes).unwrap();
    }
    assert!(hits(dir.path()).len() >= 5, "{:?}", hits(dir.path()));
}

/// Opens what the child left, finishes its work, and proves that nothing is lost or half done.
fn judge(place: &Place, ended: &Ended, stop: Option<Stop>) {
    let told = format!("{stop:?}");
    assert_eq!(hits(&place.data()), Vec::<String>::new(), "{told}");
    // What a process prints carries no canary either; the acknowledgements are the test's own.
    let talk = ended
        .printed
        .lines()
        .filter(|line| !line.contains("DURABLE "));
    assert_eq!(talk.filter(|line| line.contains(MARK)).count(), 0, "{told}");
    let witnesses = Witnesses {
        seals: Some(SealFile::of(place)),
        ..Witnesses::default()
    };
    let appliance = place
        .open_watched(witnesses)
        .unwrap_or_else(|error| panic!("{told}: {error}"));
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let done = ended.acknowledged.len() as u64;
    let found = count(&appliance, &rec, &canary("body"));
    assert!(found >= done, "{told}: {found} of {done} acknowledged");
    let verify = |appliance: &Appliance| {
        let request = VerifyRequest {
            sample: 8,
            ..VerifyRequest::default()
        };
        let report = appliance.verify(&rec, &request, &mut |_, _, _| ()).unwrap();
        assert_eq!(report.exit_code(), 0, "{told}: {}", report.to_json());
    };
    verify(&appliance);
    // What was cut off is done again, and nothing comes twice.
    let mut exports = files_below(&place.root.join("exports"));
    exports.sort();
    for export in exports {
        import(&appliance, &root, &export).unwrap_or_else(|error| panic!("{told}: {error}"));
    }
    let found = FIELDS.map(|field| count(&appliance, &rec, &canary(field)));
    assert_eq!(found[0], 3, "{told}: bodies");
    verify(&appliance);
    appliance.close().unwrap();
    assert_eq!(hits(&place.data()), Vec::<String>::new(), "{told}");
    // Neither the process that died nor the one that finished its work sealed twice with one pair.
    let (seals, repeats) = seals_and_repeats(place);
    assert!(seals > 100, "{told}: {seals} seals were heard");
    assert_eq!(repeats, 0, "{told}: of {seals} seals");
}

#[test]
fn e1_canary_clean_stop_leaves_nothing_readable() {
    let dir = tempfile::tempdir().unwrap();
    let place = planted(dir.path());
    let ended = run(&place.root, None);
    assert_eq!(ended.acknowledged.len(), 3);
    judge(&place, &ended, None);
}

/// Named points of import and settling, of rebuild, repair and rotation, first and later visits.
const POINTS: [(&str, u32); 21] = [
    ("admit.written", 1),
    ("admit.written", 3),
    ("admit.committed", 1),
    ("admit.committed", 2),
    ("settle.index_committed", 1),
    ("settle.index_committed", 4),
    ("settle.written", 1),
    ("settle.written", 5),
    ("settle.committed", 1),
    ("sign.committed", 1),
    ("rebuild.committed", 1),
    ("rebuild.built", 1),
    ("rebuild.decided", 1),
    ("rebuild.swapped", 1),
    ("rotate.written", 1),
    ("rotate.rewrapped", 1),
    ("rotate.committed", 1),
    ("rotate.overwritten", 1),
    ("repair.dropped", 1),
    ("repair.queued", 1),
    ("settle.committed", 3),
];
/// Points that a process reaches only when it opens a damaged index.
const OF_REPAIR: &str = "repair.";

/// A house that holds everything already and whose index was damaged in one part.
fn damaged(root: &Path) -> Place {
    let place = planted(root);
    run(&place.root, None);
    let list = place.data().join("index/2024/meta.json");
    let mut bytes = std::fs::read(&list).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&list, bytes).unwrap();
    place
}

fn die_everywhere(death: Death) {
    let dir = tempfile::tempdir().unwrap();
    let fresh = planted(&dir.path().join("fresh"));
    let damaged = damaged(&dir.path().join("damaged"));
    for (milestone, nth) in POINTS {
        let stop = Stop {
            milestone,
            nth,
            death,
        };
        let root = dir.path().join(format!("{milestone}-{nth}"));
        let from = match milestone.starts_with(OF_REPAIR) {
            true => &damaged,
            false => &fresh,
        };
        crate::house::copy_tree(&from.root, &root);
        let place = Place { root };
        let ended = run(&place.root, Some(stop));
        assert!(!ended.finished, "{stop:?} was never reached");
        judge(&place, &ended, Some(stop));
    }
}

#[test]
fn e1_canary_sigkill_at_every_named_point_loses_and_shows_nothing() {
    die_everywhere(Death::Kill);
}

#[test]
fn e1_canary_sigterm_at_every_named_point_loses_and_shows_nothing() {
    die_everywhere(Death::Terminate);
}

/// The names in calls of `reached` below a folder of sources.
fn named_points(sources: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files_below(sources) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        for call in text.split("reached(\"").skip(1) {
            names.extend(call.split('"').next().map(str::to_owned));
        }
    }
    names
}

/// That each listed point is really reached is seen where the processes die there; here it is seen
/// that the list is whole.
#[test]
fn e1_no_named_point_is_left_out() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named = named_points(&sources);
    assert!(named.contains("admit.written"), "{named:?}");
    let mut visited: BTreeSet<String> = POINTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    visited.extend(crate::purge::STOPS.iter().map(|stop| stop.0.to_owned()));
    // Backups and prunings are stopped inside the process, by their laws.
    let laws = concat!(
        include_str!("../laws/backup.rs"),
        include_str!("../laws/story/pruning.rs"),
        include_str!("../laws/story/shortened.rs")
    );
    let inside = named.iter().filter(|name| {
        let stems = ["backup.", "escrow.", "prune.", "erase.survivors_kept"];
        let has_law = stems.iter().any(|stem| name.starts_with(stem));
        has_law && laws.contains(&format!("\"{name}\""))
    });
    visited.extend(inside.cloned());
    assert_eq!(
        named, visited,
        "points of the sources, and points where a process dies"
    );
}

#[test]
fn e1_a_new_named_point_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let source = "fn step(&self) { self.reached(\"planted.point\"); }";
    std::fs::write(dir.path().join("planted.rs"), source).unwrap();
    let found = named_points(dir.path());
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["planted.point"]);
}
