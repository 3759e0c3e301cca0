//! The typed facts of a text: does it carry an amount, a date, a phone, an address, a link?
//!
//! Everything here is a pure function of the text. One pass looks only at digits, `@`, `:`, `w`
//! and opening signs; a text without them costs one table look-up a byte.

use crate::domain::Presence;

use super::amounts::{Amount, amount_at};
use super::dates::date_at;
use super::iban::iban_at;
use super::link::link_at;
use super::phone::{Opening, read_phone};
use super::scan::TEXT_BYTES_MAX;
use super::scripts::{Role, role};

/// The most amounts, and the most links, kept of one text; later ones only count as present.
const LISTED_MAX: usize = 64;

/// The longest scheme looked for before `://`, in bytes.
const SCHEME_BYTES_MAX: usize = 20;

/// The facts of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFacts {
    /// Which of `AMOUNT`, `DATE`, `PHONE`, `EMAIL`, `IBAN`, `LINK` and `MENTION` the text has; no
    /// other bit is ever set.
    pub presence: Presence,
    /// The amounts in reading order, at most 64.
    pub amounts: Vec<Amount>,
    /// The links as written, in reading order, at most 64.
    pub urls: Vec<String>,
}

/// The facts of `text`.
///
/// ```
/// use wordkeep::domain::Presence;
/// use wordkeep::query::analysis::facts_of;
/// let facts = facts_of("I can do €1.200,50 by 2024-03-05");
/// assert!(facts.presence.has(Presence::AMOUNT) && facts.presence.has(Presence::DATE));
/// assert_eq!(facts.amounts[0].value_millis, 1_200_500);
/// assert_eq!(facts.amounts[0].currency, Some(*b"EUR"));
/// ```
pub fn facts_of(text: &str) -> TextFacts {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        facts: TextFacts::default(),
    };
    reader.read();
    reader.facts
}

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Clue {
    None,
    Digit,
    At,
    Colon,
    W,
    Opening,
}

