//! The evaluator over opened messages.

use super::error::Result;
use super::hit::Matched;
use crate::archive::OpenedMessage;
use crate::query::{Facts, Resolved};

pub(super) struct Judge<'a> {
    resolved: &'a Resolved,
    facts: &'a dyn Facts,
}

impl<'a> Judge<'a> {
    pub fn new(resolved: &'a Resolved, facts: &'a dyn Facts) -> Judge<'a> {
        Judge { resolved, facts }
    }

    pub fn judge(&self, _message: &OpenedMessage) -> Result<Option<Vec<Matched>>> {
        let _ = (self.resolved, self.facts);
        Ok(Some(Vec::new()))
    }
}
