//! Laws of the room as a whole: what is added is found, what is replaced or removed is not, and no
//! change of the files goes unseen.

use super::testing::*;
use super::*;
use crate::domain::{ConversationNo, Scope};
use crate::query::Node;

fn everything() -> Scope {
    Scope::everything()
}

#[test]
fn s10_what_is_added_is_found_and_counted_exactly() {
    let texts = [
        "deal at noon",
        "no deal",
        "noon it is",
        "Déjà vu",
        "deal deal deal",
    ];
    let messages: Vec<Message> = (1..)
        .zip(texts)
        .map(|(no, text)| Message::new(no, text))
        .collect();
    let (_world, index) = World::with(&[messages[..2].to_vec(), messages[2..].to_vec()]);
    let find = |root| hits(&index, root, &everything());
    assert_eq!(find(word("deal")), [1, 2, 5]);
    assert_eq!(find(word("DEJA")), [4]);
    assert_eq!(find(Node::And(vec![word("deal"), word("noon")])), [1]);
    assert_eq!(find(Node::Or(vec![word("vu"), word("no")])), [2, 4]);
    assert_eq!(find(Node::Not(Box::new(word("deal")))), [3, 4]);
    let not = Node::Not(Box::new(word("noon")));
    assert_eq!(find(Node::And(vec![word("deal"), not])), [2, 5]);
    assert_eq!(find(Node::Everything), [1, 2, 3, 4, 5]);
    assert_eq!(find(Node::Nothing), [] as [u64; 0]);
}

#[test]
fn s14_nothing_outside_the_scope_is_found_or_counted() {
    let mut messages: Vec<Message> = (1..=30).map(|no| Message::new(no, "deal")).collect();
    for message in &mut messages {
        message.conversation = message.no as u32 % 3;
        message.account = (message.no % 5 == 0).then_some(7);
    }
    let (_world, index) = World::with(std::slice::from_ref(&messages));
    let mut scope = Scope::nothing();
    assert!(hits(&index, word("deal"), &scope).is_empty());
    scope.conversations.insert(ConversationNo(1));
    scope.accounts.insert(crate::domain::AccountNo(7));
    scope.denied.insert(ConversationNo(2));
    let inside = |message: &&Message| {
        let account = message.account.map(crate::domain::AccountNo);
        scope.allows(ConversationNo(message.conversation), account)
    };
    let expected: Vec<u64> = messages
        .iter()
        .filter(inside)
        .map(|message| message.no)
        .collect();
    assert_eq!(hits(&index, word("deal"), &scope), expected);
}

#[test]
fn a_replaced_message_is_found_by_its_new_words_alone() {
    let (mut world, index) =
        World::with(&[vec![Message::new(1, "old words"), Message::new(2, "x")]]);
    let mut writer = index.writer();
    let mut message = Message::new(1, "new words");
    let novelty = Novelty::Replaces(crate::domain::Timestamp(message.sent));
    add(&mut writer, &message, novelty);
    message.versions = vec!["newer words".to_owned()];
    add(&mut writer, &message, novelty);
    add(&mut writer, &Message::new(3, "words"), Novelty::New);
    let committed = writer.commit_all().unwrap();
    world.settle(committed);
    let find = |root| hits(&index, root, &everything());
    assert_eq!(find(word("words")), [1, 3]);
    assert_eq!(find(word("old")), [] as [u64; 0]);
    assert_eq!(find(word("new")), [] as [u64; 0]);
    assert_eq!(find(word("newer")), [1]);
    writer
        .delete(
            crate::domain::MessageNo(3),
            crate::domain::Timestamp(Message::new(3, "").sent),
        )
        .unwrap();
    add(&mut writer, &Message::new(4, "words"), Novelty::New);
    writer.commit_all().unwrap();
    assert_eq!(find(word("words")), [1, 4]);
}

#[test]
fn an_index_opens_again_as_it_was() {
    let messages: Vec<Message> = (1..=50).map(|no| Message::new(no, "deal")).collect();
    let (world, index) = World::with(&[messages[..20].to_vec(), messages[20..].to_vec()]);
    drop(index);
    let opened = world.open_with(99);
    assert!(opened.refused.is_empty(), "{:?}", opened.refused);
    assert!(opened.ahead.is_empty());
    assert_eq!(hits(&opened.index, word("deal"), &everything()).len(), 50);
}

