//! Names to numbers: what the resolver asks of the people, chats and objects inside the scope.

use std::collections::BTreeSet;

use super::ast::{Piece, Pieces, StemLanguage};
use super::fields::Field;
use super::matcher::Glob;
use crate::domain::{ConversationNo, HandleNo, ImportNo, MessageNo};

/// A person, or a handle that belongs to nobody yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonMatch {
    /// Id as the canonical form prints it (`per_…`); [`Directory::people`] must find it again.
    pub id: String,
    /// How people call it.
    pub label: String,
    /// Every identity.
    pub handles: BTreeSet<HandleNo>,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationMatch {
    /// Id as the canonical form prints it (`cnv_…`).
    pub id: String,
    /// Its title.
    pub label: String,
    /// Its number.
    pub no: ConversationNo,
}

/// Something else with a name: a matter, a tag, a seat, a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMatch {
    /// Id as the canonical form prints it and [`Facts`](super::Facts) gets it.
    pub id: String,
    /// How people call it.
    pub label: String,
}

/// The names inside the scope of the asker. Every answer must be the same for what is hidden and
/// what is absent.
pub trait Directory {
    /// The people whose id equals, or one of whose names, aliases or handles matches, the pattern.
    fn people(&self, name: &NamePattern) -> Vec<PersonMatch>;
    /// The asker (`me`), where they are a person of the directory.
    fn me(&self) -> Option<PersonMatch>;
    /// The conversations whose id equals or whose title matches the pattern.
    fn conversations(&self, name: &NamePattern) -> Vec<ConversationMatch>;
    /// The conversations one of these identities takes part in.
    fn conversations_with(&self, handles: &BTreeSet<HandleNo>) -> BTreeSet<ConversationNo>;
    /// The message of a printed id (`msg_…`).
    fn message(&self, id: &str) -> Option<MessageNo>;
    /// The imports of a printed id or file name.
    fn imports(&self, name: &NamePattern) -> Vec<(ImportNo, ObjectMatch)>;
    /// The objects of a field of name kind (`matter:`, `tag:`, `seat:`, `client:`, ...).
    fn objects(&self, field: Field, name: &NamePattern) -> Vec<ObjectMatch>;
    /// The language of `^stem` where the query names none.
    fn language(&self) -> StemLanguage {
        StemLanguage::English
    }
}

/// A directory without names: every name is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory;

impl Directory for NoDirectory {
    fn people(&self, _name: &NamePattern) -> Vec<PersonMatch> {
        Vec::new()
    }
    fn me(&self) -> Option<PersonMatch> {
        None
    }
    fn conversations(&self, _name: &NamePattern) -> Vec<ConversationMatch> {
        Vec::new()
    }
    fn conversations_with(&self, _handles: &BTreeSet<HandleNo>) -> BTreeSet<ConversationNo> {
        BTreeSet::new()
    }
    fn message(&self, _id: &str) -> Option<MessageNo> {
        None
    }
    fn imports(&self, _name: &NamePattern) -> Vec<(ImportNo, ObjectMatch)> {
        Vec::new()
    }
    fn objects(&self, _field: Field, _name: &NamePattern) -> Vec<ObjectMatch> {
        Vec::new()
    }
}

/// A name as asked, ready to be compared with labels and handles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    /// As typed, without quotes and escapes.
    pub text: String,
    words: Vec<Glob>,
    whole: Glob,
    digits: Option<String>,
}

/// Fewest digits of a text that is compared as a phone number.
const PHONE_DIGITS_MIN: usize = 6;

impl NamePattern {
    /// The pattern of a name as typed.
    pub fn new(pieces: &Pieces) -> NamePattern {
        let text = pieces.text();
        let digits = (!pieces.has_wildcard())
            .then(|| phone_digits(&text))
            .flatten();
        NamePattern {
            words: split_words(pieces)
                .iter()
                .map(|word| Glob::new(word, super::analysis::fold))
                .collect(),
            whole: Glob::new(pieces, |text| super::analysis::fold(text.trim())),
            text,
            digits,
        }
    }

    /// Whether the text asked for is exactly this id.
    pub fn is_id(&self, id: &str) -> bool {
        self.text.eq_ignore_ascii_case(id)
    }

    /// Whether every word asked for is a word of the label, both folded; order does not matter.
    pub fn matches_label(&self, label: &str) -> bool {
        let label = super::analysis::fold(label);
        let words: Vec<&str> = label
            .split(|letter: char| !letter.is_alphanumeric())
            .chain(label.split_whitespace())
            .filter(|word| !word.is_empty())
            .collect();
        !self.words.is_empty()
            && self
                .words
                .iter()
                .all(|asked| words.iter().any(|word| asked.matches(word)))
            || self.whole.matches(&label)
    }

    /// Whether it is this handle: an address or account name with or without `@`, or a phone
    /// number in any formatting.
    pub fn matches_handle(&self, handle: &str) -> bool {
        let folded = super::analysis::fold(handle);
        let bare = folded.strip_prefix('@').unwrap_or(&folded);
        if self.whole.matches(&folded) || self.whole.matches(bare) {
            return true;
        }
        self.digits.is_some() && self.digits == phone_digits(handle)
    }
}

/// The digits of a phone number in international form, if the text looks like one: `00` and `+`
/// in front are the same.
fn phone_digits(text: &str) -> Option<String> {
    let phone_like = text.chars().all(|letter| {
        letter.is_ascii_digit() || " +-./()\u{a0}\u{2011}\u{202a}\u{202c}".contains(letter)
    });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (phone_like && digits.len() >= PHONE_DIGITS_MIN).then(|| digits.to_owned())
}

fn split_words(pieces: &Pieces) -> Vec<Pieces> {
    let mut words = vec![Pieces::default()];
    for piece in &pieces.0 {
        let Piece::Literal(text) = piece else {
            if let Some(word) = words.last_mut() {
                word.0.push(piece.clone());
            }
            continue;
        };
        for (place, part) in text.split(char::is_whitespace).enumerate() {
            if place > 0 {
                words.push(Pieces::default());
            }
            if let (false, Some(word)) = (part.is_empty(), words.last_mut()) {
                word.0.push(Piece::Literal(part.to_owned()));
            }
        }
    }
    words.retain(|word| !word.0.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> NamePattern {
        NamePattern::new(&Pieces::literal(text))
    }

    #[test]
    fn s6_every_word_of_a_name_counts_in_any_order() {
        assert!(asked("sousa ana").matches_label("Ana Maria Sousa"));
        assert!(asked("joao").matches_label("João Melo"));
        assert!(!asked("ana sousa").matches_label("Ana Melo"));
        assert!(!asked("an").matches_label("Ana"));
    }

    #[test]
    fn s6_phone_numbers_compare_in_any_formatting() {
        assert!(asked("00351 912-345-678").matches_handle("+351912345678"));
        assert!(asked("+351912345678").matches_handle("+351 912 345 678"));
        assert!(!asked("912").matches_handle("+351912345678"));
    }

    #[test]
    fn s6_handles_compare_with_or_without_sign() {
        assert!(asked("ana").matches_handle("@Ana"));
        assert!(asked("ana@acme.example").matches_handle("Ana@ACME.example"));
    }
}
