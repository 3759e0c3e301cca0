//! The laws of evidence out: an export holds what it says, proves it to anybody, and no byte of it
//! can change unseen.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/house.rs"]
mod house;
#[path = "../support/schema.rs"]
mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use house::{Place, import, ios_export, log_in, plain_chat};
use proptest::prelude::*;
use schema::Schema;
use serde_json::Value;
use wordkeep::app::export::{BundleReport, ExportReceipt, ExportRequest, verify_bundle};
use wordkeep::app::{AppError, Appliance, LogRequest, VerifyRequest};
use wordkeep::audit::{Action, Outcome, Verdict};
use wordkeep::crypto::{hex, sha256};
use wordkeep::domain::{Role, Timestamp};
use wordkeep::ingest::{BundleReader, BundleWriter};

const CHAT: &str = "\
[13/02/2024, 10:44:00] Rui Melo: We can do 10% discount if you sign before Friday
[13/02/2024, 10:45:00] João Prado: deal
[13/02/2024, 10:46:00] João Prado: =HYPERLINK(\"http://example.invalid\";\"invoice\")
[13/02/2024, 10:47:00] Rui Melo: <script>alert('invoice')</script> \u{202e}evil\u{202c} & \"more\"
[14/02/2024, 09:00:00] Rui Melo: مرحبا invoice שלום
[14/02/2024, 09:01:00] Rui Melo: \u{200e}<attached: 00000001-PHOTO-2024-02-14-09-01-00.jpg>
[14/02/2024, 09:02:00] Rui Melo: two lines
of an invoice
[15/02/2024, 09:02:00] João Prado: goodbye
";
const PHOTO: &str = "00000001-PHOTO-2024-02-14-09-01-00.jpg";

/// More than one page of a sealed file.
fn photo() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.extend((0..200_000u32).map(|at| (at % 251) as u8));
    bytes
}

struct House {
    place: Place,
    appliance: Appliance,
    dir: tempfile::TempDir,
}

impl House {
    fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path());
        let appliance = place.create();
        let rec = log_in(&appliance, "rec");
        for (title, chat, media) in [
            ("Nordwind", CHAT, &[(PHOTO, &photo()[..])][..]),
            ("Sul", &plain_chat("sul", 90), &[]),
        ] {
            let export = ios_export(dir.path(), title, chat, media);
            import(&appliance, &rec, &export).unwrap();
        }
        House {
            place,
            appliance,
            dir,
        }
    }

    /// The same chat once more, where one message was edited since.
    fn edit(&self) {
        let folder = self.dir.path().join("again");
        fs::create_dir_all(&folder).unwrap();
        let edited = "sign before Friday \u{200e}<This message was edited>";
        let chat = CHAT
            .replace("10% discount", "5% discount")
            .replace("sign before Friday", edited);
        let export = ios_export(&folder, "Nordwind", &chat, &[]);
        let rec = log_in(&self.appliance, "rec");
        import(&self.appliance, &rec, &export).unwrap();
    }

    fn request(&self, query: &str, name: &str) -> ExportRequest {
        ExportRequest {
            query: query.to_owned(),
            reason: "Case 12/24".to_owned(),
            out: self.dir.path().join(name),
            ..ExportRequest::default()
        }
    }

    fn export(&self, request: &ExportRequest) -> Result<ExportReceipt, AppError> {
        let law = log_in(&self.appliance, "law");
        self.appliance.export(&law, request, &mut |_, _, _| true)
    }

    fn verify(&self, path: &Path) -> BundleReport {
        let pins = self.place.settings().pins();
        verify_bundle(path, &pins, &VerifyRequest::default()).unwrap()
    }
}

fn files_of(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut reader = BundleReader::new(fs::File::open(path).unwrap());
    let mut files = BTreeMap::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        files.insert(entry.name, bytes);
    }
    files
}

