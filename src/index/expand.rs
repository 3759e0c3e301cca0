//! Which words of a dictionary a pattern stands for.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tantivy::index::SegmentId;
use tantivy::postings::TermInfo;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::termdict::TermDictionary;
use tantivy::{BitSet, DocSet, InvertedIndexReader, TERMINATED};

use super::docset::each;
use super::error::{Error, Result};
use super::fuzzy::Dictionary;
use super::plan::Plan;
use super::segment::View;
use super::terms::{FIRST_TERM, TermKey, key_range};
use crate::query::ast::Pieces;
use crate::query::{PatternKind, TermForm, TermPattern};

/// Most different words a query may stand for inside the scope (Q019).
pub const EXPANSIONS_MAX: usize = 16_384;

/// One key of the dictionary that a pattern matches.
#[derive(Clone, Debug)]
pub(super) struct FoundKey {
    pub info: TermInfo,
    /// Positions every occurrence covers.
    pub span: u32,
}

/// The keys of one segment that patterns match, with the lists they lead to.
pub(super) struct Found {
    pub inverted: Arc<InvertedIndexReader>,
    pub keys: Vec<FoundKey>,
}

/// What patterns stood for, over all segments a query visits.
#[derive(Default)]
pub(super) struct Expansions {
    /// The messages that count; `None` when every message does.
    scope: Option<Plan>,
    words: HashMap<String, HashSet<Box<str>>>,
    /// The scope in the segment asked last.
    inside: Option<(SegmentId, BitSet)>,
}

impl Expansions {
    /// `scope` as a plan; words outside of it are not counted.
    pub fn new(scope: Plan) -> Expansions {
        Expansions {
            scope: (!matches!(scope, Plan::Everything)).then_some(scope),
            words: HashMap::new(),
            inside: None,
        }
    }

