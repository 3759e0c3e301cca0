//! C1: containers made to harm do not; what can be read is read, the rest is listed.

use std::io::Write;

use crate::support::collect::{in_utc, run};
use wordkeep::domain::NoteKind;
use wordkeep::ingest::{Budget, Container, IngestError, MemorySource, Outcome, Source, detect};
use zip::write::SimpleFileOptions;

const CHAT: &[u8] = b"13/01/2024, 10:00 - Ana: hi\n14/01/2024, 10:00 - Bo: ho\n";

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn open(bytes: &[u8], budget: Budget) -> Container<'static> {
    let source: Box<dyn Source> = Box::new(MemorySource::new("a.zip", bytes.to_vec()));
    Container::open(vec![source], budget).unwrap()
}

#[test]
fn c1_an_ios_archive_reads_with_its_media() {
    let text = b"[13/01/2024, 10:00:01] Ana: \xE2\x80\x8E<attached: 00000001-PHOTO-2024-01-13-10-00-01.jpg>\n";
    let bytes = zipped(&[
        ("_chat.txt", text),
        (
            "00000001-PHOTO-2024-01-13-10-00-01.jpg",
            b"\xFF\xD8\xFF\xE0",
        ),
    ]);
    let (collect, outcome) = run(&[("WhatsApp Chat - Sales & Co.zip", &bytes)], &in_utc());
    assert!(matches!(outcome, Some(Outcome::Done(_))), "{outcome:?}");
    assert_eq!(collect.messages[0].conversation, "Sales & Co");
    assert_eq!(collect.messages[0].attachment.as_ref().unwrap().1, Some(2));
}

#[test]
fn c1_a_bomb_stops_at_its_ratio_and_spares_the_rest() {
    let bomb = vec![b'0'; 64 * 1024 * 1024];
    let bytes = zipped(&[("bomb.txt", &bomb), ("_chat.txt", CHAT)]);
    assert!(bytes.len() < 200_000);
    let mut container = open(&bytes, Budget::default());
    let read = container.read(1, |bytes| Ok(std::io::copy(bytes, &mut std::io::sink())?));
    assert!(matches!(read, Err(IngestError::Budget(_))), "{read:?}");
    let found = detect(&mut container).unwrap();
    assert_eq!(
        found
            .chats
            .iter()
            .map(|chat| chat.entry)
            .collect::<Vec<_>>(),
        [2]
    );
}

#[test]
fn c1_the_total_is_one_budget() {
    let noise: Vec<u8> = (0..200_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let bytes = zipped(&[("a.bin", &noise), ("b.bin", &noise)]);
    let budget = Budget {
        expanded_bytes: 1_000_000,
        ..Budget::default()
    };
    let mut container = open(&bytes, budget);
    let mut drain = |ordinal| {
        container.read(ordinal, |bytes| {
            Ok(std::io::copy(bytes, &mut std::io::sink())?)
        })
    };
    assert!(drain(1).is_ok());
    assert!(drain(1).is_ok(), "an entry read twice counts once");
    assert!(matches!(drain(2), Err(IngestError::Budget(_))));
}

#[test]
fn c1_entries_that_overlap_are_refused_and_the_rest_read() {
    let mut bytes = zipped(&[("one.txt", CHAT), ("two.txt", CHAT), ("tri.txt", CHAT)]);
    // The directory entry of the second file is pointed at the first: header offset at 42.
    let directory: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, magic)| *magic == b"PK\x01\x02")
        .map(|(at, _)| at)
        .collect();
    bytes[directory[1] + 42..directory[1] + 46].copy_from_slice(&0u32.to_le_bytes());
    let container = open(&bytes, Budget::default());
    let refused: Vec<bool> = container
        .entries()
        .iter()
        .map(|entry| entry.refused.is_some())
        .collect();
    assert_eq!(refused, [false, true, true, false]);
    let noted = container
        .notes()
        .iter()
        .filter(|note| note.kind == NoteKind::EntryRefused);
    assert_eq!(noted.count(), 2);
}

#[test]
fn c1_names_of_one_kind_are_kept_apart_and_paths_are_labels() {
    // The writer refuses doubled names, so one letter is changed in place.
    let mut bytes = zipped(&[("../a.txt", CHAT), ("../b.txt", CHAT)]);
    let places: Vec<usize> = bytes
        .windows(8)
        .enumerate()
        .filter(|(_, name)| *name == b"../b.txt")
        .map(|(at, _)| at)
        .collect();
    for place in places {
        bytes[place + 3] = b'a';
    }
    let mut container = open(&bytes, Budget::default());
    let names: Vec<&str> = container
        .entries()
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(names, ["a.zip", "../a.txt", "../a.txt"]);
    for ordinal in [1, 2] {
        assert_eq!(container.head(ordinal, 1_000).unwrap(), CHAT);
    }
    let found = detect(&mut container).unwrap();
    assert_eq!(found.chats.len(), 1, "an archive holds one chat");
    assert_eq!(found.others.len(), 2);
    assert_eq!(container.notes().len(), 2);
}

#[test]
fn c1_a_lying_header_is_noted_and_the_directory_believed() {
    let mut bytes = zipped(&[("true.txt", CHAT)]);
    bytes[30..38].copy_from_slice(b"lies.txt");
    let mut container = open(&bytes, Budget::default());
    assert_eq!(container.entries()[1].name, "true.txt");
    assert_eq!(container.head(1, 1_000).unwrap(), CHAT);
    assert_eq!(container.notes().len(), 1);
}