const CLUES: [Clue; 256] = {
    let mut table = [Clue::None; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => Clue::Digit,
            b'@' => Clue::At,
            b':' => Clue::Colon,
            b'w' | b'W' => Clue::W,
            b'+' | b'(' => Clue::Opening,
            _ => Clue::None,
        };
        byte += 1;
    }
    table
};

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    facts: TextFacts,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            at = match CLUES[usize::from(*byte)] {
                Clue::None => at + 1,
                Clue::Digit => self.digits(at),
                Clue::At => self.at_sign(at),
                Clue::Colon => self.colon(at),
                Clue::W => self.www(at),
                Clue::Opening => self.opening(at),
            };
        }
    }

    fn found(&mut self, fact: Presence) {
        self.facts.presence = self.facts.presence.with(fact);
    }

    /// What begins with the first digit at `at`; gives where it ends.
    fn digits(&mut self, at: usize) -> usize {
        if let Some(end) = iban_at(self.bytes, at) {
            self.found(Presence::IBAN);
            return end;
        }
        let after_word = self.is_after_word(at);
        if let Some(end) = date_at(self.text, at).filter(|_| !after_word) {
            self.found(Presence::DATE);
            return end;
        }
        if let Some((amount, end)) = amount_at(self.text, at) {
            self.found(Presence::AMOUNT);
            if self.facts.amounts.len() < LISTED_MAX {
                self.facts.amounts.push(amount);
            }
            return end;
        }
        if !after_word && let Some(end) = self.phone(at) {
            return end;
        }
        let digits = self.bytes[at..].iter();
        at + digits.take_while(|byte| byte.is_ascii_digit()).count()
    }

    fn opening(&mut self, at: usize) -> usize {
        let before_digit = self.bytes[at + 1..]
            .iter()
            .take(2)
            .any(|byte| byte.is_ascii_digit());
        let phone = before_digit.then(|| self.phone(at)).flatten();
        phone.unwrap_or(at + 1)
    }

    fn phone(&mut self, at: usize) -> Option<usize> {
        let mut groups = Vec::new();
        let phone = read_phone(self.text, at, &mut groups);
        let last = groups.last()?;
        let digits: usize = groups.iter().map(|group| group.digits).sum();
        let lengths = || groups.iter().map(|group| group.digits);
        let is_date = digits <= 8 && groups.len() == 3;
        // In groups between hyphens: `912-345-678`, `555-1234`.
        let grouped = (9..=12).contains(&digits) && groups.len() > 2;
        let hyphened = groups[..groups.len() - 1]
            .iter()
            .all(|g| self.bytes[g.end] == b'-')
            && lengths().all(|len| (2..=5).contains(&len))
            && (grouped || lengths().eq([3, 4]));
        // Alone, only with the zero of a trunk or country prefix.
        let alone = groups.len() == 1 && groups[0].leading_zero && (9..=15).contains(&digits);
        let is_phone = phone.is_some_and(|opening| opening != Opening::Digit || !is_date)
            || (hyphened && !is_date)
            || alone;
        is_phone.then(|| {
            self.found(Presence::PHONE);
            last.end
        })
    }

    /// An e-mail address around the `@`, or a mention behind it.
    fn at_sign(&mut self, at: usize) -> usize {
        let local = at > 0 && is_local(self.bytes[at - 1]);
        if local && let Some(end) = self.domain_end(at + 1) {
            self.found(Presence::EMAIL);
            return end;
        }
        let next = self.text[at + 1..].chars().next();
        let word = next.is_some_and(|c| matches!(role(c), Role::Word | Role::Unspaced));
        if word && !self.is_after_word(at) {
            self.found(Presence::MENTION);
        }
        at + 1
    }

    /// The end of a host name with a dot and a top-level domain of letters.
    fn domain_end(&self, start: usize) -> Option<usize> {
        let rest = &self.bytes[start..];
        let len = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'-') && *b < 0x80)
            .unwrap_or(rest.len());
        let host = self.text[start..start + len].trim_end_matches(['.', '-']);
        let (name, top) = host.rsplit_once('.')?;
        let letters = top.chars().all(char::is_alphabetic) || top.starts_with("xn--");
        (!name.is_empty() && top.chars().count() > 1 && letters).then_some(start + host.len())
    }

    /// A link with a scheme.
    fn colon(&mut self, at: usize) -> usize {
        if !self.bytes[at..].starts_with(b"://") {
            return at + 1;
        }
        let before = self.bytes[..at].iter().rev().take(SCHEME_BYTES_MAX);
        let scheme = before.take_while(|b| b.is_ascii_alphanumeric()).count();
        let start = at - scheme;
        if scheme == 0 || !self.bytes[start].is_ascii_alphabetic() {
            return at + 1;
        }
        self.link(start, at).unwrap_or(at + 1)
    }

    fn www(&mut self, at: usize) -> usize {
        let is_www = self.bytes[at..]
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"www."));
        if !is_www || self.is_after_word(at) {
            return at + 1;
        }
        self.link(at, at + 3).unwrap_or(at + 1)
    }

    fn link(&mut self, start: usize, word_end: usize) -> Option<usize> {
        let link = link_at(self.text, start, word_end)?;
        self.found(Presence::LINK);
        if self.facts.urls.len() < LISTED_MAX {
            self.facts.urls.push(self.text[start..link.end].to_owned());
        }
        Some(link.end)
    }

    fn is_after_word(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        before.is_some_and(|c| matches!(role(c), Role::Word))
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(Presence, &str); 7] = [
        (Presence::AMOUNT, "amount"),
        (Presence::DATE, "date"),
        (Presence::PHONE, "phone"),
        (Presence::EMAIL, "email"),
        (Presence::IBAN, "iban"),
        (Presence::LINK, "link"),
        (Presence::MENTION, "mention"),
    ];

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let facts = facts_of(text);
        let names: Vec<&str> = NAMES
            .iter()
            .filter(|(bit, _)| facts.presence.has(*bit))
            .map(|(_, name)| *name)
            .collect();
        assert_eq!(names.join(" "), expected, "facts of {text:?}");
        let known = NAMES.iter().fold(0, |bits, (bit, _)| bits | bit.0);
        assert_eq!(facts.presence.0 & !known, 0);
    }

    #[test]
    fn plain_talk_has_no_facts() {
        for text in [
            "",
            "see you there",
            "we won 3 to 2",
            "version 1.2.3 (4) at 10:30",
            "w w w. x@ @ a:// ://",
            "24/7 and 1/2",
            "call me in 10 20 minutes",
        ] {
            check(text, "");
        }
    }

    #[test]
    fn each_fact_is_seen() {
        check("it costs €500", "amount");
        check("by 2024-03-05 at noon", "date");
        check("ring +351 912-345-678", "phone");
        check("or 912 345 678", "phone");
        check("or 912-345-678 or 555-1234", "phone");
        check("(555) 123-4567", "phone");
        check("07911123456", "phone");
        check("to ana.b+x@acme.example.", "email");
        check("ping @ana", "mention");
        check("你好@李雷 @王", "mention");
        check("see https://acme.example/a?b=1.", "link");
        check("www.acme.example", "link");
        check("https://a.example/2024-01-05/@x", "link");
    }

    #[test]
    fn an_iban_needs_its_checksum() {
        check("GB82 WEST 1234 5698 7654 32 thanks", "iban");
        check("iban DE89370400440532013000.", "iban");
        check("PT50000201231234567890154", "iban");
        check("GB82WEST12345698765433", "");
    }

    #[test]
    fn links_are_listed_as_written() {
        let facts = facts_of("(https://a.example/x). http://b.example, www.c.example/y!");
        assert_eq!(
            facts.urls,
            ["https://a.example/x", "http://b.example", "www.c.example/y"]
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            cases: 2_000,
            failure_persistence: None,
            ..Default::default()
        })]

        #[test]
        fn facts_never_fail(text in proptest::prelude::any::<String>()) {
            facts_of(&text);
        }

        #[test]
        fn facts_of_dense_text_never_fail(text in "[0-9€$.,' kMDEx@:/+()w-]{0,60}") {
            let facts = facts_of(&text);
            let listed = !facts.amounts.is_empty();
            assert_eq!(facts.presence.has(Presence::AMOUNT), listed);
            assert_eq!(facts.presence.has(Presence::LINK), !facts.urls.is_empty());
        }
    }
}
