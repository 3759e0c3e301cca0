//! A query and one clause more: how a click on a count narrows a search.

use super::{Appliance, Result};
use crate::query::ast::ExprKind;
use crate::query::{ParseContext, Purpose, parse, print};

impl Appliance {
    /// The query that also asks for `clause`, in the words of the asker as far as that can be: a
    /// directive such as `tz:` holds for the whole query and must stay outside of parentheses.
    /// A query that cannot be read is given with the clause behind it, to be mended together.
    ///
    /// # Errors
    /// When the zone of the workspace is none.
    pub fn narrowed_query(&self, text: &str, clause: &str) -> Result<String> {
        let text = text.trim();
        if text.is_empty() || clause.is_empty() {
            return Ok(format!("{text}{clause}"));
        }
        let context = ParseContext {
            zone: super::search::zone(&self.zone_name())?,
            now: self.clock.now().wall,
            strict: false,
            purpose: Purpose::Search,
        };
        let Some(query) = parse(text, &context).ast else {
            return Ok(format!("{text} AND {clause}"));
        };
        if !matches!(query.root.kind, ExprKind::Or(_)) {
            return Ok(format!("{text} AND {clause}"));
        }
        let plain = format!("({text}) AND {clause}");
        let reads = parse(&plain, &context).blocking(&[]).next().is_none();
        let directed = query.zone.is_some() || query.accent_strict || query.strict;
        Ok(match directed && !reads {
            // The canonical form has its directives outside already.
            true => format!("{} AND {clause}", print(&query)),
            false => plain,
        })
    }
}
