//! The analyses of one message as the index takes them, in buffers that are used again.

use crate::index::Words;
use crate::query::Record;
use crate::query::analysis::{Analysis, TextFacts, analyse, facts_of};

/// Reused analyses of the texts of one message.
#[derive(Default)]
pub(super) struct Analyses {
    versions: Vec<Analysis>,
    filenames: Vec<Analysis>,
}

fn analyse_into(texts: &[&str], into: &mut Vec<Analysis>) {
    if into.len() < texts.len() {
        into.resize_with(texts.len(), Analysis::default);
    }
    for (text, analysis) in texts.iter().zip(into.iter_mut()) {
        analyse(text, analysis);
    }
}

impl Analyses {
    /// Analyses the texts of a record and shows the result.
    pub(super) fn words_of<T>(
        &mut self,
        record: &Record<'_>,
        see: impl FnOnce(Words<'_>) -> T,
    ) -> T {
        analyse_into(record.versions, &mut self.versions);
        analyse_into(record.filenames, &mut self.filenames);
        let versions: Vec<&Analysis> = self.versions.iter().take(record.versions.len()).collect();
        let told: Vec<TextFacts> = record.versions.iter().map(|text| facts_of(text)).collect();
        let facts: Vec<&TextFacts> = told.iter().collect();
        let filenames: Vec<&Analysis> =
            self.filenames.iter().take(record.filenames.len()).collect();
        see(Words {
            versions: &versions,
            filenames: &filenames,
            extracted: &[],
            facts: &facts,
        })
    }
}
