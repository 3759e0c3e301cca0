//! The mapping file: which column, or which key, is which part of a message.
//!
//! Its shape is `schema/json/import-mapping.json`.

use serde::Deserialize;

use crate::domain::IdScope;

use super::instant::TimeFormat;

/// Parts of a message a column may give, in the order of [`Mapping::columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Slot {
    Conversation = 0,
    Title = 1,
    Sender = 2,
    Handle = 3,
    Time = 4,
    Body = 5,
    Id = 6,
    ReplyTo = 7,
    Attachment = 8,
    App = 9,
}

/// Number of slots.
pub(super) const SLOTS: usize = 10;

/// Where a part comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Column {
    /// The column or key of this name.
    Named(String),
    /// The column of this number, from 1 (tables of separated values without names).
    Numbered {
        /// The number, from 1.
        column: usize,
    },
    /// The same text for every row.
    Constant {
        /// The text.
        constant: String,
    },
}

/// How the rows of a table become messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What tells conversations apart.
    pub conversation: Column,
    /// The author.
    pub sender: Column,
    /// The words.
    pub body: Column,
    /// The time; without it every row is placed by its order.
    #[serde(default)]
    pub ts: Option<Column>,
    /// How times are written: `rfc3339` (default), `unix`, `unix_ms`, `unix_us`, or a pattern of
    /// strftime such as `%d.%m.%Y %H:%M`.
    #[serde(default)]
    pub ts_format: Option<String>,
    /// Whether a row may have no time; it is then placed by its order.
    #[serde(default)]
    pub ts_optional: bool,
    /// The IANA zone of times that carry none.
    #[serde(default)]
    pub zone: Option<String>,
    /// The name of the conversation, where it is not its key.
    #[serde(default)]
    pub title: Option<Column>,
    /// The author's handle beside the name.
    #[serde(default)]
    pub handle: Option<Column>,
    /// The platform's id of the message.
    #[serde(default)]
    pub id: Option<Column>,
    /// How far ids reach: `global`, `chat` (default) or `account_chat`.
    #[serde(default)]
    pub id_scope: Option<String>,
    /// The id of the message answered to; the first, where the row gives a list.
    #[serde(default)]
    pub reply_to: Option<Column>,
    /// The name of an attached file among the files handed in.
    #[serde(default)]
    pub attachment_path: Option<Column>,
    /// The platform.
    #[serde(default)]
    pub app: Option<Column>,
    /// Further columns that belong to the record. Every column is kept in the raw record; naming
    /// them here makes the mapping say so.
    #[serde(default)]
    pub extra: Vec<String>,
    /// Separated values only: whether the first row holds the names of the columns.
    #[serde(default = "yes")]
    pub header: bool,
}

fn yes() -> bool {
    true
}

/// Why a mapping cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not of the schema; the place and the reason.
    #[error(
        "the mapping file is not of the expected form: {0}; see the schema import-mapping.json"
    )]
    Form(String),
    /// A word that is not one of the known.
    #[error("\"{word}\" is no {what}; use one of {known}")]
    Word {
        /// What the word should be.
        what: &'static str,
        /// The word as given.
        word: String,
        /// The known words.
        known: &'static str,
    },
}

impl Mapping {
    /// Reads and checks a mapping file.
    ///
    /// # Errors
    /// [`MappingError`] says what to mend.
    pub fn from_json(text: &str) -> Result<Self, MappingError> {
        let mapping: Mapping =
            serde_json::from_str(text).map_err(|error| MappingError::Form(error.to_string()))?;
        mapping.id_scope()?;
        mapping.time_format()?;
        if let Some(zone) = &mapping.zone
            && crate::ingest::zone::LocalClock::new(zone).is_none()
        {
            return Err(MappingError::Word {
                what: "zone",
                word: zone.clone(),
                known: "the IANA names, such as Europe/Lisbon",
            });
        }
        Ok(mapping)
    }

    /// How far ids reach.
    ///
    /// # Errors
    /// [`MappingError::Word`] for an unknown word.
    pub fn id_scope(&self) -> Result<IdScope, MappingError> {
        match self.id_scope.as_deref() {
            None | Some("chat") => Ok(IdScope::Chat),
            Some("global") => Ok(IdScope::Global),
            Some("account_chat") => Ok(IdScope::AccountChat),
            Some(word) => Err(MappingError::Word {
                what: "reach of an id",
                word: word.to_owned(),
                known: "global, chat, account_chat",
            }),
        }
    }

    pub(super) fn time_format(&self) -> Result<TimeFormat, MappingError> {
        let word = self.ts_format.as_deref().unwrap_or("rfc3339");
        TimeFormat::from_name(word).ok_or_else(|| MappingError::Word {
            what: "form of times",
            word: word.to_owned(),
            known: "rfc3339, unix, unix_ms, unix_us, or a strftime pattern",
        })
    }

    /// The column of every slot.
    pub(super) fn columns(&self) -> [Option<&Column>; SLOTS] {
        [
            Some(&self.conversation),
            self.title.as_ref(),
            Some(&self.sender),
            self.handle.as_ref(),
            self.ts.as_ref(),
            Some(&self.body),
            self.id.as_ref(),
            self.reply_to.as_ref(),
            self.attachment_path.as_ref(),
            self.app.as_ref(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_reads_with_its_defaults() {
        let mapping = Mapping::from_json(
            r#"{"conversation":"room","sender":"who","body":"text","ts":"at","app":{"constant":"slack"},"id":{"column":3}}"#,
        )
        .unwrap();
        assert_eq!(mapping.conversation, Column::Named("room".into()));
        assert_eq!(mapping.id, Some(Column::Numbered { column: 3 }));
        assert_eq!(
            mapping.app,
            Some(Column::Constant {
                constant: "slack".into()
            })
        );
        assert!(mapping.header && !mapping.ts_optional);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            (r#"{"conversation":"a","sender":"b"}"#, "body"),
            (
                r#"{"conversation":"a","sender":"b","body":"c","colour":"d"}"#,
                "colour",
            ),
            (
                r#"{"conversation":"a","sender":"b","body":"c","id_scope":"world"}"#,
                "world",
            ),
            (
                r#"{"conversation":"a","sender":"b","body":"c","ts_format":"iso"}"#,
                "iso",
            ),
            (
                r#"{"conversation":"a","sender":"b","body":"c","zone":"Mars"}"#,
                "Mars",
            ),
        ] {
            let error = Mapping::from_json(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
