//! The use-case "suggest": how a word that is being typed could go on, inside what the asker may see.

use super::{Appliance, Result, Session};
use crate::audit::Action;
use crate::domain::Right;
use crate::query::Field;

/// Most suggestions at once.
pub const SUGGESTIONS_MAX: usize = 50;
/// Longest beginning that is looked up, in characters.
const BEGINNING_CHARS_MAX: usize = 100;

/// A way to go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suggestion {
    /// field, person, conversation or search.
    pub kind: &'static str,
    /// What people call it.
    pub label: String,
    /// What a query would say.
    pub insert: String,
}

impl Appliance {
    /// Fields of the language, people, conversations and saved searches whose names begin so, or hold a
    /// word that does. Names of people and conversations are those the asker sees.
    ///
    /// # Errors
    /// For who may not read.
    pub fn suggest(
        &self,
        session: &Session,
        beginning: &str,
        limit: usize,
    ) -> Result<Vec<Suggestion>> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        let beginning: String = beginning.trim().chars().take(BEGINNING_CHARS_MAX).collect();
        let beginning = beginning.to_lowercase();
        let mut found = Vec::new();
        if !beginning.is_empty() {
            self.suggest_names(session, &beginning, &mut found)?;
            for kept in self.kept_searches(session, true)? {
                if begins(&kept.name, &beginning) {
                    found.push(Suggestion {
                        kind: "search",
                        label: kept.name,
                        insert: kept.text,
                    });
                }
            }
        }
        found.sort();
        found.dedup();
        let fields = Field::ALL.iter().map(|field| field.name());
        let mut all: Vec<Suggestion> = fields
            .filter(|name| name.starts_with(&beginning))
            .map(|name| Suggestion {
                kind: "field",
                label: name.to_owned(),
                insert: format!("{name}:"),
            })
            .chain(found)
            .collect();
        all.truncate(limit.min(SUGGESTIONS_MAX));
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::ContentSearch)
            .word("what", "suggest")
            .count("shown", all.len() as u64);
        self.change(now, |tx| {
            self.log(tx, now, draft, Some(beginning.as_bytes()))
        })?;
        Ok(all)
    }

    fn suggest_names(
        &self,
        session: &Session,
        beginning: &str,
        found: &mut Vec<Suggestion>,
    ) -> Result<()> {
        let scope = self.scope(session)?;
        let names = self.names()?;
        let scoped = names.within(&self.archive, &scope, None);
        let directory = names.directory();
        for no in directory.handles.keys() {
            let Some(entry) = scoped.handle(*no) else {
                continue;
            };
            let label = scoped.person_label(entry);
            if begins(&label, beginning) || begins(&entry.handle, beginning) {
                found.push(Suggestion {
                    kind: "person",
                    label,
                    insert: format!("from:{}", entry.person_id),
                });
            }
        }
        for no in directory.conversations.keys() {
            let Some(title) = scoped.title(*no) else {
                continue;
            };
            if begins(title, beginning) {
                found.push(Suggestion {
                    kind: "conversation",
                    label: title.to_owned(),
                    insert: format!("conv:{}", scoped.conversation_id(*no)),
                });
            }
        }
        Ok(())
    }
}

/// Whether a name, or a word in it, begins so.
fn begins(name: &str, beginning: &str) -> bool {
    let name = name.to_lowercase();
    let behind = name
        .char_indices()
        .filter(|(_, letter)| !letter.is_alphanumeric())
        .map(|(at, letter)| at + letter.len_utf8());
    let mut words = std::iter::once(0).chain(behind);
    words.any(|at| {
        name.get(at..)
            .is_some_and(|rest| rest.starts_with(beginning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_beginning_of_any_word() {
        for beginning in ["ana", "rei", "ana r"] {
            assert!(begins("Ana Reis", beginning), "{beginning}");
        }
        for beginning in ["na", "eis", "ana s"] {
            assert!(!begins("Ana Reis", beginning), "{beginning}");
        }
        assert!(begins("+351 912", "351"));
        assert!(begins("Ünal–Öz", "öz"));
    }
}
