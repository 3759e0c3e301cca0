//! The whole sample: how many messages go to which conversation, and the files that come out.

use super::calendar::DAY_SECONDS;
use super::cast::{CONVERSATIONS, Conversation, END, Media, Place};
use super::chance::Chance;
use super::jsonl::Told;
use super::story::{Line, fixed_lines, tell};
use super::whatsapp::Phone;
use super::{jsonl, planted, whatsapp};
use crate::domain::{App, Timestamp};

/// Messages of a sample when nobody says.
pub const MESSAGES_DEFAULT: usize = 10_000;
/// The fewest messages: what is planted, and some talk around it. Smaller wishes are raised.
pub const MESSAGES_MIN: usize = 400;

/// The made-up archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The export files, in the order in which they are imported.
    pub files: Vec<SampleFile>,
    /// Questions that surely have answers.
    pub tour: Vec<TourStep>,
    /// Messages in all files together.
    pub messages: usize,
}

/// One export file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// Its name, unique in the sample.
    pub name: String,
    /// Its bytes, or what to pack.
    pub content: Content,
    /// The answers that its import needs.
    pub options: Options,
    /// Messages in it: headers of a chat, or records.
    pub messages: usize,
    /// Lines in it that belong to no message.
    pub bad_lines: usize,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The bytes as they are.
    Plain(Vec<u8>),
    /// The entries of a zip, chat first. Whoever has a zip writer packs them, dated
    /// [`Options::modified`]: a reader takes messages after that date for a misread date.
    Zip(Vec<Entry>),
}

/// One entry of a zip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without directories.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What an import of the file is told, because the file does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The platform.
    pub app: App,
    /// The IANA zone of its local times.
    pub zone: &'static str,
    /// The title of the conversation; `None` where the records name it.
    pub title: Option<&'static str>,
    /// The order of dates, in case the import asks: `dmy`, `mdy` or `ymd`.
    pub date_order: Option<&'static str>,
    /// The mapping file of a table, as JSON.
    pub mapping: Option<String>,
    /// When the file was written.
    pub modified: Timestamp,
}

/// A step of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TourStep {
    /// What somebody wants to know.
    pub what: &'static str,
    /// The query that answers it.
    pub query: &'static str,
    /// Words of a message that the query finds, as written.
    pub evidence: &'static str,
}

/// Lines that somebody's mail program left at the top of one file. They belong to no message.
const BAD_LINES: [&str; 3] = [
    "---------- Forwarded message ----------",
    "Subject: chat export as requested",
    "Sent from my phone, please excuse typos",
];
/// The chat whose file has them.
const BAD_LINES_TITLE: &str = "Lagos shipments";

/// Makes the sample of a seed. `messages` is the exact number in all files together, at least
/// [`MESSAGES_MIN`]. Memory: about 120 bytes a message.
pub fn generate(seed: u64, messages: usize) -> Sample {
    let messages = messages.max(MESSAGES_MIN);
    let root = Chance::new(seed);
    let mut files = Vec::new();
    let mut records: Vec<(App, Vec<Told>)> = Vec::new();
    let shares = shares(messages);
    for (number, (conversation, share)) in CONVERSATIONS.iter().zip(shares).enumerate() {
        let lines = tell(&mut root.branch(number as u64), conversation, share);
        match conversation.place {
            Place::WhatsApp(phone, media) => {
                files.push(chat_file(conversation, phone, media, &lines));
            }
            Place::Records(app) => match records.iter_mut().find(|(known, _)| *known == app) {
                Some((_, told)) => told.push((conversation, lines)),
                None => records.push((app, vec![(conversation, lines)])),
            },
        }
    }
    files.extend(records.iter().map(|(app, told)| record_file(*app, told)));
    Sample {
        files,
        tour: tour(),
        messages,
    }
}

fn tour() -> Vec<TourStep> {
    let step = |question: &planted::Question| TourStep {
        what: question.what,
        query: question.query,
        evidence: question.evidence,
    };
    planted::TOUR.iter().map(step).collect()
}

