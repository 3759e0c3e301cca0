//! Hold against purge as a small model: two records, two holds, one crash, every interleaving.
//!
//! The model has the steps of the purge protocol, of placing and of releasing a hold, the lock of
//! the one writer, and what of all that survives a crash. Every state that can be reached is looked
//! at, and the ways through them are counted. Each planted flaw must be found: a model that finds
//! nothing proves nothing.

use std::collections::HashMap;

/// A place of the keyhold that was overwritten.
const NOISE: u8 = u8::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Row {
    /// Under the key that is to die.
    Old,
    /// Under the key that stays.
    New,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Hold {
    None,
    Placed,
    /// Released by two; its grace protects.
    Grace,
    Over,
}

/// What who places a hold has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Placing {
    Idle,
    Aimed,
    Writing,
    /// Answered that it protects.
    Protects,
    /// Answered that the message was disposed of.
    Disposed,
}

/// How far a list came, durably.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stage {
    Nothing,
    Listed,
    Seen,
    Approved,
    Ripe,
    Intended,
    Decided,
    Unindexed,
    Unlinked,
    Checked,
    Certified,
}

/// Where the running purge stands; lost in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Purge {
    Idle,
    Renewed,
    Resealed,
    ReadBack,
    HoldWritten,
    Judging(u8),
    Overwriting,
    Emptying,
    Going,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Free,
    Hold(u8),
    Purge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    rows: [Row; 2],
    listed: [bool; 2],
    indexed: [bool; 2],
    holds: [Hold; 2],
    stage: Stage,
    has_old_key: bool,
    has_new_key: bool,
    /// The keyhold that the rows of keys are wrapped under, and those in its two places.
    generation: u8,
    places: [u8; 2],
    // What follows does not survive a crash.
    is_open: bool,
    purge: Purge,
    placing: [Placing; 2],
    writer: Writer,
    goes: [bool; 2],
    crashes: u8,
}

/// What can be wrong with a purge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Nothing,
    /// Judged before the transaction began, and not in it.
    JudgesEarly,
    /// The elder keyhold goes before the decision is durable.
    OverwritesEarly,
    /// A hold is written without the lock of the writer.
    HoldsUnlocked,
    /// A hold does not look again whether its message is there.
    AimsOnce,
    /// Opening does not go on with what was decided.
    ForgetsOnOpen,
}

impl State {
    fn first() -> State {
        State {
            rows: [Row::Old; 2],
            listed: [false; 2],
            indexed: [true; 2],
            holds: [Hold::None; 2],
            stage: Stage::Nothing,
            has_old_key: true,
            has_new_key: false,
            generation: 1,
            places: [1, 1],
            is_open: true,
            purge: Purge::Idle,
            placing: [Placing::Idle; 2],
            writer: Writer::Free,
            goes: [false; 2],
            crashes: 1,
        }
    }

    /// The first hold names the first record, the second both.
    fn held(&self, record: usize) -> bool {
        let protects = |hold: Hold| matches!(hold, Hold::Placed | Hold::Grace);
        protects(self.holds[1]) || record == 0 && protects(self.holds[0])
    }

