//! Automata of fuzzy words: which keys of a dictionary lie within some edits of a word.
//!
//! The tables from which automata of one distance are made take milliseconds to build, so they are
//! built once for an index; the automaton of a word is made once for a query, not for each segment.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::directory::{CompositeFile, OwnedBytes};
use tantivy::index::SegmentComponent;
use tantivy::schema::Field;
use tantivy::{HasLen, SegmentReader};
use tantivy_fst::raw::{Fst, Node, Transition};

use super::error::Result;

/// Distances whose tables are kept; the language of queries knows no larger one.
const DISTANCES: usize = 3;
/// Most bytes that are looked up one by one rather than found among all that follow a node.
const FEW_BYTES: usize = 12;
/// Bytes behind the body of a dictionary.
const FOOTER_LEN: usize = 16;

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
        FuzzyKeys::new(dfa)
    }
}

/// The automata of one query.
pub(super) struct FuzzyWords<'a> {
    tables: &'a FuzzyTables,
    made: RefCell<Vec<FuzzyWord>>,
}

struct FuzzyWord {
    word: Box<str>,
    distance: u8,
    keys: Rc<FuzzyKeys>,
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
            .find(|made| *made.word == *word && made.distance == distance);
        if let Some(known) = known {
            return Rc::clone(&known.keys);
        }
        let keys = Rc::new(self.tables.keys(word, distance));
        made.push(FuzzyWord {
            word: word.into(),
            distance,
            keys: Rc::clone(&keys),
        });
        keys
    }
}

/// Keys whose folded form lies within some edits of a word. It may let a key through that the
/// matcher refuses (it counts a swap beside other edits more freely), never hold one back.
pub(super) struct FuzzyKeys {
    dfa: DFA,
    /// The bytes that lead on from each state, where they are few.
    few: Vec<Option<Box<[u8]>>>,
}

/// Where the search stands in a key.
#[derive(Clone, Copy)]
pub(super) enum FuzzyState {
    Folded(u32),
    /// Behind a match, in what follows the folded form.
    Behind,
}

impl FuzzyKeys {
    fn new(dfa: DFA) -> FuzzyKeys {
        let states = u32::try_from(dfa.num_states()).unwrap_or(0);
        let mut keys = FuzzyKeys {
            dfa,
            few: Vec::new(),
        };
        for state in 0..states {
            let leads_on = |byte: &u8| keys.accept(FuzzyState::Folded(state), *byte).is_some();
            let bytes: Box<[u8]> = (0..=u8::MAX).filter(leads_on).collect();
            keys.few
                .push(Some(bytes).filter(|bytes| bytes.len() <= FEW_BYTES));
        }
        keys
    }

    fn near(&self, state: u32) -> bool {
        matches!(self.dfa.distance(state), Distance::Exact(_))
    }

    fn start(&self) -> FuzzyState {
        FuzzyState::Folded(self.dfa.initial_state())
    }

    fn is_match(&self, state: FuzzyState) -> bool {
        match state {
            FuzzyState::Folded(state) => self.near(state),
            FuzzyState::Behind => true,
        }
    }

    /// The state behind one more byte; `None` when nothing behind it can match.
    fn accept(&self, state: FuzzyState, byte: u8) -> Option<FuzzyState> {
        match state {
            FuzzyState::Folded(state) if byte == 0 && self.near(state) => Some(FuzzyState::Behind),
            FuzzyState::Folded(state) => match self.dfa.transition(state, byte) {
                SINK_STATE => None,
                state => Some(FuzzyState::Folded(state)),
            },
            FuzzyState::Behind => Some(FuzzyState::Behind),
        }
    }

    /// Calls back for every key of a dictionary that matches, with its place in it.
    ///
    /// The engine's own search steps into every branch before it asks whether anything there can
    /// match; with all edits spent, hardly any can, and those are looked up.
    pub fn each(&self, words: &Dictionary, mut call: impl FnMut(&[u8], u64)) {
        let mut key = Vec::new();
        let mut open = vec![Branch {
            node: words.0.root(),
            next: 0,
            value: 0,
            state: self.start(),
        }];
        while let Some(branch) = open.last_mut() {
            let Some(transition) = self.step(branch) else {
                open.pop();
                key.pop();
                continue;
            };
            let Some(state) = self.accept(branch.state, transition.inp) else {
                continue;
            };
            let value = branch.value + transition.out.value();
            let node = words.0.node(transition.addr);
            // No word begins with NUL: what does is a mark.
            if key.is_empty() && transition.inp == 0 {
                continue;
            }
            key.push(transition.inp);
            if node.is_final() && self.is_match(state) {
                call(&key, value + node.final_output().value());
            }
            open.push(Branch {
                node,
                next: 0,
                value,
                state,
            });
        }
    }

    /// The next way on from a node that may be worth going.
    fn step(&self, branch: &mut Branch<'_>) -> Option<Transition> {
        let few = match branch.state {
            FuzzyState::Folded(state) => self.few.get(state as usize).and_then(Option::as_deref),
            FuzzyState::Behind => None,
        };
        let Some(bytes) = few else {
            let place = branch.next;
            branch.next += 1;
            return (place < branch.node.len()).then(|| branch.node.transition(place));
        };
        while let Some(byte) = bytes.get(branch.next) {
            branch.next += 1;
            if let Some(place) = branch.node.find_input(*byte) {
                return Some(branch.node.transition(place));
            }
        }
        None
    }
}

/// A node of the dictionary on the way of a search.
struct Branch<'a> {
    node: Node<'a>,
    next: usize,
    /// Sum of the outputs on the way to it.
    value: u64,
    state: FuzzyState,
}

/// The dictionary of one field of one segment, as the engine keeps it on disk.
pub(super) struct Dictionary(Fst<OwnedBytes>);

impl Dictionary {
    /// Opens it once more beside the engine, which keeps its own to itself; the bytes are shared
    /// through the cache. `None` when it is not in the form known here.
    ///
    /// The form: the automaton of keys, the places of their lists, the length of these places
    /// (8 bytes, little endian), a version and a kind (4 bytes each).
    pub fn open(reader: &SegmentReader, field: Field, terms: usize) -> Result<Option<Dictionary>> {
        let file = reader
            .open_read(SegmentComponent::Terms)
            .map_err(tantivy::TantivyError::from)?;
        let read = || -> std::io::Result<Option<OwnedBytes>> {
            let Some(field) = CompositeFile::open(&file)?.open_read(field) else {
                return Ok(None);
            };
            let Some(body) = field.len().checked_sub(FOOTER_LEN) else {
                return Ok(None);
            };
            let footer = field.slice_from(body).read_bytes()?;
            let mut length = [0; 8];
            length.copy_from_slice(&footer[..8]);
            let places = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
            match body.checked_sub(places) {
                Some(automaton) => field.slice_to(automaton).read_bytes().map(Some),
                None => Ok(None),
            }
        };
        let bytes = read().map_err(tantivy::TantivyError::from)?;
        let words = bytes.and_then(|bytes| Fst::new(bytes).ok());
        Ok(words.filter(|words| words.len() == terms).map(Dictionary))
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
            let mut state = Some(fuzzy.start());
            for byte in key.bytes() {
                state = state.and_then(|state| fuzzy.accept(state, byte));
            }
            state.is_some_and(|state| fuzzy.is_match(state))
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
