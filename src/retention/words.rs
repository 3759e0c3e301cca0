//! The words of policies, holds, labels, matters and events, as they are sealed: texts in a row.

use super::error::{Result, RetentionError};
use crate::archive::Archive;
use crate::domain::EventKey;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $what:literal { $($(#[$field_doc:meta])* $field:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: String,)*
        }

        impl $name {
            /// The texts in the order in which they are sealed (`Archive::seal_texts`).
            pub fn texts(&self) -> Vec<&str> {
                vec![$(self.$field.as_str(),)*]
            }

            /// Reads what was sealed. `Malformed` when texts are missing; later ones are left out.
            pub fn from_texts(texts: Vec<String>) -> Result<$name> {
                let mut texts = texts.into_iter();
                let words = $name {
                    $($field: texts.next().ok_or(RetentionError::Malformed($what))?,)*
                };
                Ok(words)
            }
        }
    )*};
}

words! {
    /// The words of one version of a policy.
    PolicyWords = "a policy" {
        /// What people call it.
        name,
        /// Its scope in the resolved form of the query language.
        scope,
        /// The law or rule it follows.
        citation,
        /// Why it was written or changed.
        reason,
        /// The event that starts its period, as `type(key)`; empty without one.
        event,
    }
    /// The words of a hold.
    HoldWords = "a hold" {
        /// What people call it.
        name,
        /// Its query in the resolved form; empty without one.
        query,
        /// Why it was placed.
        reason,
    }
    /// The words of a label.
    LabelWords = "a label" {
        /// What people call it.
        name,
        /// What it means.
        description,
    }
    /// The words of a matter.
    MatterWords = "a matter" {
        /// What people call it.
        name,
        /// The number of the case at court or counsel.
        reference,
    }
    /// The words of an event.
    EventWords = "an event" {
        /// What happened, such as `employee_left`.
        kind,
        /// To whom or what, such as `emp42`.
        key,
        /// Where that is known from.
        reason,
    }
}

impl EventWords {
    /// Reads `type(key)`.
    ///
    /// # Errors
    /// When the form is another one.
    pub fn read(text: &str) -> Result<EventWords> {
        let wrong = || {
            RetentionError::Refused(format!(
                "\"{text}\" is no event; write employee_left(emp42)"
            ))
        };
        let inner = text.trim().strip_suffix(')').ok_or_else(wrong)?;
        let (kind, key) = inner.split_once('(').ok_or_else(wrong)?;
        let (kind, key) = (kind.trim().to_lowercase(), key.trim().to_owned());
        let word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        if kind.is_empty() || key.is_empty() || !kind.chars().all(word) {
            return Err(wrong());
        }
        Ok(EventWords {
            kind,
            key,
            reason: String::new(),
        })
    }

    /// The keyed hash by which rules compare events.
    pub fn lookup(&self, archive: &Archive) -> EventKey {
        EventKey(archive.lookup("event", &[self.kind.as_bytes(), self.key.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_in_order() {
        let words = HoldWords {
            name: "Acme".to_owned(),
            query: "from:per_1".to_owned(),
            reason: "letter".to_owned(),
        };
        let sealed: Vec<String> = words.texts().into_iter().map(str::to_owned).collect();
        assert_eq!(HoldWords::from_texts(sealed).unwrap(), words);
        assert!(HoldWords::from_texts(vec![String::new()]).is_err());
    }

    #[test]
    fn an_event_is_a_type_and_a_key() {
        let event = EventWords::read(" Employee_Left( emp 42 ) ").unwrap();
        assert_eq!((&*event.kind, &*event.key), ("employee_left", "emp 42"));
        for text in ["", "x", "x()", "(y)", "a b(c)", "x(y"] {
            assert!(EventWords::read(text).is_err(), "{text}");
        }
    }
}