fn records(files: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    std::str::from_utf8(&files["messages.jsonl"])
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A verification that knows nothing from before.
fn verify_alone(path: &Path) -> BundleReport {
    let nowhere = path.with_file_name("no-pins");
    verify_bundle(path, &nowhere, &VerifyRequest::default()).unwrap()
}

#[test]
fn r8_an_export_holds_the_messages_with_versions_sources_and_files() {
    let house = House::new();
    house.edit();
    let request = ExportRequest {
        context: 1,
        matter: Some("NW-1".to_owned()),
        zone: Some("Europe/Lisbon".to_owned()),
        ..house.request("discount OR has:image", "nw.tar")
    };
    let receipt = house.export(&request).unwrap();
    assert_eq!(house.verify(&request.out).problems, []);
    let mode = fs::metadata(&request.out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&request.out).unwrap();
    assert_eq!(hex(&sha256(&bytes)), receipt.sha256);
    assert_eq!(bytes.len() as u64, receipt.bytes);

    let files = files_of(&request.out);
    let records = records(&files);
    let bodies: Vec<(bool, &str)> = records
        .iter()
        .map(|line| {
            let versions = line["record"]["versions"].as_array().unwrap();
            let body = versions.last().unwrap()["body"].as_str().unwrap();
            (line["record"]["hit"].as_bool().unwrap(), body)
        })
        .collect();
    assert_eq!(bodies.len(), 5, "{bodies:?}");
    assert!(bodies[0].0 && bodies[0].1.starts_with("We can do 5% discount"));
    assert_eq!(bodies[1], (false, "deal"));
    assert!(!bodies[2].0 && bodies[3].0 && !bodies[4].0);
    let edited = &records[0]["record"];
    assert_eq!(
        edited["versions"][0]["body"],
        "We can do 10% discount if you sign before Friday"
    );
    assert_eq!(edited["facts"], serde_json::json!(["edited"]));
    let source = &edited["versions"][0]["source"];
    assert_eq!(source["file"], "WhatsApp Chat - Nordwind.zip");
    let (first, count) = (
        source["first_byte"].as_u64().unwrap() as usize,
        source["bytes"].as_u64().unwrap() as usize,
    );
    let line = CHAT.lines().next().unwrap();
    assert_eq!(CHAT[first..first + count].trim_end(), line);
    // The photo is there, byte for byte, and linked.
    let name = records[3]["record"]["files"][0]["file"].as_str().unwrap();
    assert_eq!(files[name], photo());
    let page = std::str::from_utf8(&files["index.html"]).unwrap();
    assert!(page.contains(&format!("href=\"{name}\"")));
    assert!(page.contains("10% discount") && page.contains("5% discount"));
    let counts = &receipt.manifest.counts;
    assert_eq!(
        (counts.hits, counts.messages, counts.attachments),
        (2, 5, 1)
    );
    assert_eq!(counts.conversations, 1);
    assert_eq!(receipt.manifest.matter.as_deref(), Some("NW-1"));
}

#[test]
fn r8_hostile_words_run_nowhere() {
    let house = House::new();
    let request = house.request("invoice", "nw.tar");
    house.export(&request).unwrap();
    let files = files_of(&request.out);
    let page = std::str::from_utf8(&files["index.html"]).unwrap();
    assert!(!page.contains("<script") && !page.contains("javascript:"));
    assert!(page.contains("&lt;script&gt;alert(&#39;invoice&#39;)&lt;/script&gt;"));
    assert!(page.contains("default-src 'none'"));
    for attribute in [" on", " style=", " src="] {
        let tags = page
            .split('<')
            .skip(1)
            .filter_map(|tag| tag.split('>').next());
        assert!(
            !tags.into_iter().any(|tag| tag.contains(attribute)),
            "{attribute}"
        );
    }
    // Every word of a message stands in an element of its own direction.
    assert_eq!(
        page.matches("class=\"body\"").count(),
        page.matches("class=\"body\" dir=\"auto\"").count()
    );
    let table = std::str::from_utf8(&files["messages.csv"]).unwrap();
    assert!(table.contains("\"'=HYPERLINK("));
    assert!(!table.contains(",=HYPERLINK") && !table.contains("\"=HYPERLINK"));
}

#[test]
fn a5_what_is_emitted_follows_the_schemas_and_a_stranger_agrees() {
    let house = House::new();
    house.edit();
    let request = ExportRequest {
        context: 2,
        ..house.request("invoice OR discount OR has:image OR sulword7", "nw.tar")
    };
    let receipt = house.export(&request).unwrap();
    let files = files_of(&request.out);
    let manifest = Schema::parse(include_str!("../../schema/json/export-manifest.json"));
    let message = Schema::parse(include_str!("../../schema/json/export-message.json"));
    let found: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(manifest.problems(&found), Vec::<String>::new());
    let lines = records(&files);
    assert!(lines.len() > 8);
    for line in &lines {
        assert_eq!(message.problems(line), Vec::<String>::new());
    }
    // The schemas do say something.
    let mut other = found.clone();
    other["more"] = Value::Null;
    other["counts"]["hits"] = Value::from("2");
    assert_eq!(manifest.problems(&other).len(), 2);
    let mut other = lines[0].clone();
    other["record"].as_object_mut().unwrap().remove("seat");
    assert_eq!(message.problems(&other).len(), 1);

    let key = &receipt.manifest.log.key;
    if let Some(code) = stranger(&request.out, Some(key)) {
        assert_eq!(code, 0);
        assert_eq!(stranger(&request.out, None), Some(1));
        let mut bytes = fs::read(&request.out).unwrap();
        let at = bytes
            .windows(8)
            .position(|some| some == b"discount")
            .unwrap();
        bytes[at] ^= 1;
        fs::write(&request.out, bytes).unwrap();
        assert_eq!(stranger(&request.out, Some(key)), Some(6));
    }
}

/// Exit code of the stranger's verifier; `None` where there is no Python to run it.
fn stranger(bundle: &Path, key: Option<&str>) -> Option<i32> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/verify_export.py");
    let output = Command::new("python3")
        .arg("-B")
        .arg(script)
        .arg(bundle)
        .args(key)
        .output()
        .ok()?;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{error}");
    output.status.code()
}

