//! Pairs the messages of one conversation with those of an incoming source.

use std::collections::BTreeMap;

use crate::domain::MessageNo;

use super::key::{Sighting, Standing};

/// One version of a message the conversation holds, in short form. Every version takes part, so
/// that an old export imported again meets the words it knew; versions of one message stand beside
/// each other, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number of the message.
    pub no: MessageNo,
    /// The short form of this version.
    pub sighting: Sighting,
}

/// What an incoming message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not known yet. It stands behind this known message in its source (`None`: before all).
    New {
        /// The known message before it.
        after: Option<MessageNo>,
    },
    /// A further sighting of this message.
    Known(MessageNo),
    /// This message with other words: edited, deleted, or its file came along now.
    Revised(MessageNo),
    /// The incoming message of this place stands in the source once more, under the same id.
    Repeats(usize),
}

/// What a source covers of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Coverage {
    /// The first instant of the source in microseconds.
    pub first: Option<i64>,
    /// The last one.
    pub last: Option<i64>,
    /// Known messages inside that interval that the source lacks.
    pub absent: Vec<MessageNo>,
    /// New messages that lie between known ones: holes of earlier sources, now filled.
    pub filled: u64,
}

/// The outcome of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Alignment {
    /// One verdict for each incoming message, in their order.
    pub verdicts: Vec<Verdict>,
    /// What the source covers.
    pub coverage: Coverage,
    /// Places of new messages that stand where a known one is missing, without a marker to say
    /// that one became the other: both are kept, somebody should look.
    pub review: Vec<usize>,
}

/// The pairs found so far, both ways.
struct Pairs<'a> {
    known: &'a [Known],
    incoming: &'a [Sighting],
    of_known: Vec<Option<u32>>,
    of_incoming: Vec<Option<u32>>,
    revised: Vec<bool>,
    repeats: BTreeMap<usize, usize>,
}

/// Compares the incoming messages of a source with what the conversation holds. Both in their
/// stored order.
///
/// Copies of one text by one author in one unit of time stay as many as the larger side has,
/// never the sum, never one.
pub fn align(known: &[Known], incoming: &[Sighting]) -> Alignment {
    let mut pairs = Pairs {
        known,
        incoming,
        of_known: vec![None; known.len()],
        of_incoming: vec![None; incoming.len()],
        revised: vec![false; incoming.len()],
        repeats: BTreeMap::new(),
    };
    pairs.by_id();
    pairs.by_window();
    pairs.revisions_by_marker();
    let review = pairs.revisions_by_place();
    pairs.alignment(review)
}

