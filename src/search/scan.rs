//! The reference path: every message of the record that lies inside the scope, judged by the
//! evaluator, without the index.

use super::error::Result;
use super::execute::Search;
use super::judge::Judge;
use super::order::{Order, SortKey};
use crate::domain::ConversationNo;
use crate::query::HitSpan;

/// One message the scan found.
#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    /// Its place; the score is 0.
    pub key: SortKey,
    /// Where it matched.
    pub matched: Vec<HitSpan>,
}

impl Search<'_> {
    /// Every hit in order, by opening every message of the scope. It takes as long as that takes:
    /// for `--exact`, holds, and the tests every other way is held to. [`Order::Best`] is read as
    /// [`Order::Newest`], since a scan gives no scores.
    ///
    /// # Errors
    /// When the record fails or time is up.
    pub fn scan(&self, order: Order) -> Result<Vec<Scanned>> {
        let mut judge = Judge::new(self)?;
        let mut found = Vec::new();
        for conversation in self.visible_conversations()? {
            judge.each_of(conversation, |judge, message| {
                if let Some(matched) = judge.spans(message)? {
                    let row = &message.row;
                    let key = SortKey {
                        score: 0.0,
                        sent: row.sent,
                        no: row.no,
                    };
                    found.push(Scanned { key, matched });
                }
                Ok(())
            })?;
        }
        found.sort_by(|a, b| a.key.compare(&b.key, order));
        Ok(found)
    }

    /// The conversations inside the scope, from the record itself.
    fn visible_conversations(&self) -> Result<Vec<ConversationNo>> {
        let rows = self.archive.store().read()?.conversations()?;
        let visible = rows
            .into_iter()
            .filter(|row| self.names.scope().allows(row.no, row.account));
        Ok(visible.map(|row| row.no).collect())
    }
}