#[test]
fn a5_the_key_that_was_known_decides() {
    let house = House::new();
    let request = house.request("invoice", "nw.tar");
    let receipt = house.export(&request).unwrap();
    let here = house.verify(&request.out);
    assert_eq!((here.verdict, here.known_before), (Verdict::Sound, true));
    let alone = verify_alone(&request.out);
    assert_eq!((alone.verdict, alone.exit_code), (Verdict::Unanchored, 1));
    let with = |key: &str, anchors: Vec<String>| {
        let request = VerifyRequest {
            key: Some(key.to_owned()),
            anchors,
            sample: 0,
        };
        let path = house.dir.path().join("nw.tar");
        verify_bundle(&path, Path::new("no-pins"), &request).unwrap()
    };
    let key = &receipt.manifest.log.key;
    assert_eq!(with(key, Vec::new()).verdict, Verdict::Sound);
    // Another archive's key, of the same name or not, does not fit.
    let other = House::new();
    let foreign = other.appliance.archive().log_verifier().to_vkey();
    assert_eq!(with(&foreign, Vec::new()).verdict, Verdict::Broken);
    // A checkpoint that was kept: of the same size it is compared.
    let files = files_of(&request.out);
    let note = String::from_utf8(files["proof/checkpoint.txt"].clone()).unwrap();
    let anchor = format!("{}\n", note.split("\n\n").next().unwrap());
    assert_eq!(with(key, vec![anchor.clone()]).anchors, 1);
    let root = anchor.lines().nth(2).unwrap();
    let forged = anchor.replace(root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(with(key, vec![forged]).verdict, Verdict::Broken);
}

/// A small export, made once.
fn small() -> &'static [u8] {
    static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let house = House::new();
        let request = house.request("deal OR goodbye", "small.tar");
        house.export(&request).unwrap();
        fs::read(&request.out).unwrap()
    });
    &BUNDLE
}

fn verify_bytes(bytes: &[u8]) -> BundleReport {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle.tar");
    fs::write(&path, bytes).unwrap();
    verify_alone(&path)
}

fn is_found(bytes: &[u8]) -> bool {
    let report = verify_bytes(bytes);
    report.verdict == Verdict::Broken && report.exit_code == 6 && report.problem_count > 0
}