#[test]
fn s10_pages_in_every_order_join_to_the_whole_without_gap_or_repeat() {
    let messages: Vec<Message> = (1..=60)
        .map(|no| {
            let mut message = Message::new(no, &"deal ".repeat(1 + no as usize % 4));
            // Equal times, over two years.
            message.sent = 1_703_900_000_000_000 + (no as i64 / 7) * 86_400_000_000;
            message
        })
        .collect();
    let (_world, index) = World::with(&[messages[..33].to_vec(), messages[33..].to_vec()]);
    assert_eq!(index.parts().len(), 2);
    for order in [Order::Newest, Order::Oldest, Order::Best] {
        let query = resolved(word("deal"));
        let whole = index
            .search(&query, &everything(), Page::first(order, usize::MAX))
            .unwrap();
        assert_eq!(whole.total, 60);
        assert_eq!(whole.hits.len(), 60);
        let mut paged: Vec<Hit> = Vec::new();
        loop {
            let mut page = Page::first(order, 7);
            page.after = paged.last().copied().map(Cursor::from);
            let answer = index.search(&query, &everything(), page).unwrap();
            assert_eq!(answer.total, 60);
            if answer.hits.is_empty() {
                break;
            }
            paged.extend(answer.hits);
        }
        assert_eq!(paged, whole.hits, "{order:?}");
        let sorted = match order {
            Order::Newest => whole
                .hits
                .is_sorted_by_key(|hit| std::cmp::Reverse((hit.sent, hit.no))),
            Order::Oldest => whole.hits.is_sorted_by_key(|hit| (hit.sent, hit.no)),
            Order::Best => whole.hits.is_sorted_by(|a, b| a.score >= b.score),
        };
        assert!(sorted, "{order:?}");
    }
}

/// Queries that read every sort of file.
fn questions() -> Vec<Node> {
    let phrase = crate::query::SpanQuery::Phrase(
        ["word7", "word8"]
            .iter()
            .map(|text| crate::query::Slot::Term {
                any: vec![pattern(text)],
                overlap: 0,
            })
            .collect(),
    );
    vec![
        word("word7"),
        Node::And(vec![word("word1"), word("word2")]),
        text(phrase),
        Node::Not(Box::new(word("word3"))),
        Node::Fact(crate::query::Predicate::Sent(crate::query::TimeRange {
            since: Some(crate::domain::Timestamp(1_700_050_000_000_000)),
            until: Some(crate::domain::Timestamp(1_700_100_000_000_000)),
        })),
    ]
}

type Answers = Vec<Vec<Hit>>;

fn answers(index: &Index) -> Result<Answers> {
    let mut all = Vec::new();
    for order in [Order::Newest, Order::Best] {
        for question in questions() {
            let page = Page::first(order, 5_000);
            let answer = index.search(&resolved(question), &everything(), page)?;
            assert_eq!(answer.total, answer.hits.len() as u64);
            all.push(answer.hits);
        }
    }
    Ok(all)
}

/// A directory with files of several pages, deletions among them, and its true answers.
struct Original {
    world: World,
    answers: Answers,
    older_list: Vec<u8>,
}

fn original() -> Original {
    let messages: Vec<Message> = (1..=2_500)
        .map(|no| {
            let words: Vec<String> = (0..12)
                .map(|place| format!("word{}", no * (place + 3) % (40 + place * 90)))
                .collect();
            Message::new(no, &words.join(" "))
        })
        .collect();
    let (mut world, index) = World::with(&[messages[..1_500].to_vec(), messages[1_500..].to_vec()]);
    let older_list = std::fs::read(world.path().join("2023/meta.json")).unwrap();
    let mut writer = index.writer();
    for message in &messages[10..40] {
        let sent = crate::domain::Timestamp(message.sent);
        writer
            .delete(crate::domain::MessageNo(message.no), sent)
            .unwrap();
    }
    let committed = writer.commit_all().unwrap();
    world.settle(committed);
    Original {
        answers: answers(&index).unwrap(),
        world,
        older_list,
    }
}

impl Original {
    /// Names of the files with content.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.world.path().join("2023"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        names
    }

    /// Copies the directory, changes it, and asks everything of the copy.
    fn tampered(&self, change: impl FnOnce(&std::path::Path)) -> Vec<Error> {
        let copy = tempfile::tempdir().unwrap();
        let part = copy.path().join("2023");
        std::fs::create_dir(&part).unwrap();
        for name in self.files() {
            std::fs::copy(self.world.path().join("2023").join(&name), part.join(&name)).unwrap();
        }
        change(&part);
        let keys: std::sync::Arc<dyn SegmentKeys> = std::sync::Arc::clone(&self.world.keys) as _;
        let entropy = std::sync::Arc::new(crate::crypto::SeededEntropy::new(77));
        let config = IndexConfig::new(crate::domain::StoreId(5));
        let opened = Index::open(copy.path(), keys, entropy, config, &self.world.anchors).unwrap();
        let mut errors: Vec<Error> = opened.refused.into_iter().map(|(_, error)| error).collect();
        if errors.is_empty() {
            match answers(&opened.index) {
                Ok(found) => assert!(found == self.answers, "a wrong answer"),
                Err(error) => errors.push(error),
            }
            errors.extend(opened.index.prove_files().err());
        }
        errors
    }

    /// The change is found, and every error names one of the files.
    fn check(&self, files: &[&str], change: impl FnOnce(&std::path::Path)) {
        let errors = self.tampered(change);
        assert!(!errors.is_empty(), "nothing was noticed in {files:?}");
        for error in errors {
            let text = error.to_string();
            assert!(error.needs_rebuild(), "{text}");
            let named = files.iter().any(|file| text.contains(file));
            assert!(named, "{text} does not name {files:?}");
        }
    }
}

