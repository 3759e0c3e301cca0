//! The sample is what the readers take for real exports: every file imports without a question,
//! with exactly the messages and the bad lines it states.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may fail like the test"
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write};

use support::collect::{Collect, run};
use wordkeep::app::sample::{Content, Entry, Sample, SampleFile, generate};
use wordkeep::domain::{
    App, ConversationKind, ConversationNo, ImportNo, Kind, MessageNo, NoteKind, Presence,
    Timestamp, ZoneSource,
};
use wordkeep::ingest::{Answers, Mapping, Outcome, ZoneAnswer};
use wordkeep::query::{
    Evaluator, NoDirectory, NoFacts, NoNeighbours, ParseContext, Purpose, Record, ResolveContext,
    parse, resolve,
};

/// Enough for every scene of every language.
const MESSAGES: usize = 12_000;

fn packed(entries: &[Entry], modified: Timestamp) -> Vec<u8> {
    let (year, month, day) = modified.civil_utc();
    let date = zip::DateTime::from_date_and_time(year as u16, month, day, 0, 0, 0).unwrap();
    let options = zip::write::SimpleFileOptions::default().last_modified_time(date);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        writer.start_file(&*entry.name, options).unwrap();
        writer.write_all(&entry.bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn imported(file: &SampleFile) -> Collect {
    let bytes = match &file.content {
        Content::Plain(bytes) => bytes.clone(),
        Content::Zip(entries) => packed(entries, file.options.modified),
    };
    let mapping = file.options.mapping.as_deref();
    let answers = Answers {
        zone: Some(ZoneAnswer {
            name: file.options.zone.to_owned(),
            source: ZoneSource::Operator,
        }),
        mapping: mapping.map(|text| Mapping::from_json(text).unwrap()),
        conversation_title: file.options.title.map(str::to_owned),
        now: Some(file.options.modified),
        ..Answers::default()
    };
    let (collect, outcome) = run(&[(&file.name, &bytes)], &answers);
    assert!(
        matches!(outcome, Some(Outcome::Done(_))),
        "{}: {outcome:?}",
        file.name
    );
    collect
}

fn all() -> (Sample, Vec<Collect>) {
    let sample = generate(1, MESSAGES);
    let collected = sample.files.iter().map(imported).collect();
    (sample, collected)
}

#[test]
fn every_file_of_the_sample_imports_exactly() {
    let (sample, collected) = all();
    let mut conversations: BTreeMap<App, BTreeSet<String>> = BTreeMap::new();
    for (file, collect) in sample.files.iter().zip(&collected) {
        assert_eq!(collect.messages.len(), file.messages, "{}", file.name);
        let rejected = collect.notes.iter();
        let rejected = rejected.filter(|note| note.kind == NoteKind::Rejected);
        let lines: usize = rejected.map(|note| note.raw.lines().count()).sum();
        assert_eq!(lines, file.bad_lines, "{}: {:?}", file.name, collect.notes);
        let keys = collect.messages.iter();
        let keys = keys.map(|message| message.conversation.clone());
        conversations
            .entry(file.options.app)
            .or_default()
            .extend(keys);
    }
    let records: usize = [App::Telegram, App::Slack, App::Line]
        .iter()
        .map(|app| conversations[app].len())
        .sum();
    assert_eq!(records, 16, "conversations besides the 24 chats");
}

#[test]
fn times_stand_in_order_and_before_the_export() {
    let (sample, collected) = all();
    for (file, collect) in sample.files.iter().zip(&collected) {
        let times: Vec<Timestamp> = collect
            .messages
            .iter()
            .filter_map(|kept| kept.sent)
            .collect();
        assert_eq!(times.len(), file.messages, "{}", file.name);
        // Where the clock goes back in autumn, local times repeat an hour.
        let hour = 3_600 * Timestamp::MICROS_PER_SECOND;
        let in_order = times.windows(2).all(|pair| pair[0].0 <= pair[1].0 + hour);
        assert!(in_order, "{}", file.name);
        assert!(times.iter().all(|time| *time < file.options.modified));
    }
}

#[test]
fn names_kinds_and_files_are_recognised() {
    let (_, collected) = all();
    let messages: Vec<_> = collected
        .iter()
        .flat_map(|collect| &collect.messages)
        .collect();
    let senders: BTreeSet<&str> = messages
        .iter()
        .filter(|message| !message.kind.is_system())
        .filter_map(|message| message.sender.as_deref())
        .collect();
    for name in [
        "Maria Santos",
        "Karim Weber",
        "Aiko Levi",
        "Lucía Herrera",
        "佐藤 健",
    ] {
        assert!(senders.contains(name), "{name}: {senders:?}");
    }
    assert!(
        senders.len() < 35,
        "lines were taken for names: {senders:?}"
    );
    for kind in [
        Kind::Deleted,
        Kind::SystemEncryption,
        Kind::SystemCreated,
        Kind::SystemMembership,
    ] {
        let count = messages
            .iter()
            .filter(|message| message.kind == kind)
            .count();
        assert!(count > 0, "{kind:?}");
    }
    let carried = messages.iter().filter(|message| {
        let file = message.attachment.as_ref();
        file.is_some_and(|(_, entry)| entry.is_some())
    });
    assert!(
        carried.count() > 20,
        "files of the zips find their messages"
    );
}

#[test]
fn every_evidence_of_the_tour_is_in_one_body() {
    let (sample, collected) = all();
    for step in &sample.tour {
        let found = collected
            .iter()
            .flat_map(|collect| &collect.messages)
            .filter(|message| message.body.contains(step.evidence));
        assert_eq!(found.count(), 1, "{}", step.what);
    }
}

/// A message as the evaluator sees it, of which only the words matter.
fn record<'a>(versions: &'a [&'a str]) -> Record<'a> {
    Record {
        no: MessageNo(1),
        conversation: ConversationNo(1),
        account: None,
        sender: None,
        sent: Timestamp(0),
        order: 0,
        app: App::Other,
        kind: Kind::Text,
        conversation_kind: ConversationKind::Unknown,
        presence: Presence::default(),
        import: ImportNo(1),
        thread: None,
        reply_to: None,
        versions,
        filenames: &[],
        extracted: &[],
        reactions: &[],
        mentions: &[],
        attachments: &[],
    }
}

#[test]
fn every_query_of_the_tour_finds_its_evidence_and_little_else() {
    let (sample, collected) = all();
    let context = ParseContext {
        zone: chrono_tz::UTC,
        now: sample.files[0].options.modified,
        strict: true,
        purpose: Purpose::Search,
    };
    for step in &sample.tour {
        let parsed = parse(step.query, &context);
        assert_eq!(parsed.blocking(&[]).count(), 0, "{:?}", parsed.problems);
        let resolving = ResolveContext {
            zone: context.zone,
            now: context.now,
        };
        let resolved = resolve(&parsed.ast.unwrap(), &NoDirectory, &resolving);
        let mut evaluator = Evaluator::new(&resolved);
        let hits: Vec<&str> = collected
            .iter()
            .flat_map(|collect| &collect.messages)
            .map(|message| message.body.as_str())
            .filter(|body| evaluator.matches(&record(&[body]), &NoNeighbours, &NoFacts))
            .collect();
        let is_found = hits.iter().any(|body| body.contains(step.evidence));
        assert!(is_found, "{}: {hits:?}", step.query);
        assert!(hits.len() < 10, "{}: {} hits", step.query, hits.len());
    }
}
