//! The texts of one record, each analysed at most once and only when asked for.

use crate::query::analysis::{Analysis, TextFacts, analyse, facts_of};
use crate::query::ast::TextField;
use crate::query::record::Record;

/// The texts of a field.
pub(super) fn of<'t>(record: &Record<'t>, field: TextField) -> &'t [&'t str] {
    match field {
        TextField::Text => record.versions,
        TextField::Filename => record.filenames,
        TextField::Attachment => record.extracted,
    }
}

/// Analyses of the record at hand; buffers are kept for the next one.
#[derive(Default)]
pub(super) struct Texts {
    versions: Slots<Analysis>,
    filenames: Slots<Analysis>,
    extracted: Slots<Analysis>,
    facts: Slots<TextFacts>,
    /// For short texts such as reactions and links.
    pub scratch: Analysis,
}

struct Slots<T> {
    slots: Vec<(bool, T)>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots { slots: Vec::new() }
    }
}

impl<T: Default> Slots<T> {
    fn begin(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.0 = false);
    }

    /// The slot, filled by `fill` when it is not yet.
    fn get(&mut self, index: usize, fill: impl FnOnce(&mut T)) -> &T {
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, Default::default);
        }
        let (filled, value) = &mut self.slots[index];
        if !*filled {
            fill(value);
            *filled = true;
        }
        value
    }
}

impl Texts {
    /// Forgets the last record.
    pub fn begin(&mut self) {
        self.versions.begin();
        self.filenames.begin();
        self.extracted.begin();
        self.facts.begin();
    }

    /// The analysis of one text; an index beyond the texts is an empty text.
    pub fn analysis(&mut self, record: &Record<'_>, field: TextField, index: usize) -> &Analysis {
        let text = of(record, field).get(index).copied().unwrap_or("");
        let slots = match field {
            TextField::Text => &mut self.versions,
            TextField::Filename => &mut self.filenames,
            TextField::Attachment => &mut self.extracted,
        };
        slots.get(index, |analysis| analyse(text, analysis))
    }

    /// The typed facts of one version.
    pub fn facts(&mut self, record: &Record<'_>, index: usize) -> &TextFacts {
        let text = record.versions.get(index).copied().unwrap_or("");
        self.facts.get(index, |facts| *facts = facts_of(text))
    }
}