    /// Counts the words of the patterns in one segment.
    ///
    /// # Errors
    /// When a pattern stands for too many.
    pub fn count(
        &mut self,
        view: &View<'_>,
        pattern: &TermPattern,
        found: &[(Box<str>, TermInfo)],
        inverted: &InvertedIndexReader,
    ) -> Result<()> {
        let label = label_of(pattern);
        for (word, info) in found {
            let known = self.words.get(&label);
            if known.is_some_and(|words| words.contains(word)) {
                continue;
            }
            if self.occurs(view, info, inverted)? {
                let words = self.words.entry(label.clone()).or_default();
                words.insert(word.clone());
                if words.len() > EXPANSIONS_MAX {
                    return Err(Error::TooManyExpansions {
                        term: label,
                        limit: EXPANSIONS_MAX,
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether a living message of the scope holds the key.
    fn occurs(
        &mut self,
        view: &View<'_>,
        info: &TermInfo,
        inverted: &InvertedIndexReader,
    ) -> Result<bool> {
        let alive = view.reader.alive_bitset();
        if self.scope.is_none() && alive.is_none() {
            return Ok(true);
        }
        let segment = view.reader.segment_id();
        if let Some(scope) = &self.scope
            && self.inside.as_ref().is_none_or(|(id, _)| *id != segment)
        {
            let mut bits = BitSet::with_max_value(view.reader.max_doc());
            each(&mut view.docs(scope, None)?, |doc| {
                bits.insert(doc);
            });
            self.inside = Some((segment, bits));
        }
        let mut list = inverted
            .read_postings_from_terminfo(info, IndexRecordOption::Basic)
            .map_err(tantivy::TantivyError::from)?;
        loop {
            let doc = list.doc();
            if doc == TERMINATED {
                return Ok(false);
            }
            let inside = self
                .inside
                .as_ref()
                .is_none_or(|(_, bits)| bits.contains(doc));
            if inside && alive.is_none_or(|alive| alive.is_alive(doc)) {
                return Ok(true);
            }
            list.advance();
        }
    }

    /// The words every pattern stood for, in order.
    pub fn words(self) -> Vec<(String, Vec<String>)> {
        let mut all: Vec<(String, Vec<String>)> = self
            .words
            .into_iter()
            .map(|(label, words)| {
                let mut words: Vec<String> = words.into_iter().map(String::from).collect();
                words.sort_unstable();
                (label, words)
            })
            .collect();
        all.sort_unstable();
        all
    }
}

/// The pattern as a person would write it.
fn label_of(pattern: &TermPattern) -> String {
    match pattern.kind() {
        PatternKind::Literal { folded, .. } => folded.clone(),
        PatternKind::Wildcard { folded, .. } => Pieces(folded.pieces().to_vec()).text(),
        PatternKind::Fuzzy {
            folded, distance, ..
        } => format!("{folded}~{distance}"),
        PatternKind::Stem { folded, .. } => format!("{folded}^stem"),
        PatternKind::Regex(regex) => format!("/{}/", regex.as_str()),
    }
}

/// The keys that match any of the patterns, each once.
pub(super) fn find(view: &View<'_>, field: Field, patterns: &[TermPattern]) -> Result<Found> {
    let inverted = view.reader.inverted_index(field)?;
    let mut found: Vec<(u64, FoundKey)> = Vec::new();
    // Many parts have no word at all in names and contents of files.
    let patterns = match inverted.terms().num_terms() {
        0 => &[],
        _ => patterns,
    };
    for pattern in patterns {
        let mut words = Vec::new();
        let literal = matches!(pattern.kind(), PatternKind::Literal { .. });
        let mut call = |key: TermKey<'_>, ord, info: &TermInfo| {
            if !literal {
                words.push((key.folded.into(), info.clone()));
            }
            let (info, span) = (info.clone(), key.span);
            found.push((ord, FoundKey { info, span }));
        };
        if !near(view, field, inverted.terms(), pattern, &mut call)? {
            scan(inverted.terms(), pattern, call).map_err(tantivy::TantivyError::from)?;
        }
        if !literal {
            let mut expansions = view.expansions.take();
            let counted = expansions.count(view, pattern, &words, &inverted);
            view.expansions.replace(expansions);
            counted?;
        }
    }
    if patterns.len() > 1 {
        found.sort_by_key(|(ord, _)| *ord);
        found.dedup_by_key(|(ord, _)| *ord);
    }
    Ok(Found {
        inverted,
        keys: found.into_iter().map(|(_, key)| key).collect(),
    })
}

/// Calls back for every key a fuzzy word matches; `false` when the pattern is none, or asks for
/// exact letters.
fn near(
    view: &View<'_>,
    field: Field,
    terms: &TermDictionary,
    pattern: &TermPattern,
    call: &mut impl FnMut(TermKey<'_>, u64, &TermInfo),
) -> Result<bool> {
    let PatternKind::Fuzzy {
        folded, distance, ..
    } = pattern.kind()
    else {
        return Ok(false);
    };
    if pattern.is_strict() {
        return Ok(false);
    }
    let Some(words) = Dictionary::open(view.reader, field, terms.num_terms())? else {
        return Ok(false);
    };
    let mut keys = Vec::new();
    view.fuzzy.of(folded, *distance).each(&words, |key, ord| {
        let wanted = |key: &TermKey<'_>| pattern.matches(key.folded, key.exact);
        if TermKey::parse(key).as_ref().is_some_and(wanted) {
            keys.push((key.to_vec(), ord));
        }
    });
    for (key, ord) in keys {
        let info = terms.get(&key).map_err(tantivy::TantivyError::from)?;
        if let (Some(key), Some(info)) = (TermKey::parse(&key), info) {
            call(key, ord, &info);
        }
    }
    Ok(true)
}

/// Calls back for every key of the dictionary the pattern matches.
fn scan(
    terms: &TermDictionary,
    pattern: &TermPattern,
    mut call: impl FnMut(TermKey<'_>, u64, &TermInfo),
) -> std::io::Result<()> {
    let mut check = |key: &[u8], ord: u64, info: &TermInfo| {
        if let Some(key) = TermKey::parse(key)
            && pattern.matches(key.folded, key.exact)
        {
            call(key, ord, info);
        }
    };
    match pattern.kind() {
        PatternKind::Literal { folded, .. } => {
            let (from, until) = key_range(folded);
            let mut stream = terms.range().ge(&from).lt(&until).into_stream()?;
            while stream.advance() {
                check(stream.key(), stream.term_ord(), stream.value());
            }
        }
        _ => {
            let prefix = pattern.prefix(TermForm::Folded);
            let from = prefix.max(FIRST_TERM);
            let mut range = terms.range().ge(from);
            if let Some(until) = after_prefix(prefix) {
                range = range.lt(until);
            }
            let mut stream = range.into_stream()?;
            while stream.advance() {
                check(stream.key(), stream.term_ord(), stream.value());
            }
        }
    }
    Ok(())
}

/// The least bytes above everything that begins with the prefix; `None` when there are none.
pub(super) fn after_prefix(prefix: &str) -> Option<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(after_prefix("disc"), Some(b"disd".to_vec()));
        assert_eq!(after_prefix(""), None);
    }
}
