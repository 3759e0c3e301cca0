//! The names of the archive, opened: who the handles are, what the conversations are called.

use std::collections::BTreeMap;

use super::Archive;
use super::entity::read_texts;
use super::error::Result;
use super::sealer::Opener;
use crate::domain::{App, ConversationNo, HandleNo, PersonId, PersonNo};
use crate::store::{ContentKey, ConversationRow, HandleRow, Rows};

/// A handle with its names opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleEntry {
    /// Its number.
    pub no: HandleNo,
    /// Its platform.
    pub app: App,
    /// The person behind it.
    pub person: PersonNo,
    /// The public id of that person.
    pub person_id: PersonId,
    /// The name as the source shows it.
    pub label: String,
    /// The platform's handle beside the label; empty when there is none.
    pub handle: String,
}

/// All names, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Handles by number.
    pub handles: BTreeMap<HandleNo, HandleEntry>,
    /// Conversations by number, with their titles.
    pub conversations: BTreeMap<ConversationNo, (ConversationRow, String)>,
    /// Who writes in each conversation.
    pub participants: BTreeMap<ConversationNo, Vec<HandleNo>>,
}

impl Archive {
    /// The label of a handle, as the given transaction sees it; empty when it was disposed of.
    pub(super) fn label_of(
        &self,
        rows: &Rows,
        opener: &mut Opener<'_>,
        handle: &HandleRow,
    ) -> Result<String> {
        let Some(sealed) = rows.content(ContentKey::first(handle.name_no))? else {
            return Ok(String::new());
        };
        let mut plain = Vec::new();
        opener.open(rows, &sealed, &mut plain)?;
        Ok(read_texts(&plain)?.into_iter().next().unwrap_or_default())
    }

    /// Opens every name.
    pub fn directory(&self) -> Result<Directory> {
        let mut reader = self.reader()?;
        let persons: BTreeMap<PersonNo, PersonId> = reader.rows().persons()?.into_iter().collect();
        let mut directory = Directory::default();
        for row in reader.rows().handles()? {
            let mut names = reader.texts(row.name_no)?.into_iter();
            let entry = HandleEntry {
                no: row.no,
                app: row.app,
                person: row.person,
                person_id: persons.get(&row.person).copied().unwrap_or(PersonId(0)),
                label: names.next().unwrap_or_default(),
                handle: names.next().unwrap_or_default(),
            };
            directory.handles.insert(row.no, entry);
        }
        for row in reader.rows().conversations()? {
            let title = reader
                .texts(row.title_no)?
                .into_iter()
                .next()
                .unwrap_or_default();
            directory.conversations.insert(row.no, (row, title));
        }
        for (conversation, handle) in reader.rows().participants()? {
            directory
                .participants
                .entry(conversation)
                .or_default()
                .push(handle);
        }
        Ok(directory)
    }
}