    fn names(hold: usize) -> &'static [usize] {
        [&[0][..], &[0, 1][..]][hold]
    }

    fn readable(&self, record: usize) -> bool {
        let key = match self.rows[record] {
            Row::Old => self.has_old_key,
            Row::New => self.has_new_key,
            Row::Gone => return true,
        };
        key && self.places.contains(&self.generation)
    }

    /// What is wrong with a state, whatever led to it.
    fn broken(&self) -> Option<&'static str> {
        for record in 0..2 {
            if !self.readable(record) {
                return Some("a live record cannot be read");
            }
            if self.rows[record] == Row::Gone && self.stage >= Stage::Checked {
                if self.has_old_key || self.places.iter().any(|place| *place < self.generation) {
                    return Some("a key of what is gone is left");
                }
                if self.indexed[record] {
                    return Some("what is gone is in the index");
                }
            }
        }
        for hold in 0..2 {
            let lost = State::names(hold)
                .iter()
                .any(|record| self.rows[*record] == Row::Gone);
            let protects = matches!(self.holds[hold], Hold::Placed | Hold::Grace);
            if protects && lost {
                return Some("what a hold protects is gone");
            }
        }
        None
    }

    fn crashed(&self) -> State {
        State {
            is_open: false,
            purge: Purge::Idle,
            // Who got no answer asks again.
            placing: self.placing.map(|placing| match placing {
                Placing::Aimed | Placing::Writing => Placing::Idle,
                answered => answered,
            }),
            writer: Writer::Free,
            goes: [false; 2],
            crashes: self.crashes - 1,
            ..*self
        }
    }

    fn opened(&self, flaw: Flaw) -> State {
        let mut next = State {
            is_open: true,
            ..*self
        };
        if let Some(place) = (0..2).find(|place| self.places[*place] == self.generation) {
            next.places[1 - place] = self.places[place];
        }
        if self.stage >= Stage::Decided
            && self.stage < Stage::Checked
            && flaw != Flaw::ForgetsOnOpen
        {
            next.purge = Purge::Going;
        }
        if self.stage >= Stage::Decided && flaw == Flaw::ForgetsOnOpen {
            next.stage = next.stage.max(Stage::Checked);
        }
        next
    }

    /// Every state that may follow.
    fn next(&self, flaw: Flaw) -> Vec<State> {
        if !self.is_open {
            return vec![self.opened(flaw)];
        }
        let mut next = Vec::new();
        if self.crashes > 0 {
            next.push(self.crashed());
        }
        for hold in 0..2 {
            next.extend(self.hold(hold, flaw));
        }
        next.extend(self.review());
        next.extend(self.purged(flaw));
        next
    }

    fn hold(&self, no: usize, flaw: Flaw) -> Option<State> {
        let mut next = *self;
        let free = self.writer == Writer::Free || flaw == Flaw::HoldsUnlocked;
        let gone = State::names(no)
            .iter()
            .any(|record| self.rows[*record] == Row::Gone);
        match (self.holds[no], self.placing[no]) {
            (Hold::None, Placing::Idle) => {
                next.placing[no] = if gone {
                    Placing::Disposed
                } else {
                    Placing::Aimed
                };
            }
            (Hold::None, Placing::Aimed) if free => {
                next.placing[no] = Placing::Writing;
                if flaw != Flaw::HoldsUnlocked {
                    next.writer = Writer::Hold(no as u8);
                }
            }
            (Hold::None, Placing::Writing) => {
                if flaw != Flaw::HoldsUnlocked {
                    next.writer = Writer::Free;
                }
                next.placing[no] = match gone && flaw != Flaw::AimsOnce {
                    true => Placing::Disposed,
                    false => {
                        next.holds[no] = Hold::Placed;
                        Placing::Protects
                    }
                };
            }
            (Hold::Placed, _) if self.writer == Writer::Free => next.holds[no] = Hold::Grace,
            (Hold::Grace, _) => next.holds[no] = Hold::Over,
            _ => return None,
        }
        Some(next)
    }

    fn review(&self) -> Option<State> {
        if self.writer != Writer::Free {
            return None;
        }
        let mut next = *self;
        next.stage = match self.stage {
            Stage::Nothing => {
                next.listed = [0, 1].map(|record| !self.held(record));
                if next.listed == [false; 2] {
                    return None;
                }
                Stage::Listed
            }
            Stage::Listed => Stage::Seen,
            Stage::Seen => Stage::Approved,
            Stage::Approved => Stage::Ripe,
            _ => return None,
        };
        Some(next)
    }

    fn purged(&self, flaw: Flaw) -> Option<State> {
        let mut next = *self;
        let free = self.writer == Writer::Free;
        let elder = self
            .places
            .iter()
            .position(|place| *place != self.generation);
        match self.purge {
            Purge::Idle if self.stage == Stage::Ripe && free => next.stage = Stage::Intended,
            Purge::Idle if self.stage == Stage::Intended && free => {
                (next.has_new_key, next.purge) = (true, Purge::Renewed);
            }
            Purge::Renewed if free => {
                for record in 0..2 {
                    if !self.listed[record] && self.rows[record] == Row::Old {
                        next.rows[record] = Row::New;
                    }
                }
                next.purge = Purge::Resealed;
            }
            Purge::Resealed => next.purge = Purge::ReadBack,
            Purge::ReadBack => {
                next.places[1] = self.generation + 1;
                if flaw == Flaw::JudgesEarly {
                    next.goes = [0, 1].map(|record| self.listed[record] && !self.held(record));
                }
                if flaw == Flaw::OverwritesEarly {
                    next.places[0] = NOISE;
                }
                next.purge = Purge::HoldWritten;
            }
            Purge::HoldWritten if free => {
                (next.writer, next.purge) = (Writer::Purge, Purge::Judging(0));
            }
            Purge::Judging(record @ 0..=1) => {
                let no = usize::from(record);
                if flaw != Flaw::JudgesEarly {
                    next.goes[no] = self.listed[no] && !self.held(no);
                }
                next.purge = Purge::Judging(record + 1);
            }
            Purge::Judging(_) => next = self.decided(),
            Purge::Overwriting => match elder {
                Some(place) if self.places[place] != NOISE => next.places[place] = NOISE,
                Some(place) => next.places[place] = self.generation,
                None => next.purge = Purge::Emptying,
            },
            Purge::Emptying if free => next.purge = Purge::Going,
            Purge::Going if free => {
                next.stage = match self.stage {
                    Stage::Decided => {
                        next.indexed =
                            [0, 1].map(|no| self.indexed[no] && self.rows[no] != Row::Gone);
                        Stage::Unindexed
                    }
                    Stage::Unindexed => Stage::Unlinked,
                    _ => {
                        next.purge = Purge::Idle;
                        Stage::Checked
                    }
                };
            }
            Purge::Idle if self.stage == Stage::Checked && free => next.stage = Stage::Certified,
            _ => return None,
        }
        Some(next)
    }

    /// The commit: rows go, what dropped out moves, the old key goes, all others are wrapped anew.
    fn decided(&self) -> State {
        let mut next = *self;
        for record in 0..2 {
            next.rows[record] = match (self.goes[record], self.rows[record]) {
                (true, _) => Row::Gone,
                (false, Row::Old) => Row::New,
                (false, row) => row,
            };
        }
        next.has_old_key = false;
        next.generation += 1;
        next.stage = Stage::Decided;
        next.writer = Writer::Free;
        next.purge = Purge::Overwriting;
        next
    }
}