fn change(path: &std::path::Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn e3_no_change_of_any_file_gives_a_wrong_answer_and_every_one_is_named() {
    use proptest::test_runner::{Config, TestRunner};
    let original = original();
    assert_eq!(
        original.tampered(|_| {}).len(),
        0,
        "an untouched copy is sound"
    );
    let files = original.files();
    assert!(files.iter().any(|name| name.ends_with(".del")));
    let mut runner = TestRunner::new(Config::with_cases(160));
    let strategy = (
        proptest::sample::select(files.clone()),
        proptest::sample::select(files.clone()),
        proptest::prelude::any::<proptest::sample::Index>(),
        0..8u32,
        0..6u32,
    );
    runner
        .run(&strategy, |(name, other, place, bit, sort)| {
            let names: Vec<&str> = vec![&name, &other];
            original.check(&names, |part| match sort {
                0 => change(&part.join(&name), |bytes| {
                    let at = place.index(bytes.len());
                    bytes[at] ^= 1 << bit;
                }),
                1 => change(&part.join(&name), |bytes| {
                    bytes.truncate(place.index(bytes.len()));
                }),
                2 => change(&part.join(&name), |bytes| {
                    bytes.extend(std::iter::repeat_n(bit as u8, 1 + place.index(20_000)));
                }),
                3 if name != other => {
                    // Two files of the part exchanged.
                    std::fs::rename(part.join(&name), part.join("x")).unwrap();
                    std::fs::rename(part.join(&other), part.join(&name)).unwrap();
                    std::fs::rename(part.join("x"), part.join(&other)).unwrap();
                }
                4 => change(&part.join(&name), |bytes| {
                    // Two pages exchanged, or the only one changed.
                    let page = 16 * 1024 + 16;
                    let first = 8 + 72;
                    if bytes.len() >= first + 2 * page {
                        let (left, right) = bytes[first..].split_at_mut(page);
                        left.swap_with_slice(&mut right[..page]);
                    } else {
                        let last = bytes.len() - 1;
                        bytes[last] ^= 1;
                    }
                }),
                _ => std::fs::remove_file(part.join(&name)).unwrap(),
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn e3_a_file_of_another_index_and_an_older_list_are_refused() {
    let original = original();
    original.check(&["2023"], |part| {
        std::fs::write(part.join("meta.json"), &original.older_list).unwrap();
    });
    let (foreign, _index) = World::with(&[vec![Message::new(1, "word7")]]);
    for name in original.files() {
        let Some((_, kind)) = name.rsplit_once('.') else {
            continue;
        };
        let foreign = std::fs::read_dir(foreign.path().join("2023"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|extension| extension == kind));
        if let Some(foreign) = foreign {
            original.check(&[&name], |part| {
                std::fs::copy(&foreign, part.join(&name)).unwrap();
            });
        }
    }
}

#[test]
fn e3_no_word_stands_in_clear_in_any_file() {
    let messages: Vec<Message> = (1..=50)
        .map(|no| Message::new(no, "canaryword another"))
        .collect();
    let (world, _index) = World::with(&[messages]);
    let part = world.path().join("2023");
    let mut files = 0;
    for entry in std::fs::read_dir(part).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        files += 1;
        for needle in [&b"canary"[..], b"another", b"segments", b"schema"] {
            assert!(!bytes.windows(needle.len()).any(|window| window == needle));
        }
    }
    assert!(files >= 7);
}

#[test]
fn a_crash_before_the_anchor_is_accepted_and_its_debris_swept() {
    let (world, index) = World::with(&[vec![Message::new(1, "one")]]);
    let mut writer = index.writer();
    add(&mut writer, &Message::new(2, "two"), Novelty::New);
    // The commit is not settled: the store never heard of it.
    let committed = writer.commit_all().unwrap();
    drop((writer, index));
    let debris = world
        .path()
        .join("2023/0123456789abcdef0123456789abcdef.idx");
    std::fs::write(&debris, [7; 200]).unwrap();
    let opened = world.open_with(33);
    assert_eq!(opened.ahead, [PartName::Year(2023)]);
    assert!(!debris.exists());
    assert_eq!(opened.orphans, [KeyId(u64::from_le_bytes([7; 8]))]);
    assert_eq!(hits(&opened.index, word("two"), &everything()), [2]);
    assert_eq!(
        opened.index.anchor(PartName::Year(2023)),
        Some(committed[0].anchor)
    );
}