/// Messages of each conversation: what is fixed, and of the rest a part by weight. Their sum is
/// exactly `messages`.
fn shares(messages: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = CONVERSATIONS.iter().map(fixed_lines).collect();
    let mut rest = messages.saturating_sub(shares.iter().sum());
    let mut weights: u64 = CONVERSATIONS.iter().map(|talk| talk.weight).sum();
    for (share, conversation) in shares.iter_mut().zip(&CONVERSATIONS) {
        // What rounding leaves goes to those that follow; the last one takes all.
        let part = rest as u128 * u128::from(conversation.weight) / u128::from(weights);
        *share += part as usize;
        rest -= part as usize;
        weights -= conversation.weight;
    }
    shares
}

fn chat_file(
    conversation: &Conversation,
    phone: Phone,
    media: Media,
    lines: &[Line],
) -> SampleFile {
    let export = whatsapp::export(conversation, phone, media, lines);
    let name = phone.export_name(conversation.title);
    let mut text = export.text;
    let bad_lines = if conversation.title == BAD_LINES_TITLE {
        text.insert_str(0, &format!("{}\n", BAD_LINES.join("\n")));
        BAD_LINES.len()
    } else {
        0
    };
    let bytes = text.into_bytes();
    let (name, content) = match (phone.is_ios(), media) {
        (false, Media::Omitted) => (format!("{name}.txt"), Content::Plain(bytes)),
        (is_ios, _) => {
            let chat = if is_ios {
                "_chat.txt".to_owned()
            } else {
                format!("{name}.txt")
            };
            let mut entries = vec![Entry { name: chat, bytes }];
            entries.extend(export.media);
            (format!("{name}.zip"), Content::Zip(entries))
        }
    };
    SampleFile {
        name,
        content,
        options: Options {
            app: App::WhatsApp,
            zone: phone.zone(),
            title: Some(conversation.title),
            date_order: Some(phone.date_order()),
            mapping: None,
            modified: modified(),
        },
        messages: lines.len(),
        bad_lines,
    }
}

fn record_file(app: App, told: &[Told]) -> SampleFile {
    let export = jsonl::export(app, told);
    SampleFile {
        name: format!("{}.jsonl", app.name()),
        content: Content::Plain(export.text.into_bytes()),
        options: Options {
            app,
            zone: "UTC",
            title: None,
            date_order: None,
            mapping: Some(export.mapping),
            modified: modified(),
        },
        messages: told.iter().map(|(_, lines)| lines.len()).sum(),
        bad_lines: 0,
    }
}