/// What was seen of the model.
struct Explored {
    states: usize,
    ends: usize,
    /// Ways from the first state to an end.
    ways: u128,
    broken: Option<(&'static str, State)>,
}

/// Looks at every state that can be reached, and counts the ways.
fn explore(flaw: Flaw) -> Explored {
    let mut ways: HashMap<State, u128> = HashMap::new();
    let mut found = Explored {
        states: 0,
        ends: 0,
        ways: 0,
        broken: None,
    };
    let mut stack = vec![(State::first(), false)];
    while let Some((state, is_back)) = stack.pop() {
        if ways.contains_key(&state) {
            continue;
        }
        let next = state.next(flaw);
        if is_back {
            let sum = match next.is_empty() {
                true => 1,
                false => next
                    .iter()
                    .map(|after| ways[after])
                    .fold(0, u128::saturating_add),
            };
            found.ends += usize::from(next.is_empty());
            ways.insert(state, sum);
            continue;
        }
        let answered =
            |no: usize| state.placing[no] == Placing::Protects && state.holds[no] == Hold::None;
        let broken = state.broken().or((0..2)
            .any(answered)
            .then_some("a hold was answered and is lost"));
        if let Some(why) = broken {
            found.broken = Some((why, state));
            break;
        }
        stack.push((state, true));
        stack.extend(next.into_iter().map(|after| (after, false)));
    }
    found.states = ways.len();
    found.ways = ways.get(&State::first()).copied().unwrap_or(0);
    found
}

#[test]
fn hold_against_purge_in_every_interleaving_of_the_model() {
    let found = explore(Flaw::Nothing);
    assert!(found.broken.is_none(), "{:?}", found.broken);
    println!(
        "lock model: {} states, {} ends, {} interleavings, all of them looked at",
        found.states, found.ends, found.ways
    );
    assert!(found.ways > 100_000, "{}", found.ways);
}

#[test]
fn every_flaw_that_is_planted_into_the_lock_model_is_found() {
    for flaw in [
        Flaw::JudgesEarly,
        Flaw::OverwritesEarly,
        Flaw::HoldsUnlocked,
        Flaw::AimsOnce,
        Flaw::ForgetsOnOpen,
    ] {
        let found = explore(flaw);
        let (why, _) = found
            .broken
            .unwrap_or_else(|| panic!("{flaw:?} was not found"));
        println!("{flaw:?}: {why}");
    }
}
