//! Recognises a chat by its rare texts. The name of a file or a chat proves nothing.

use crate::domain::ConversationNo;

use super::key::{MatchKey, Sighting};

/// Rare texts lie at most so far apart in two exports of one chat; microseconds (two days, which
/// leaves room for every zone).
const APART_MAX: i64 = 48 * 3_600 * 1_000_000;
/// Below this share of common rare texts, in thousandths, two chats are not the same.
const DIFFERENT_BELOW: u64 = 50;
/// From this share on, in thousandths, they are.
const SAME_FROM: u64 = 500;
/// Fewer rare texts in the common interval prove nothing.
const ANCHORS_MIN: u64 = 3;

/// A text that occurs once in a chat, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Hash of the normalised text.
    pub text: u64,
    /// The instant in microseconds; 0 when the source has none.
    pub at: i64,
}

/// Which known conversation an incoming chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// This one; the share of its rare texts that were found, in thousandths.
    Same(ConversationNo, u64),
    /// None of them: fewer than one rare text in twenty was found where the times overlap.
    Different,
    /// Too little in common, or too little at all, to tell: ask. The best candidate, if any.
    Unclear(Option<ConversationNo>),
}

/// The rare texts of a chat, sorted by text.
pub fn anchors<'s>(sightings: impl Iterator<Item = &'s Sighting>) -> Vec<Anchor> {
    let mut all: Vec<Anchor> = sightings
        .filter_map(|sighting| {
            Some(Anchor {
                text: sighting.anchor?,
                at: sighting.at.unwrap_or(0),
            })
        })
        .collect();
    all.sort_unstable();
    let mut rare = Vec::with_capacity(all.len());
    for (place, anchor) in all.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| all.get(before));
        let twice = |other: Option<&Anchor>| other.is_some_and(|other| other.text == anchor.text);
        if !twice(before) && !twice(all.get(place + 1)) {
            rare.push(*anchor);
        }
    }
    rare
}

/// Compares an incoming chat with the candidates. Where the intervals do not overlap nothing can
/// be said.
pub fn identify(candidates: &[(ConversationNo, &[Anchor])], incoming: &[Anchor]) -> Identity {
    let mut best: Option<(u64, ConversationNo)> = None;
    let mut comparable = 0;
    for (conversation, anchors) in candidates {
        let (found, possible) = common(anchors, incoming);
        if possible < ANCHORS_MIN {
            continue;
        }
        comparable += 1;
        let share = found * 1_000 / possible;
        if best.is_none_or(|(most, _)| share > most) {
            best = Some((share, *conversation));
        }
    }
    match best {
        Some((share, conversation)) if share >= SAME_FROM => Identity::Same(conversation, share),
        Some((share, conversation)) if share >= DIFFERENT_BELOW => {
            Identity::Unclear(Some(conversation))
        }
        _ if comparable == candidates.len() => Identity::Different,
        _ => Identity::Unclear(None),
    }
}

/// What two short chats have in common: the same words by the same author at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Echo {
    /// Messages both have.
    pub found: u64,
    /// Messages both could have: the fewer of each within the interval of the other.
    pub possible: u64,
    /// Authors among those both have, two at most.
    pub senders: u8,
}

impl Echo {
    /// Whether one chat is the other: half of what could be common is, by two authors at least.
    /// What one author sends to many at a time is no sign.
    pub const fn is_same(self) -> bool {
        self.found * 2 >= self.possible && self.senders >= 2
    }
}

/// Compares two chats message by message, for where rare texts are too few to [`identify`].
pub fn echo<'s>(known: impl Iterator<Item = &'s Sighting>, incoming: &[Sighting]) -> Echo {
    let timed = |one: &Sighting| one.at.map(|at| (one.key, at));
    let mut known: Vec<(MatchKey, i64, u64)> = known
        .filter_map(|one| timed(one).map(|(key, at)| (key, at, one.sender)))
        .collect();
    known.sort_unstable();
    let mut here: Vec<(MatchKey, i64)> = incoming.iter().filter_map(timed).collect();
    here.sort_unstable();
    let span = |times: &mut dyn Iterator<Item = i64>| {
        times.fold((i64::MAX, i64::MIN), |(first, last), at| {
            (first.min(at), last.max(at))
        })
    };
    let of_known = span(&mut known.iter().map(|one| one.1));
    let of_here = span(&mut here.iter().map(|one| one.1));
    let inside = |at: i64, (first, last): (i64, i64)| first <= at && at <= last;
    let possible = known.iter().filter(|one| inside(one.1, of_here)).count();
    let possible = possible.min(here.iter().filter(|one| inside(one.1, of_known)).count());
    let mut echo = Echo {
        possible: possible as u64,
        ..Echo::default()
    };
    let mut first_sender = None;
    let mut here = here.into_iter().peekable();
    for (key, at, sender) in known {
        while here.next_if(|next| *next < (key, at)).is_some() {}
        if here.next_if(|next| *next == (key, at)).is_some() {
            echo.found += 1;
            let another = *first_sender.get_or_insert(sender) != sender;
            echo.senders = echo.senders.max(1 + u8::from(another));
        }
    }
    echo
}

/// How many rare texts both have, and how many they could have: the fewer of each within the
/// interval of the other.
fn common(one: &[Anchor], other: &[Anchor]) -> (u64, u64) {
    let inside = |anchors: &[Anchor], of: &[Anchor]| {
        let first = of.iter().map(|anchor| anchor.at).min().unwrap_or(i64::MAX);
        let last = of.iter().map(|anchor| anchor.at).max().unwrap_or(i64::MIN);
        let near =
            |at: i64| at >= first.saturating_sub(APART_MAX) && at <= last.saturating_add(APART_MAX);
        anchors.iter().filter(|anchor| near(anchor.at)).count() as u64
    };
    let possible = inside(one, other).min(inside(other, one));
    let mut found = 0;
    let mut other = other.iter().peekable();
    for anchor in one {
        while other.next_if(|next| next.text < anchor.text).is_some() {}
        if other.peek().is_some_and(|next| {
            next.text == anchor.text && next.at.abs_diff(anchor.at) <= APART_MAX as u64
        }) {
            found += 1;
        }
    }
    (found, possible)
}
