//! C6: a chat imported again and again is the union of its exports.

use proptest::prelude::*;

use crate::support::collect::{done, in_utc};
use crate::support::locale_matrix::{ROWS, chat, print};
use wordkeep::domain::{ConversationNo, Kind, MessageNo, Precision, Presence, Timestamp};
use wordkeep::ingest::Answers;
use wordkeep::ingest::align::{
    Facts, Identity, Known, Sighting, Verdict, align, anchors, echo, identify,
};

/// A message of a generated chat: minute, author, text.
type Said = (i64, u8, String);

fn sighting((minute, author, text): &Said) -> Sighting {
    Sighting::of(&Facts {
        sender: Some(["Ana", "Bo", "Cem"][usize::from(author % 3)]),
        body: text,
        kind: Kind::Text,
        presence: Presence::default(),
        file_is_here: false,
        sent: Some(Timestamp::from_seconds(minute * 60)),
        precision: Precision::Minute,
        source_id: None,
    })
}

/// A conversation that admits what is new, as the archive does.
#[derive(Default)]
struct Conversation {
    known: Vec<Known>,
    next: u64,
    observations: usize,
}

/// What one import counted.
#[derive(Debug, PartialEq, Eq, Default)]
struct Receipt {
    new: usize,
    known: usize,
    revised: usize,
}

impl Conversation {
    fn import(&mut self, incoming: &[Sighting]) -> Receipt {
        let outcome = align(&self.known, incoming);
        let mut receipt = Receipt::default();
        let mut added = Vec::new();
        for (verdict, sighting) in outcome.verdicts.iter().zip(incoming) {
            match verdict {
                Verdict::New { after } => {
                    receipt.new += 1;
                    added.push((
                        *after,
                        Known {
                            no: MessageNo(self.next),
                            sighting: *sighting,
                        },
                    ));
                    self.next += 1;
                }
                Verdict::Known(_) | Verdict::Repeats(_) => receipt.known += 1,
                Verdict::Revised(no) => {
                    receipt.revised += 1;
                    let last = self
                        .known
                        .iter()
                        .rposition(|known| known.no == *no)
                        .unwrap();
                    self.known.insert(
                        last + 1,
                        Known {
                            no: *no,
                            sighting: *sighting,
                        },
                    );
                }
            }
        }
        for (after, known) in added.into_iter().rev() {
            let place = match after {
                None => 0,
                Some(no) => self.known.iter().rposition(|known| known.no == no).unwrap() + 1,
            };
            self.known.insert(place, known);
        }
        self.observations += incoming.len();
        receipt
    }

    /// Key and minute of every message, sorted.
    fn canonical(&self) -> Vec<(u128, Option<i64>)> {
        let mut all: Vec<_> = self
            .known
            .iter()
            .map(|known| (known.sighting.key.0, known.sighting.at))
            .collect();
        all.sort_unstable();
        all
    }

    fn of(exports: &[&[Sighting]]) -> Conversation {
        let mut conversation = Conversation::default();
        for export in exports {
            conversation.import(export);
        }
        conversation
    }
}

/// Chats with a third of short repeats, several of them in one minute.
fn a_chat() -> impl Strategy<Value = Vec<Sighting>> {
    proptest::collection::vec((0i64..3, 0u8..3, 0u8..9), 0..120).prop_map(|steps| {
        let mut minute = 28_000_000;
        let mut all = Vec::new();
        for (place, (step, author, word)) in steps.into_iter().enumerate() {
            minute += step;
            let text = match word {
                0..=2 => ["ok", "yes", "👍"][usize::from(word)].to_owned(),
                _ => format!("message number {place} of the chat"),
            };
            all.push(sighting(&(minute, author, text)));
        }
        all
    })
}

proptest! {
    #[test]
    fn c6_importing_twice_is_importing_once(chat in a_chat()) {
        let mut conversation = Conversation::of(&[&chat]);
        let before = conversation.canonical();
        let receipt = conversation.import(&chat);
        prop_assert_eq!(receipt, Receipt { known: chat.len(), ..Receipt::default() });
        prop_assert_eq!(conversation.canonical(), before);
    }

    #[test]
    fn c6_order_growth_and_repeats_hold_for_overlapping_parts(chat in a_chat(), one in 0usize..120, other in 0usize..120) {
        let (from, to) = (one.min(chat.len()), other.min(chat.len()));
        let (head, tail) = (&chat[..to.max(from)], &chat[from.min(to)..]);
        let first = Conversation::of(&[head, tail]);
        let second = Conversation::of(&[tail, head]);
        prop_assert_eq!(first.canonical(), second.canonical(), "order does not matter");
        prop_assert_eq!(first.canonical(), Conversation::of(&[&chat]).canonical(), "the union is the chat, repeats included");
        prop_assert!(first.known.len() >= head.len().max(tail.len()));
    }

    #[test]
    fn c6_a_subset_adds_nothing_and_a_hole_is_filled(chat in a_chat(), kept in proptest::collection::vec(any::<bool>(), 120)) {
        let part: Vec<Sighting> = chat.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(said, _)| *said).collect();
        let whole = Conversation::of(&[&chat]);
        let subset_last = Conversation::of(&[&chat, &part]);
        let hole_first = Conversation::of(&[&part, &chat]);
        prop_assert_eq!(subset_last.canonical(), whole.canonical());
        prop_assert_eq!(hole_first.canonical(), whole.canonical());
        prop_assert_eq!(hole_first.observations, part.len() + chat.len(), "no import removes an observation");
    }

    #[test]
    fn c6_chats_without_common_messages_are_their_sum(chat in a_chat()) {
        let later: Vec<Sighting> = chat.iter().map(|said| Sighting { at: said.at.map(|at| at + 86_400_000_000 * 30), ..*said }).collect();
        prop_assert_eq!(Conversation::of(&[&chat, &later]).known.len(), 2 * chat.len());
    }
}