#[test]
fn c1_an_archive_cut_anywhere_is_refused_and_never_panics() {
    let bytes = zipped(&[("_chat.txt", CHAT), ("b.txt", b"second")]);
    for end in 4..bytes.len() {
        let mut container = open(&bytes[..end], Budget::default());
        assert!(container.entries()[0].refused.is_some(), "{end}");
        let _ = detect(&mut container);
    }
}

#[test]
fn c1_flipped_bits_never_panic() {
    let bytes = zipped(&[("_chat.txt", CHAT), ("b.txt", b"second")]);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            let mut container = open(&damaged, Budget::default());
            let _ = detect(&mut container);
            for ordinal in 0..container.entries().len() as u32 {
                let _ = container.head(ordinal, 1_000);
            }
        }
    }
}

#[test]
fn c1_archives_in_archives_are_opened_three_deep() {
    let mut bytes = zipped(&[("_chat.txt", CHAT)]);
    for depth in 0..5 {
        bytes = zipped(&[(&format!("inner{depth}.zip"), &bytes)]);
    }
    let container = open(&bytes, Budget::default());
    let deepest = container.entries().iter().map(|entry| entry.depth).max();
    assert_eq!(deepest, Some(3));
    assert!(
        container
            .notes()
            .iter()
            .any(|note| note.kind == NoteKind::Limit)
    );
}

fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn chats_of(container: &mut Container<'_>) -> Vec<String> {
    let found = detect(container).unwrap().chats;
    let name = |entry: u32| container.entries()[entry as usize].name.clone();
    found.iter().map(|chat| name(chat.entry)).collect()
}

#[test]
fn c1_every_packing_gives_the_same_chats() {
    let files: &[(&str, &[u8])] = &[
        ("Ana/_chat.txt", CHAT),
        ("Ana/photo.jpg", b"\xFF\xD8\xFF\xE0"),
        ("Bo/_chat.txt", CHAT),
    ];
    let tar = tarred(files);
    let packings = [
        zipped(files),
        tar.clone(),
        gzipped(&tar),
        zstd::encode_all(tar.as_slice(), 3).unwrap(),
        zipped(&[("all.tar", &tar)]),
        gzipped(&zipped(files)),
        tarred(&[("all.zip", &zipped(files))]),
    ];
    for (number, bytes) in packings.iter().enumerate() {
        let mut container = open(bytes, Budget::default());
        assert_eq!(
            chats_of(&mut container),
            ["Ana/_chat.txt", "Bo/_chat.txt"],
            "{number}"
        );
        assert!(container.notes().is_empty(), "{:?}", container.notes());
        let chat = container.entries().len() as u32 - 1;
        assert_eq!(container.head(chat, 1_000).unwrap(), CHAT);
        assert_eq!(container.head(chat - 2, 1_000).unwrap(), CHAT);
    }
    let mut lone = open(&gzipped(CHAT), Budget::default());
    assert_eq!(chats_of(&mut lone).len(), 1);
}

#[test]
fn c1_links_in_a_tar_are_listed_and_never_followed() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    let link = builder.append_link(&mut header, "_chat.txt", "/etc/passwd");
    link.unwrap();
    let mut container = open(&builder.into_inner().unwrap(), Budget::default());
    assert!(container.entries()[1].refused.is_some());
    assert!(container.head(1, 10).is_err());
    assert!(chats_of(&mut container).is_empty());
}

#[test]
fn c1_packed_bombs_are_refused_whatever_the_packing() {
    let bomb = vec![b'0'; 64 * 1024 * 1024];
    let small = zstd::encode_all(bomb.as_slice(), 3).unwrap();
    for bytes in [gzipped(&bomb), small, gzipped(&tarred(&[("0", &bomb)]))] {
        let container = open(&bytes, Budget::default());
        assert_eq!(container.entries().len(), 1);
        assert!(container.entries()[0].refused.is_some());
    }
    let noise: Vec<u8> = (0..200_000u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let budget = Budget {
        expanded_bytes: 1_000_000,
        ..Budget::default()
    };
    let both = tarred(&[("a.gz", &gzipped(&noise)), ("b.gz", &gzipped(&noise))]);
    let container = open(&both, budget);
    let refused = container
        .entries()
        .iter()
        .filter(|one| one.refused.is_some());
    assert_eq!(refused.count(), 1, "the budget is one for all");
}

#[test]
fn c1_damaged_packings_never_panic() {
    let tar = tarred(&[("_chat.txt", CHAT), ("b.txt", b"second")]);
    for whole in [
        tar.clone(),
        gzipped(&tar),
        zstd::encode_all(tar.as_slice(), 3).unwrap(),
    ] {
        let step = (whole.len() / 400).max(1);
        for place in (0..whole.len()).step_by(step) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            for bytes in [&whole[..place], flipped.as_slice()] {
                let mut container = open(bytes, Budget::default());
                let _ = detect(&mut container);
                for ordinal in 0..container.entries().len() as u32 {
                    let _ = container.head(ordinal, 1_000);
                }
            }
        }
    }
}

#[test]
fn c1_words_that_were_pasted_are_no_second_form() {
    let chat: String = (13..29)
        .map(|day| format!("{day}/01/2024, 10:00 - Ana: word{day}\n"))
        .collect();
    let pasted = format!("{chat}[2019-12-24, 12:23] a: b\n[ 19.02.2024 18:41:43 ] Ana: x\n");
    let source: Box<dyn Source> = Box::new(MemorySource::new("WhatsApp Chat with Ana.txt", pasted));
    let mut container = Container::open(vec![source], Budget::default()).unwrap();
    let found = detect(&mut container).unwrap();
    assert_eq!(found.chats[0].formats, ["whatsapp"]);
}
