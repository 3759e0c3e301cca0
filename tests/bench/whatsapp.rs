//! How fast chats are read: a WhatsApp file of a million lines and as many rows of JSON, both
//! passes, with the peak of memory. Run with `cargo bench --bench whatsapp`.

use std::io::Write as _;
use std::time::Instant;

use wordkeep::domain::{MessageNo, Note, Timestamp, ZoneSource};
use wordkeep::ingest::align::{Facts, Known, Sighting, align};
use wordkeep::ingest::{
    Answers, Budget, Container, Mapping, Outcome, ParsedMessage, Sink, Source, Stop, ZoneAnswer,
    detect, import,
};

/// Lines of each file.
const LINES: u64 = 1_000_000;

/// A file on disk, so that the measured memory is the reader's own.
struct FileSource(std::fs::File, String);

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.1
    }
    fn len(&self) -> Option<u64> {
        self.0.metadata().ok().map(|data| data.len())
    }
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, buffer, offset)
    }
    fn modified(&self) -> Option<Timestamp> {
        None
    }
}

/// Counts, and keeps nothing but short forms where asked.
#[derive(Default)]
struct Count {
    messages: u64,
    notes: u64,
    bytes: u64,
    sightings: Option<Vec<Sighting>>,
}

impl Sink for Count {
    fn message(&mut self, message: &ParsedMessage<'_>) -> Result<(), Stop> {
        self.messages += 1;
        self.bytes += message.body.len() as u64;
        if let Some(sightings) = &mut self.sightings {
            sightings.push(Sighting::of(&Facts {
                sender: message.sender_label,
                body: message.body,
                kind: message.kind,
                presence: message.presence,
                file_is_here: false,
                sent: message.sent,
                precision: message.precision,
                source_id: message.source_id,
            }));
        }
        Ok(())
    }
    fn note(&mut self, _note: Note) -> Result<(), Stop> {
        self.notes += 1;
        Ok(())
    }
}

/// Peak resident memory of this process in MiB, or 0 where the system does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .map_or(0, |kib| kib / 1024)
}

fn clock(line: u64) -> chrono::NaiveDateTime {
    let start = chrono::DateTime::from_timestamp(1_600_000_000, 0).unwrap_or_default();
    (start + chrono::Duration::seconds(line as i64 * 73)).naive_utc()
}

/// A line every seven of which goes on from the one before.
fn chat(ios: bool, out: &mut impl std::io::Write) -> std::io::Result<()> {
    for line in 0..LINES {
        let author = ["Ana Maria", "Bo", "+49 170 1234567", "Cem"][line as usize % 4];
        let time = clock(line);
        match (line % 7, ios) {
            (6, _) => writeln!(
                out,
                "and a second line of the message before, number {line}"
            )?,
            (_, true) => writeln!(
                out,
                "[{}] {author}: message number {line} about the offer and its price",
                time.format("%-m/%-d/%y, %-I:%M:%S\u{202F}%p")
            )?,
            (_, false) => writeln!(
                out,
                "{} - {author}: message number {line} about the offer and its price",
                time.format("%d/%m/%Y, %H:%M")
            )?,
        }
    }
    Ok(())
}

fn rows(out: &mut impl std::io::Write) -> std::io::Result<()> {
    for line in 0..LINES {
        writeln!(
            out,
            r#"{{"source": "bench", "conversation": "room {}", "ts": "{}.{:03}Z", "sender": "user{}", "text": "message number {line} about the \"offer\" and its price, and a little more", "id": "{line:024x}"}}"#,
            line % 500,
            clock(line).format("%Y-%m-%dT%H:%M:%S"),
            line % 1000,
            line % 97,
        )?;
    }
    Ok(())
}

fn measure(
    name: &str,
    write: impl FnOnce(&mut std::io::BufWriter<std::fs::File>) -> std::io::Result<()>,
    answers: &Answers,
    keep: bool,
) -> std::io::Result<Count> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("chat");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    write(&mut file)?;
    file.flush()?;
    let source: Box<dyn Source> =
        Box::new(FileSource(std::fs::File::open(&path)?, "chat".to_owned()));
    let mut count = Count {
        sightings: keep.then(Vec::new),
        ..Count::default()
    };
    let start = Instant::now();
    let mut container =
        Container::open(vec![source], Budget::default()).map_err(std::io::Error::other)?;
    let found = detect(&mut container).map_err(std::io::Error::other)?;
    let outcome = import(&mut container, &found.chats[0], answers, &mut count)
        .map_err(std::io::Error::other)?;
    let seconds = start.elapsed().as_secs_f64();
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    println!(
        "{name}: {:.0} lines/s, {} messages, {} notes in {seconds:.2} s, peak {} MiB",
        LINES as f64 / seconds,
        count.messages,
        count.notes,
        peak_mib()
    );
    Ok(count)
}

fn main() -> std::io::Result<()> {
    let answers = Answers {
        zone: Some(ZoneAnswer {
            name: "Europe/Lisbon".to_owned(),
            source: ZoneSource::Operator,
        }),
        ..Answers::default()
    };
    measure("whatsapp android", |out| chat(false, out), &answers, false)?;
    measure("whatsapp ios", |out| chat(true, out), &answers, false)?;
    let mapping = r#"{"conversation":"conversation","sender":"sender","ts":"ts","body":"text","id":"id","id_scope":"global","app":"source"}"#;
    let tables = Answers {
        mapping: Mapping::from_json(mapping).ok(),
        ..Answers::default()
    };
    measure("json lines", rows, &tables, false)?;
    let count = measure(
        "whatsapp with short forms",
        |out| chat(false, out),
        &answers,
        true,
    )?;
    let sightings = count.sightings.unwrap_or_default();
    let known: Vec<Known> = (0..)
        .zip(&sightings[..sightings.len() * 6 / 10])
        .map(|(no, sighting)| Known {
            no: MessageNo(no),
            sighting: *sighting,
        })
        .collect();
    let start = Instant::now();
    let outcome = align(&known, &sightings);
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "alignment: {} incoming against {} known in {seconds:.2} s, peak {} MiB",
        outcome.verdicts.len(),
        known.len(),
        peak_mib()
    );
    Ok(())
}