/// All exports were made two weeks after the end of the story, when its last topics are over.
const fn modified() -> Timestamp {
    Timestamp::from_seconds(END.plus(14 * DAY_SECONDS).0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;

    fn texts(file: &SampleFile) -> String {
        let bytes = match &file.content {
            Content::Plain(bytes) => bytes,
            Content::Zip(entries) => &entries[0].bytes,
        };
        String::from_utf8(bytes.clone()).unwrap()
    }

    /// Heads of WhatsApp messages, written from the documentation of the format rather than from
    /// the writer.
    fn heads(text: &str) -> usize {
        let head = Regex::new(
            r"(?m)^\x{200E}?(\[\d\d?[/.]\d\d?[/.]\d{2,4}, \d\d?:\d\d:\d\d(\x{202F}[AP]M)?\] |\d{1,4}\x{200F}?[/.]\d\d?\x{200F}?[/.]\d{2,4}[,،]? \d\d?:\d\d([\x{202F} ]([AP]M|[ap]\.\x{A0}m\.|[صم]))? - )",
        );
        head.unwrap().find_iter(text).count()
    }

    #[test]
    fn equal_seeds_give_equal_bytes_and_others_do_not() {
        assert_eq!(generate(1, 900), generate(1, 900));
        assert_ne!(generate(1, 900), generate(2, 900));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

        #[test]
        fn the_number_of_messages_is_exact(seed: u64, messages in 0_usize..6_000) {
            let sample = generate(seed, messages);
            let wanted = messages.max(MESSAGES_MIN);
            let sum: usize = sample.files.iter().map(|file| file.messages).sum();
            proptest::prop_assert_eq!((sum, sample.messages), (wanted, wanted));
        }
    }

    #[test]
    fn what_is_planted_fits_into_the_smallest_sample() {
        let fixed: usize = CONVERSATIONS.iter().map(fixed_lines).sum();
        assert!(fixed + 200 < MESSAGES_MIN, "{fixed}");
    }

    #[test]
    fn chats_hold_as_many_heads_as_messages() {
        for file in generate(3, 5_000).files {
            if file.options.app != App::WhatsApp {
                continue;
            }
            let text = texts(&file);
            // One planted message quotes the heads of two others.
            let quoted = text
                .matches("Rowan Fields: we take both machines\n")
                .count()
                * 2;
            assert_eq!(heads(&text), file.messages + quoted, "{}", file.name);
            assert!(text.ends_with('\n'));
        }
    }

    #[test]
    fn records_hold_the_keys_of_their_mapping() {
        for file in generate(3, 5_000).files {
            let Some(mapping) = &file.options.mapping else {
                continue;
            };
            let mapping: serde_json::Value = serde_json::from_str(mapping).unwrap();
            let text = texts(&file);
            assert_eq!(text.lines().count(), file.messages);
            for line in text.lines() {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                for part in ["conversation", "sender", "ts", "body"] {
                    let key = mapping[part].as_str().unwrap();
                    assert!(record[key].is_string(), "{part} of {line}");
                }
            }
        }
    }

    #[test]
    fn every_question_of_the_tour_has_its_evidence() {
        for seed in [0, 1, u64::MAX] {
            let sample = generate(seed, MESSAGES_MIN);
            let all: String = sample.files.iter().map(texts).collect();
            for step in &sample.tour {
                assert!(all.contains(step.evidence), "{}", step.what);
            }
        }
    }

    #[test]
    fn one_import_has_three_bad_lines() {
        let sample = generate(0, MESSAGES_MIN);
        let bad: Vec<&SampleFile> = sample
            .files
            .iter()
            .filter(|file| file.bad_lines > 0)
            .collect();
        assert_eq!(bad.len(), 1);
        assert_eq!(bad[0].bad_lines, 3);
        let text = texts(bad[0]);
        let first: Vec<&str> = text.lines().take(4).collect();
        assert_eq!(first[..3], BAD_LINES);
        assert_eq!(heads(first[3]), 1);
    }

    #[test]
    fn every_file_a_chat_names_is_in_its_zip() {
        let sample = generate(4, MESSAGES_DEFAULT);
        let name = Regex::new(r"(?m)(?:<\S+: (\d{8}-.+?)>|: ([^:\n]+\.\w+) \(.+ .+\))$").unwrap();
        let mut zips = 0;
        for file in &sample.files {
            let Content::Zip(entries) = &file.content else {
                continue;
            };
            let text = texts(file);
            let named: BTreeSet<&str> = name
                .captures_iter(&text)
                .filter_map(|found| found.get(1).or(found.get(2)))
                .map(|found| found.as_str())
                .collect();
            let packed: BTreeSet<&str> = entries[1..].iter().map(|entry| &*entry.name).collect();
            assert_eq!(named, packed, "{}", file.name);
            assert_eq!(packed.len() + 1, entries.len(), "names are unique");
            zips += usize::from(!packed.is_empty());
        }
        assert_eq!(zips, 4);
    }

    #[test]
    fn names_of_files_are_unique() {
        let sample = generate(0, MESSAGES_MIN);
        let names: BTreeSet<&str> = sample.files.iter().map(|file| &*file.name).collect();
        assert_eq!(names.len(), sample.files.len());
        assert_eq!(sample.files.len(), 24 + 3);
    }
}
