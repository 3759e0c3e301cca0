//! Automata of fuzzy words: which keys of a dictionary lie within some edits of a word.
//!
//! The tables from which automata of one distance are made take milliseconds to build, so they are
//! built once for an index; the automaton of a word is made once for a query, not for each segment.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy_fst::Automaton;

/// Distances whose tables are kept; the language of queries knows no larger one.
const DISTANCES: usize = 3;

/// The tables of every distance, made when they are first asked for.
#[derive(Default)]
pub(super) struct FuzzyTables([OnceLock<LevenshteinAutomatonBuilder>; DISTANCES]);

impl FuzzyTables {
    fn keys(&self, word: &str, distance: u8) -> FuzzyKeys {
        let build = || LevenshteinAutomatonBuilder::new(distance, true);
        let dfa = match self.0.get(usize::from(distance)) {
            Some(kept) => kept.get_or_init(build).build_dfa(word),
            None => build().build_dfa(word),
        };
        FuzzyKeys { dfa }
    }
}

/// The automata of one query.
pub(super) struct FuzzyWords<'a> {
    tables: &'a FuzzyTables,
    made: RefCell<Vec<(Box<str>, u8, Rc<FuzzyKeys>)>>,
}

impl<'a> FuzzyWords<'a> {
    /// None yet.
    pub fn new(tables: &'a FuzzyTables) -> FuzzyWords<'a> {
        FuzzyWords {
            tables,
            made: RefCell::default(),
        }
    }

    /// The automaton of a folded word.
    pub fn of(&self, word: &str, distance: u8) -> Rc<FuzzyKeys> {
        let mut made = self.made.borrow_mut();
        let known = made
            .iter()
            .find(|(known, edits, _)| **known == *word && *edits == distance);
        if let Some((_, _, keys)) = known {
            return Rc::clone(keys);
        }
        let keys = Rc::new(self.tables.keys(word, distance));
        made.push((word.into(), distance, Rc::clone(&keys)));
        keys
    }
}

/// Keys whose folded form lies within some edits of a word. It may let a key through that the
/// matcher refuses (it counts a swap beside other edits more freely), never hold one back.
pub(super) struct FuzzyKeys {
    dfa: DFA,
}

/// Where the search stands in a key.
#[derive(Clone, Copy)]
pub(super) enum FuzzyState {
    Folded(u32),
    /// Behind a match, in what follows the folded form.
    Behind,
}

impl FuzzyKeys {
    fn near(&self, state: u32) -> bool {
        matches!(self.dfa.distance(state), Distance::Exact(_))
    }
}

impl Automaton for &FuzzyKeys {
    type State = FuzzyState;

    fn start(&self) -> FuzzyState {
        FuzzyState::Folded(self.dfa.initial_state())
    }

    fn is_match(&self, state: &FuzzyState) -> bool {
        match state {
            FuzzyState::Folded(state) => self.near(*state),
            FuzzyState::Behind => true,
        }
    }

    fn can_match(&self, state: &FuzzyState) -> bool {
        match state {
            FuzzyState::Folded(state) => *state != SINK_STATE,
            FuzzyState::Behind => true,
        }
    }

    fn accept(&self, state: &FuzzyState, byte: u8) -> FuzzyState {
        match state {
            FuzzyState::Folded(state) if byte == 0 && self.near(*state) => FuzzyState::Behind,
            FuzzyState::Folded(state) => FuzzyState::Folded(self.dfa.transition(*state, byte)),
            FuzzyState::Behind => FuzzyState::Behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzy_keys_keep_whatever_the_matcher_may_want() {
        let tables = FuzzyTables::default();
        let fuzzy = tables.keys("promise", 1);
        let fits = |key: &str| {
            let mut state = (&fuzzy).start();
            for byte in key.bytes() {
                state = (&fuzzy).accept(&state, byte);
            }
            (&fuzzy).is_match(&state)
        };
        for key in [
            "promise",
            "rpomise",
            "promises",
            "promis",
            "promise\0\u{1}prómise",
        ] {
            assert!(fits(key), "{key}");
        }
        for key in ["premises", "pro", "prom\0\u{1}ise"] {
            assert!(!fits(key), "{key}");
        }
    }
}