impl Pairs<'_> {
    /// Pairs a known message, all its versions, with an incoming one.
    fn pair(&mut self, known: usize, incoming: usize, revised: bool) {
        for version in self.versions(known) {
            self.of_known[version] = Some(incoming as u32);
        }
        self.of_incoming[incoming] = Some(known as u32);
        self.revised[incoming] = revised;
    }

    /// The places of all versions of the message at a place.
    fn versions(&self, known: usize) -> std::ops::Range<usize> {
        let no = self.known[known].no;
        let same = |known: &&Known| known.no == no;
        let before = self.known[..known].iter().rev().take_while(same).count();
        let behind = self.known[known..].iter().take_while(same).count();
        known - before..known + behind
    }

    /// Step 2: the same id is the same message, whatever else changed.
    fn by_id(&mut self) {
        let mut ids: BTreeMap<u64, usize> = BTreeMap::new();
        for (place, known) in self.known.iter().enumerate() {
            if let Some(id) = known.sighting.source_id {
                ids.insert(id, place);
            }
        }
        let mut first_of: BTreeMap<u64, usize> = BTreeMap::new();
        for (place, sighting) in self.incoming.iter().enumerate() {
            let Some(id) = sighting.source_id else {
                continue;
            };
            match (ids.get(&id), first_of.get(&id)) {
                (_, Some(first)) if self.incoming[*first].key == sighting.key => {
                    self.repeats.insert(place, *first);
                }
                (Some(known), None) => {
                    let latest = &self.known[*known].sighting;
                    let is_known = self
                        .versions(*known)
                        .any(|version| self.known[version].sighting.key == sighting.key);
                    let changed =
                        !is_known && is_news(latest, sighting) || file_arrived(latest, sighting);
                    self.pair(*known, place, changed);
                    first_of.insert(id, place);
                }
                _ => {
                    first_of.entry(id).or_insert(place);
                }
            }
        }
    }

    /// Step 7: per author and text, the earliest with the earliest, within one unit of the less
    /// sharp clock. Each copy is used once. Two different ids never pair.
    fn by_window(&mut self) {
        let mut known = self.open_known();
        let mut incoming = self.open_incoming();
        let of_known = |place: &usize| self.known[*place].sighting;
        let of_incoming = |place: &usize| self.incoming[*place];
        known.sort_by_key(|place| (of_known(place).key, of_known(place).at));
        incoming.sort_by_key(|place| (of_incoming(place).key, of_incoming(place).at));
        let (mut left, mut right) = (0, 0);
        while left < known.len() && right < incoming.len() {
            let (one, other) = (of_known(&known[left]), of_incoming(&incoming[right]));
            let unit = one.unit.max(other.unit);
            let wanted = (one.key, cell(&one, unit));
            match wanted.cmp(&(other.key, cell(&other, unit))) {
                std::cmp::Ordering::Less => left += 1,
                std::cmp::Ordering::Greater => right += 1,
                std::cmp::Ordering::Equal => {
                    let here = |sighting: Sighting| (sighting.key, cell(&sighting, unit)) == wanted;
                    let lefts = known[left..]
                        .iter()
                        .take_while(|place| here(of_known(place)))
                        .count();
                    let rights = incoming[right..]
                        .iter()
                        .take_while(|place| here(of_incoming(place)))
                        .count();
                    self.pair_copies(&known[left..left + lefts], &incoming[right..right + rights]);
                    left += lefts;
                    right += rights;
                }
            }
        }
    }

    /// Pairs copies one by one. Where only one side has an id, it is used up first, so that an
    /// id-less copy takes exactly one with an id; two ids that differ never pair.
    fn pair_copies(&mut self, known: &[usize], incoming: &[usize]) {
        for (known_has_id, incoming_has_id) in [(true, false), (false, true), (false, false)] {
            let mut rest = incoming
                .iter()
                .filter(|place| self.incoming[**place].source_id.is_some() == incoming_has_id);
            let mut found = Vec::new();
            let mut used = MessageNo(u64::MAX);
            for place in known {
                let version = &self.known[*place];
                let open = self.of_known[*place].is_none() && version.no != used;
                if !open || version.sighting.source_id.is_some() != known_has_id {
                    continue;
                }
                let is_open = |place: &&&usize| self.of_incoming[***place].is_none();
                let Some(incoming) = rest.by_ref().find(|place| is_open(&place)) else {
                    break;
                };
                used = version.no;
                found.push((*place, *incoming));
            }
            for (known, incoming) in found {
                let changed = file_arrived(&self.known[known].sighting, &self.incoming[incoming]);
                self.pair(known, incoming, changed);
            }
        }
    }

    fn open_known(&self) -> Vec<usize> {
        (0..self.known.len())
            .filter(|place| self.of_known[*place].is_none())
            .collect()
    }

    fn open_incoming(&self) -> Vec<usize> {
        (0..self.incoming.len())
            .filter(|place| self.of_incoming[*place].is_none() && !self.repeats.contains_key(place))
            .collect()
    }

    /// Step 8 with a marker: what is left of one author in one unit of time, where one side is
    /// deleted or edited.
    fn revisions_by_marker(&mut self) {
        let mut by_place: BTreeMap<(u64, i64), Vec<usize>> = BTreeMap::new();
        for place in self.open_known() {
            let sighting = &self.known[place].sighting;
            if sighting.at.is_some() {
                let minute = cell(sighting, MINUTE);
                by_place
                    .entry((sighting.sender, minute))
                    .or_default()
                    .push(place);
            }
        }
        for incoming in self.open_incoming() {
            let sighting = self.incoming[incoming];
            let place = (sighting.sender, cell(&sighting, MINUTE));
            let Some(candidates) = by_place.get_mut(&place) else {
                continue;
            };
            let found = candidates.iter().position(|known| {
                let known = &self.known[*known].sighting;
                let same_unit = cell(known, sighting.unit) == cell(&sighting, known.unit);
                let both_have_ids = known.source_id.is_some() && sighting.source_id.is_some();
                same_unit && !both_have_ids && is_marked(known, &sighting)
            });
            if let Some(found) = found {
                let known = candidates.remove(found);
                let no = self.known[known].no;
                candidates.retain(|other| self.known[*other].no != no);
                self.pair(known, incoming, true);
            }
        }
    }

    /// Step 8 without a marker: between two paired neighbours, as many left on one side as on the
    /// other, author by author and minute by minute the same. Returns the places where something
    /// stands on both sides but does not fit like that.
    fn revisions_by_place(&mut self) -> Vec<usize> {
        let mut review = Vec::new();
        let mut start = 0;
        while start < self.incoming.len() {
            if self.of_incoming[start].is_some() || self.repeats.contains_key(&start) {
                start += 1;
                continue;
            }
            let mut end = start;
            while end < self.incoming.len()
                && self.of_incoming[end].is_none()
                && !self.repeats.contains_key(&end)
            {
                end += 1;
            }
            self.judge_gap(start, end, &mut review);
            start = end;
        }
        review
    }

    fn judge_gap(&mut self, start: usize, end: usize, review: &mut Vec<usize>) {
        let before = start
            .checked_sub(1)
            .and_then(|place| self.of_incoming[place]);
        let after = self.of_incoming.get(end).copied().flatten();
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        let (from, to) = (before as usize + 1, after as usize);
        // The latest version speaks for its message.
        let latest: Vec<usize> = (from..to.max(from))
            .filter(|place| self.of_known[*place].is_none())
            .filter(|place| {
                self.known
                    .get(place + 1)
                    .is_none_or(|next| next.no != self.known[*place].no)
            })
            .collect();
        if latest.is_empty() {
            return;
        }
        let fits = latest.len() == end - start
            && latest
                .iter()
                .copied()
                .zip(start..end)
                .all(|(known, incoming)| {
                    let (one, other) = (&self.known[known].sighting, &self.incoming[incoming]);
                    let both_have_ids = one.source_id.is_some() && other.source_id.is_some();
                    !both_have_ids
                        && one.sender == other.sender
                        && one.at.is_some()
                        && cell(one, other.unit) == cell(other, one.unit)
                });
        if fits {
            for (known, incoming) in latest.into_iter().zip(start..end) {
                self.pair(known, incoming, true);
            }
        } else {
            review.extend(start..end);
        }
    }

    /// Steps 9 and 10.
    fn alignment(self, review: Vec<usize>) -> Alignment {
        let mut verdicts = Vec::with_capacity(self.incoming.len());
        let mut after = None;
        for place in 0..self.incoming.len() {
            let verdict = match (self.of_incoming[place], self.repeats.get(&place)) {
                (Some(known), _) => {
                    let no = self.known[known as usize].no;
                    after = Some(no);
                    match self.revised[place] {
                        true => Verdict::Revised(no),
                        false => Verdict::Known(no),
                    }
                }
                (None, Some(first)) => Verdict::Repeats(*first),
                (None, None) => Verdict::New { after },
            };
            verdicts.push(verdict);
        }
        let times = || self.incoming.iter().filter_map(|sighting| sighting.at);
        let (first, last) = (times().min(), times().max());
        let inside = |known: &Known| {
            let at = known.sighting.at;
            at.is_some() && at >= first && at <= last
        };
        let mut absent: Vec<MessageNo> = self
            .known
            .iter()
            .zip(&self.of_known)
            .filter(|(known, pair)| pair.is_none() && inside(known))
            .map(|(known, _)| known.no)
            .collect();
        absent.dedup();
        let is_pair =
            |verdict: &Verdict| matches!(verdict, Verdict::Known(_) | Verdict::Revised(_));
        let last_pair = verdicts.iter().rposition(is_pair).unwrap_or(0);
        let is_between = |verdict: &&Verdict| matches!(verdict, Verdict::New { after: Some(_) });
        let filled = verdicts[..last_pair].iter().filter(is_between).count() as u64;
        Alignment {
            verdicts,
            coverage: Coverage {
                first,
                last,
                absent,
                filled,
            },
            review,
        }
    }
}

