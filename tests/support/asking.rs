//! Asking a world: parse, resolve and search in one line.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::expect_used,
    reason = "the helpers of a test may fail like the test"
)]

use std::sync::Arc;

use wordkeep::archive::Archive;
use wordkeep::domain::Scope;
use wordkeep::query::{NoFacts, ParseContext, Purpose, ResolveContext, Resolved, parse, resolve};
use wordkeep::search::{Budget, NameIndex, ScopedNames, Search};

use crate::world::NOW;

/// The zone of every asker.
pub const ZONE: chrono_tz::Tz = chrono_tz::Tz::Europe__Lisbon;

/// What a query means to an asker; the texts of its errors when it means nothing.
pub fn understood(names: &ScopedNames<'_>, text: &str) -> Result<Resolved, Vec<String>> {
    let context = ParseContext {
        zone: ZONE,
        now: NOW,
        strict: false,
        purpose: Purpose::Search,
    };
    let parsed = parse(text, &context);
    let problems = || -> Vec<String> {
        parsed
            .problems
            .iter()
            .map(|problem| format!("{problem:?}"))
            .collect()
    };
    let query = parsed.ast.as_ref().ok_or_else(problems)?;
    let context = ResolveContext {
        zone: ZONE,
        now: NOW,
    };
    Ok(resolve(query, names, &context))
}

/// The names of an archive as of now.
pub fn names(archive: &Archive) -> NameIndex {
    NameIndex::new(Arc::new(archive.directory().expect("a readable directory")))
}

/// Runs `act` with the search of a query inside a scope.
///
/// # Panics
/// When the query has errors.
#[track_caller]
pub fn ask<T>(
    archive: &Archive,
    scope: &Scope,
    text: &str,
    act: impl FnOnce(Search<'_>) -> T,
) -> T {
    let index = names(archive);
    let names = index.within(archive, scope, None);
    let resolved = understood(&names, text).expect("a query without errors");
    act(Search {
        archive,
        picture: None,
        names: &names,
        facts: &NoFacts,
        resolved: &resolved,
        budget: Budget::endless(),
    })
}
