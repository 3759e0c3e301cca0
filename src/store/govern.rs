//! The two counters by which a plan and a simulation know that nothing changed since.

use super::{Rows, StoreError, WriteTx};

/// How often holds and rules were changed so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Epochs {
    /// Grows with every change of a hold.
    pub hold: u64,
    /// Grows with every change of a policy, a label, an event or an extension.
    pub rule: u64,
}

impl Rows {
    /// The counters as of this transaction.
    pub fn epochs(&self) -> Result<Epochs, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select hold_epoch, rule_epoch from govern_state where only = 1")?
            .query_row([], |row| {
                Ok(Epochs {
                    hold: row.get(0)?,
                    rule: row.get(1)?,
                })
            })?)
    }
}

impl WriteTx<'_> {
    /// Notes that a hold changed. Every write of a hold row calls it by itself.
    pub(super) fn holds_changed(&self) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update govern_state set hold_epoch = hold_epoch + 1 where only = 1")?
            .execute([])?;
        Ok(())
    }

    /// Notes that a rule changed. Every write of a policy, label, event or floor calls it itself.
    pub(super) fn rules_changed(&self) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update govern_state set rule_epoch = rule_epoch + 1 where only = 1")?
            .execute([])?;
        Ok(())
    }
}