#[test]
fn a5_every_seventh_byte_changed_is_found_and_the_file_is_named() {
    let sound = small();
    assert_eq!(verify_bytes(sound).verdict, Verdict::Unanchored);
    for at in (0..sound.len()).step_by(7) {
        let mut bytes = sound.to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(is_found(&bytes), "byte {at}");
    }
    let at = sound
        .windows(8)
        .position(|some| some == b"goodbye\"")
        .unwrap();
    let mut bytes = sound.to_vec();
    bytes[at] = b'G';
    let report = verify_bytes(&bytes);
    let line = &report.problems[0];
    assert_eq!(line.file.as_deref(), Some("messages.jsonl"));
    assert_eq!(line.line, Some(2));
    assert!(line.at.unwrap() <= at as u64);
}

#[test]
fn a5_a_file_more_or_less_or_elsewhere_is_found() {
    let sound = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("b.tar");
    fs::write(&path, sound).unwrap();
    let mut order = Vec::new();
    let mut reader = BundleReader::new(sound);
    let mut time = Timestamp(0);
    while let Some(entry) = reader.next_entry().unwrap() {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        time = entry.time;
        order.push((entry.name, bytes));
    }
    let pack = |files: &[(String, Vec<u8>)], time: Timestamp| {
        let mut writer = BundleWriter::new(std::io::Cursor::new(Vec::new()), time);
        for (name, bytes) in files {
            writer.begin(name).unwrap();
            std::io::Write::write_all(&mut writer, bytes).unwrap();
            writer.end().unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    assert_eq!(pack(&order, time), sound);
    assert!(is_found(&pack(
        &order,
        Timestamp::from_seconds(time.seconds() + 1)
    )));
    for at in 0..order.len() {
        let mut fewer = order.clone();
        let gone = fewer.remove(at);
        assert!(is_found(&pack(&fewer, time)), "without {}", gone.0);
        let mut twice = order.clone();
        twice.insert(at, ("attachments/more".to_owned(), b"more".to_vec()));
        assert!(is_found(&pack(&twice, time)), "one more at {at}");
        let mut swapped = order.clone();
        swapped.swap(at, (at + 1) % order.len());
        assert!(is_found(&pack(&swapped, time)), "swapped at {at}");
    }
}

#[test]
fn a5_a_manifest_of_another_export_does_not_fit() {
    let house = House::new();
    let one = house.request("deal", "one.tar");
    let two = house.request("goodbye", "two.tar");
    house.export(&one).unwrap();
    house.export(&two).unwrap();
    let (first, second) = (files_of(&one.out), files_of(&two.out));
    for name in first.keys().filter(|name| first[*name] != second[*name]) {
        let bytes = fs::read(&one.out).unwrap();
        let mut reader = BundleReader::new(&bytes[..]);
        let mut writer = None;
        while let Some(entry) = reader.next_entry().unwrap() {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            let writer = writer.get_or_insert_with(|| {
                BundleWriter::new(std::io::Cursor::new(Vec::new()), entry.time)
            });
            let bytes = if entry.name == *name {
                &second[name]
            } else {
                &bytes
            };
            writer.begin(&entry.name).unwrap();
            std::io::Write::write_all(writer, bytes).unwrap();
            writer.end().unwrap();
        }
        let mixed = writer.unwrap().finish().unwrap().into_inner();
        assert!(is_found(&mixed), "{name} of the other");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a5_any_flipped_bit_of_a_bundle_is_found(at: prop::sample::Index, bit in 0..8u32) {
        let mut bytes = small().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(is_found(&bytes), "byte {}", at);
    }

    #[test]
    fn a5_any_cut_and_any_addition_is_found(
        at: prop::sample::Index,
        more in prop::collection::vec(prop::sample::select(vec![0u8, 1, 255]), 1..2_000),
    ) {
        let sound = small();
        prop_assert!(is_found(&sound[..at.index(sound.len())]));
        prop_assert!(is_found(&[sound, &more].concat()));
    }
}

#[test]
fn a1_only_who_may_export_does_and_the_attempt_is_logged() {
    let house = House::new();
    let root = log_in(&house.appliance, "root");
    let password = house::PASSWORD;
    house
        .appliance
        .add_user(&root, "man", Role::Manager, password, &[])
        .unwrap();
    for login in ["root", "aud", "man"] {
        let session = log_in(&house.appliance, login);
        let request = house.request("deal", "refused.tar");
        let refused = house
            .appliance
            .export(&session, &request, &mut |_, _, _| true);
        assert!(matches!(refused, Err(AppError::Auth(_))), "{login}");
        assert!(!request.out.exists());
    }
    let log = entries(&house.appliance, "export");
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|(action, result, _)| {
        *action == Action::ExportIntent && *result == Outcome::Refused
    }));
    for login in ["law", "rec"] {
        let session = log_in(&house.appliance, login);
        let request = house.request("deal", &format!("{login}.tar"));
        house
            .appliance
            .export(&session, &request, &mut |_, _, _| true)
            .unwrap();
    }
}

/// Entries of a stem: action, result, payload.
fn entries(appliance: &Appliance, stem: &str) -> Vec<(Action, Outcome, Option<String>)> {
    let rec = log_in(appliance, "rec");
    let request = LogRequest {
        action: Some(stem.to_owned()),
        ..LogRequest::default()
    };
    let page = appliance.read_log(&rec, &request).unwrap();
    page.lines
        .into_iter()
        .map(|line| {
            (
                line.entry.draft.action,
                line.entry.draft.result,
                line.payload,
            )
        })
        .collect()
}

#[test]
fn s14_nobody_gives_out_what_they_may_not_see() {
    let house = House::new();
    let root = log_in(&house.appliance, "root");
    let law = log_in(&house.appliance, "law");
    let seen = house.appliance.conversations(&law).unwrap();
    let sul = seen.iter().find(|line| line.title.contains("Sul")).unwrap();
    house
        .appliance
        .add_user(&root, "narrow", Role::Lawyer, house::PASSWORD, &[sul.id])
        .unwrap();
    let narrow = log_in(&house.appliance, "narrow");
    let request = ExportRequest {
        context: 50,
        ..house.request("deal OR invoice OR sulword3", "narrow.tar")
    };
    house
        .appliance
        .export(&narrow, &request, &mut |_, _, _| true)
        .unwrap();
    let files = files_of(&request.out);
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains("Nordwind") && !text.contains("goodbye"),
            "{name}"
        );
    }
    let lines = records(&files);
    assert!(
        lines
            .iter()
            .filter(|line| line["record"]["hit"] == true)
            .count()
            == 1
    );
    assert!(lines.len() > 40);
    let scope: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(scope["scope"]["everything"], false);
    assert_eq!(scope["scope"]["conversations"], 1);
}