/// Revisions are sought within the minute, whatever the precision.
const MINUTE: i64 = 60_000_000;

/// The unit of time a message lies in, by the less sharp of two clocks. Messages without a time
/// share one.
fn cell(sighting: &Sighting, other_unit: i64) -> i64 {
    let unit = sighting.unit.max(other_unit);
    sighting.at.map_or(i64::MIN, |at| at.div_euclid(unit))
}

/// Whether different words of one id are worth a version: a placeholder for a file that is known
/// is not.
fn is_news(before: &Sighting, now: &Sighting) -> bool {
    !(now.standing == Standing::FileMissing && before.standing == Standing::Whole)
}

/// Whether the file came along that was missing before.
fn file_arrived(before: &Sighting, now: &Sighting) -> bool {
    before.standing == Standing::FileMissing && now.standing == Standing::Whole
}

/// Whether a marker explains that two texts are one message.
fn is_marked(one: &Sighting, other: &Sighting) -> bool {
    let changed = |standing| matches!(standing, Standing::Deleted | Standing::Edited);
    changed(one.standing) || changed(other.standing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, Precision, Presence, Timestamp};
    use crate::ingest::align::Facts;

    /// `(minute, author, text)`; a text of "-" is a deleted placeholder, "!" at its end an edit.
    fn sighting((minute, author, text): (i64, &str, &str)) -> Sighting {
        let (kind, presence) = match text {
            "-" => (Kind::Deleted, Presence::DELETED),
            text if text.ends_with('!') => (Kind::Text, Presence::EDITED),
            _ => (Kind::Text, Presence::default()),
        };
        Sighting::of(&Facts {
            sender: Some(author),
            body: text,
            kind,
            presence,
            file_is_here: false,
            sent: Some(Timestamp::from_seconds(minute * 60)),
            precision: Precision::Minute,
            source_id: None,
        })
    }

    fn check(known: &[(i64, &str, &str)], incoming: &[(i64, &str, &str)], expected: &[&str]) {
        let known: Vec<Known> = (0..)
            .zip(known)
            .map(|(no, message)| Known {
                no: MessageNo(no),
                sighting: sighting(*message),
            })
            .collect();
        let incoming: Vec<Sighting> = incoming.iter().map(|message| sighting(*message)).collect();
        let verdicts = align(&known, &incoming).verdicts;
        let printed: Vec<String> = verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::New { .. } => "new".to_owned(),
                Verdict::Known(no) => format!("{no}"),
                Verdict::Revised(no) => format!("r{no}"),
                Verdict::Repeats(place) => format!("={place}"),
            })
            .collect();
        assert_eq!(printed, expected);
    }

    #[test]
    fn copies_are_as_many_as_the_larger_side_has() {
        let two = [(1, "a", "ok"), (1, "a", "ok")];
        let three = [(1, "a", "ok"), (1, "a", "ok"), (1, "a", "ok")];
        check(&two, &three, &["0", "1", "new"]);
        check(&three, &two, &["0", "1"]);
        check(&[(1, "a", "ok")], &[(2, "a", "ok")], &["new"]);
    }

    #[test]
    fn a_deletion_and_an_edit_are_revisions() {
        let known = [(1, "a", "one"), (1, "a", "two"), (2, "b", "three")];
        check(
            &known,
            &[(1, "a", "one"), (1, "a", "-"), (2, "b", "four!")],
            &["0", "r1", "r2"],
        );
    }

    #[test]
    fn an_unmarked_change_between_the_same_neighbours_is_a_revision() {
        let known = [(1, "a", "one"), (2, "a", "two"), (3, "b", "three")];
        check(
            &known,
            &[(1, "a", "one"), (2, "a", "tow"), (3, "b", "three")],
            &["0", "r1", "2"],
        );
        // Of another author it is another message.
        check(
            &known,
            &[(1, "a", "one"), (2, "b", "tow"), (3, "b", "three")],
            &["0", "new", "2"],
        );
    }

    #[test]
    fn an_earlier_version_met_again_is_known() {
        let versions = ["one", "two!"].map(|text| Known {
            no: MessageNo(7),
            sighting: sighting((1, "a", text)),
        });
        for text in ["one", "two!"] {
            let outcome = align(&versions, &[sighting((1, "a", text))]);
            assert_eq!(outcome.verdicts, [Verdict::Known(MessageNo(7))]);
            assert!(outcome.coverage.absent.is_empty());
        }
    }

    #[test]
    fn what_a_source_lacks_inside_its_interval_is_named() {
        let known: Vec<Known> = (0..5)
            .map(|no| Known {
                no: MessageNo(no),
                sighting: sighting((no as i64, "a", &format!("text {no}"))),
            })
            .collect();
        let incoming = [sighting((1, "a", "text 1")), sighting((3, "a", "text 3"))];
        assert_eq!(align(&known, &incoming).coverage.absent, [MessageNo(2)]);
    }

    #[test]
    fn an_id_says_more_than_the_words() {
        let with_id = |id: Option<&str>, text: &str| {
            Sighting::of(&Facts {
                sender: Some("a"),
                body: text,
                kind: Kind::Text,
                presence: Presence::default(),
                file_is_here: false,
                sent: Some(Timestamp(0)),
                precision: Precision::Second,
                source_id: id,
            })
        };
        let known = [
            Known {
                no: MessageNo(0),
                sighting: with_id(Some("x"), "ok"),
            },
            Known {
                no: MessageNo(1),
                sighting: with_id(Some("y"), "ok"),
            },
        ];
        let incoming = [
            with_id(Some("z"), "ok"),
            with_id(None, "ok"),
            with_id(Some("y"), "okay"),
            with_id(Some("y"), "okay"),
        ];
        assert_eq!(
            align(&known, &incoming).verdicts,
            [
                Verdict::New { after: None },
                Verdict::Known(MessageNo(0)),
                Verdict::Revised(MessageNo(1)),
                Verdict::Repeats(2),
            ]
        );
    }
}
