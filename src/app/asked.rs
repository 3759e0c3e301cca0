//! The use-cases "keep a search", "open a kept search", "save it": what stands behind the address of
//! a page of hits.

use super::{AppError, Appliance, Result, Session};
use crate::audit::Action;
use crate::domain::{Right, SearchId};
use crate::search::Order;
use crate::store::AskedRow;

/// Most characters of a query that is kept.
pub const QUERY_CHARS_MAX: usize = 10_000;
/// Most characters of the name of a saved search.
const NAME_CHARS_MAX: usize = 120;
/// Searches listed at once.
const LISTED_MAX: u32 = 50;

/// A search as somebody asked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSearch {
    /// Its address.
    pub id: SearchId,
    /// The query as typed.
    pub text: String,
    /// Order of the hits.
    pub order: Order,
    /// The name it is saved under; empty where it is only remembered.
    pub name: String,
}

impl Appliance {
    /// Keeps a search and gives its address. The same words of the same person have one address.
    ///
    /// # Errors
    /// For who may not read; when the query is too long.
    pub fn keep_search(&self, session: &Session, text: &str, order: Order) -> Result<SearchId> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        if text.chars().count() > QUERY_CHARS_MAX {
            return Err(AppError::Usage(format!(
                "a query has at most {QUERY_CHARS_MAX} characters"
            )));
        }
        let owner = session.actor.no;
        let parts: [&[u8]; 3] = [
            &owner.0.to_be_bytes(),
            text.as_bytes(),
            order.name().as_bytes(),
        ];
        let lookup = self.archive.lookup("asked", &parts).to_vec();
        let now = self.clock.now();
        let id = SearchId(self.new_id());
        self.change(now, |tx| {
            if let Some(mut row) = tx.asked_before(&lookup)? {
                row.last = now.compliance;
                tx.update_asked(&row)?;
                return Ok(row.id);
            }
            let text_no = self.archive.seal_texts(tx, &[text, order.name(), ""])?;
            tx.insert_asked(&AskedRow {
                id,
                owner,
                lookup,
                first: now.compliance,
                last: now.compliance,
                saved: false,
                text_no,
            })?;
            Ok(id)
        })
    }

    /// A kept search of this person. That of somebody else is not found.
    ///
    /// # Errors
    /// For who may not read; when it is not theirs or never was.
    pub fn kept_search(&self, session: &Session, id: SearchId) -> Result<KeptSearch> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        let rows = self.archive.store().read()?;
        let row = rows
            .asked(id)?
            .filter(|row| row.owner == session.actor.no)
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        self.opened_search(&rows, &row)
    }

    /// The searches of this person: saved ones, or what they asked last.
    ///
    /// # Errors
    /// For who may not read.
    pub fn kept_searches(&self, session: &Session, saved: bool) -> Result<Vec<KeptSearch>> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        let rows = self.archive.store().read()?;
        rows.asked_by(session.actor.no, saved, LISTED_MAX)?
            .iter()
            .map(|row| self.opened_search(&rows, row))
            .collect()
    }

    /// Saves a search under a name; an empty name lets it go among the remembered ones.
    ///
    /// # Errors
    /// For who may not read; when it is not theirs; when the name is too long.
    pub fn save_search(&self, session: &Session, id: SearchId, name: &str) -> Result<()> {
        let kept = self.kept_search(session, id)?;
        let name = name.trim();
        if name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(AppError::Usage(format!(
                "a name is one line of at most {NAME_CHARS_MAX} characters"
            )));
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut row = tx
                .asked(id)?
                .ok_or_else(|| AppError::NotFound(id.to_string()))?;
            let texts = [kept.text.as_str(), kept.order.name(), name];
            row.text_no = self.archive.seal_texts(tx, &texts)?;
            row.saved = !name.is_empty();
            Ok(tx.update_asked(&row)?)
        })
    }

    fn opened_search(&self, rows: &crate::store::Rows, row: &AskedRow) -> Result<KeptSearch> {
        let mut texts = self.archive.open_texts(rows, row.text_no)?.into_iter();
        let text = texts.next().unwrap_or_default();
        let order = texts.next().unwrap_or_default();
        Ok(KeptSearch {
            id: row.id,
            text,
            order: Order::from_name(&order).unwrap_or(Order::Newest),
            name: texts.next().unwrap_or_default(),
        })
    }
}