#[test]
fn a8_the_intent_is_durable_before_the_file_and_the_outcome_follows() {
    let house = House::new();
    let law = log_in(&house.appliance, "law");
    let request = house.request("invoice", "nw.tar");
    let mut first = true;
    house
        .appliance
        .export(&law, &request, &mut |_, _, _| {
            if std::mem::take(&mut first) {
                let log = entries(&house.appliance, "export");
                assert_eq!(log.len(), 1, "only the intent so far");
            }
            true
        })
        .unwrap();
    let log = entries(&house.appliance, "export");
    let acts: Vec<&Action> = log.iter().map(|(action, _, _)| action).collect();
    assert_eq!(
        acts,
        [
            &Action::ExportIntent,
            &Action::ExportMade,
            &Action::ExportOutcome
        ]
    );
    let typed = log[0].2.as_deref().unwrap();
    assert!(typed.contains("Case 12/24") && typed.contains("invoice"));
    let rec = log_in(&house.appliance, "rec");
    let mut quiet = |_: &'static str, _: u64, _: u64| {};
    let report = house
        .appliance
        .verify(&rec, &VerifyRequest::default(), &mut quiet)
        .unwrap();
    assert_eq!(report.log.problems, []);
    assert_eq!(report.record.unwrap().problems(), Vec::<String>::new());
}

