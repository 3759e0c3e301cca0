//! Every hit of a query, told by where it belongs: for counts that need no words.

use std::collections::HashSet;

use super::error::Result;
use super::execute::{Search, outside_scope};
use super::order::Order;
use crate::archive::Reader;
use crate::domain::ConversationNo;
use crate::index::{self, Placed};

/// Rows counted between two questions whether time is up.
const ROWS_PER_CHECK: usize = 1_024;

impl Search<'_> {
    /// Hands out every hit once, in no order: the message, its conversation, sender and time.
    ///
    /// # Errors
    /// As [`Search::page`]. What was handed out before is of no use then.
    pub fn each_place(&self, visit: &mut dyn FnMut(Placed)) -> Result<()> {
        let mut reader = self.archive.reader()?;
        self.each_hit(&mut reader, visit)
    }

    /// Hands out every hit once, in no order.
    ///
    /// # Errors
    /// As [`Search::page`]. What was handed out before is of no use then.
    pub(super) fn each_hit(
        &self,
        reader: &mut Reader<'_>,
        visit: &mut dyn FnMut(Placed),
    ) -> Result<()> {
        self.refuse_closed_parts()?;
        match self.each_of_index(reader, visit)? {
            true => Ok(()),
            false => self.each_of_record(reader, visit),
        }
    }

    /// What the index tells by itself; `false`, and nothing, when it cannot.
    fn each_of_index(
        &self,
        reader: &mut Reader<'_>,
        visit: &mut dyn FnMut(Placed),
    ) -> Result<bool> {
        let budget = self.budget;
        let stop = move || budget.is_over();
        let (spelled, scope) = (self.names.spelled_scope(), self.names.scope());
        let mut conversations: HashSet<ConversationNo> = HashSet::new();
        let mut is_outside = false;
        let index = self.index();
        let told = index.each(self.resolved, &spelled, Some(&stop), &mut |placed| {
            is_outside |= !scope.shows(placed.no);
            conversations.insert(placed.conversation);
            visit(placed);
        });
        if let Err(index::Error::Budget { .. }) = told {
            return Err(self.over_budget());
        }
        if !told? {
            return Ok(false);
        }
        for no in conversations {
            let account = reader.conversation(no)?.account;
            is_outside |= !scope.allows(no, account);
        }
        match is_outside {
            false => Ok(true),
            true => Err(outside_scope()),
        }
    }

    /// What only the record can tell: every candidate is opened.
    fn each_of_record(&self, reader: &mut Reader<'_>, visit: &mut dyn FnMut(Placed)) -> Result<()> {
        let mut found = self.find(Order::Oldest, None, usize::MAX)?.keys;
        // By number, the record is read from front to back.
        found.sort_unstable_by_key(|key| key.no);
        for (turn, key) in found.iter().enumerate() {
            if turn % ROWS_PER_CHECK == 0 && self.budget.is_over() {
                return Err(self.over_budget());
            }
            let Some(row) = reader.rows().message(key.no)? else {
                continue;
            };
            self.check_scope(reader, &row)?;
            visit(Placed {
                no: row.no,
                conversation: row.conversation,
                sender: row.sender,
                sent: row.sent,
            });
        }
        Ok(())
    }
}