#[test]
fn c6_a_large_overlap_loses_and_doubles_nothing() {
    // A fixed walk: 20,000 messages, every third one of three words.
    let mut state = 12_345u64;
    let mut minute = 28_000_000;
    let chat: Vec<Sighting> = (0..20_000)
        .map(|place| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            minute += (state >> 60) as i64 % 3;
            let author = (state >> 40) as u8;
            let text = match state >> 33 & 3 {
                0 => "ok".to_owned(),
                _ => format!("message {place}"),
            };
            sighting(&(minute, author, text))
        })
        .collect();
    let one: Vec<Sighting> = chat[..12_000]
        .iter()
        .enumerate()
        .filter(|(place, _)| !(4_000..5_400).contains(place))
        .map(|(_, said)| *said)
        .collect();
    let other = &chat[8_000..];
    let union = Conversation::of(&[&one, other]);
    assert_eq!(union.known.len(), 20_000 - 1_400);
}

#[test]
fn c6_another_chat_is_told_apart() {
    let talk = |topic: &str| -> Vec<Sighting> {
        (0..50)
            .map(|place| sighting(&(28_000_000 + place, 0, format!("{topic} number {place}"))))
            .collect()
    };
    let (apples, pears) = (talk("apples"), talk("pears"));
    let known = anchors(apples.iter());
    let candidates = [(ConversationNo(3), known.as_slice())];
    assert_eq!(
        identify(&candidates, &anchors(pears.iter())),
        Identity::Different
    );
    let again = identify(&candidates, &anchors(apples[20..].iter()));
    assert_eq!(again, Identity::Same(ConversationNo(3), 1_000));
    assert_eq!(identify(&candidates, &[]), Identity::Unclear(None));
}

#[test]
fn c6_one_chat_printed_in_every_style_is_one_stream() {
    let said = chat(None);
    let mut conversation = Conversation::default();
    for row in ROWS {
        let locale = row.locales.split(' ').next().unwrap();
        for ios in [false, true] {
            let text = print(row, locale, ios, None, &said);
            let messages = done("chat.txt", text.as_bytes(), &in_utc()).messages;
            let sightings: Vec<Sighting> = messages.iter().map(|kept| kept.sighting()).collect();
            conversation.import(&sightings);
            assert_eq!(conversation.known.len(), said.len(), "{locale} ios={ios}");
        }
    }
}

#[test]
fn c6_the_last_line_is_the_same_with_and_without_its_end() {
    let text = "13/01/2024, 10:00 - Ana: one\n13/01/2024, 10:01 - Ana: last\n";
    let with = done("a.txt", text.as_bytes(), &Answers { ..in_utc() });
    let without = done("a.txt", text.trim_end().as_bytes(), &in_utc());
    assert_eq!(with.messages[1].body, "last");
    assert_eq!(with.messages[1].sighting(), without.messages[1].sighting());
}

#[test]
fn c6_a_chat_of_a_few_words_is_told_by_the_same_words_at_the_same_times() {
    let said = |place: i64, sender: u8, text: &str| {
        sighting(&(28_000_000 + place, sender, text.to_owned()))
    };
    let chat = [said(0, 0, "ok?"), said(1, 1, "deal"), said(9, 0, "paid")];
    let longer = [chat[0], chat[1], chat[2], said(20, 1, "thanks")];
    assert!(echo(chat.iter(), &longer).is_same());
    assert!(echo(longer.iter(), &chat).is_same());
    // One wish to everybody makes no conversation of two.
    let wish = [said(0, 0, "happy new year"), said(1, 0, "to all of you")];
    let other = [wish[0], wish[1], said(2, 1, "you too")];
    let both = echo(wish.iter(), &other);
    assert_eq!((both.found, both.is_same()), (2, false));
    let elsewhere = [said(0, 0, "hello"), said(1, 1, "hello")];
    assert_eq!(echo(chat.iter(), &elsewhere).found, 0);
    // A true repeat counts as often as both have it.
    let twice = [chat[1], chat[1], chat[0]];
    assert_eq!(echo(chat.iter(), &twice).found, 2);
}