#[test]
fn a8_what_is_stopped_or_fails_leaves_no_file_and_is_told_in_the_log() {
    let house = House::new();
    let law = log_in(&house.appliance, "law");
    for stage in ["messages", "attachments"] {
        let request = house.request("invoice OR has:image", "stopped.tar");
        let stopped = house
            .appliance
            .export(&law, &request, &mut |now, _, _| now != stage);
        assert!(matches!(stopped, Err(AppError::Interrupted(_))), "{stage}");
        assert!(!request.out.exists(), "{stage}");
    }
    let nowhere = house.request("deal", "no/such/folder.tar");
    assert!(matches!(house.export(&nowhere), Err(AppError::Io(_))));
    let taken = house.request("deal", "taken.tar");
    fs::write(&taken.out, "mine").unwrap();
    assert!(matches!(house.export(&taken), Err(AppError::Conflict(_))));
    assert_eq!(fs::read_to_string(&taken.out).unwrap(), "mine");
    let log = entries(&house.appliance, "export.outcome");
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|(_, result, _)| *result == Outcome::Failed));
}

#[test]
fn a8_an_export_that_died_is_closed_when_the_archive_is_opened() {
    let House {
        place,
        appliance,
        dir,
    } = House::new();
    let law = log_in(&appliance, "law");
    let request = ExportRequest {
        query: "deal".to_owned(),
        reason: "Case 12/24".to_owned(),
        out: dir.path().join("died.tar"),
        ..ExportRequest::default()
    };
    // As if the process had died: nobody writes the outcome.
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        appliance.export(&law, &request, &mut |_, _, _| panic!("died on purpose"))
    }));
    assert!(died.is_err());
    drop(appliance);
    let appliance = place.open().unwrap();
    let log = entries(&appliance, "export");
    let last = log.last().unwrap();
    assert_eq!((&last.0, last.1), (&Action::ExportOutcome, Outcome::Failed));
    drop(appliance);
    let appliance = place.open().unwrap();
    assert_eq!(entries(&appliance, "export").len(), log.len());
}

#[test]
fn r8_an_ambiguous_query_gives_nothing_out() {
    let house = House::new();
    for query in ["(deal", "deal w/5", "deal invoice OR goodbye"] {
        let request = house.request(query, "nw.tar");
        let refused = house.export(&request);
        assert!(matches!(refused, Err(AppError::Query { .. })), "{query}");
        assert!(!request.out.exists());
    }
    let accepted = ExportRequest {
        accept: vec!["W03".to_owned()],
        ..house.request("deal", "nw.tar")
    };
    house.export(&accepted).unwrap();
    assert_eq!(entries(&house.appliance, "export.intent").len(), 1);
}

#[test]
fn r8_an_export_tells_answers_reactions_mentions_and_edits() {
    let house = House::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = source.join("tests/fixtures/formats/telegram/full.json");
    let rec = log_in(&house.appliance, "rec");
    import(&house.appliance, &rec, &source).unwrap();
    let request = house.request("app:telegram", "told.tar");
    house.export(&request).unwrap();
    assert!(verify_alone(&request.out).problems.is_empty());
    let files = files_of(&request.out);
    let lines = records(&files);
    let message = Schema::parse(include_str!("../../schema/json/export-message.json"));
    for line in &lines {
        assert_eq!(message.problems(line), Vec::<String>::new());
    }
    let with = |words: &str| {
        let mut found = lines.iter().map(|line| &line["record"]);
        let said = |record: &&Value| record["versions"][0]["body"] == words;
        found.find(said).unwrap()
    };
    let offer = with("I can give you 10% by Friday");
    let version = &offer["versions"][0];
    assert_eq!(version["edited"], "2024-02-11T10:46:00.000000Z");
    let reacted = serde_json::json!([{"by": ["João"], "count": 2, "value": "👍"}]);
    assert_eq!(version["reactions"], reacted);
    assert_eq!(with("deal\u{1} 👍")["reply_to"], offer["id"]);
    let call = &with("Rui look at @nordwind")["versions"][0];
    assert_eq!(call["mentions"], serde_json::json!(["Rui Melo"]));
    let table = String::from_utf8(files["messages.csv"].clone()).unwrap();
    assert!(table.contains("\"👍 2 (João)\""), "{table}");
    let page = String::from_utf8(files["index.html"].clone()).unwrap();
    assert!(page.contains("👍 2 (João)"), "{page}");
}
