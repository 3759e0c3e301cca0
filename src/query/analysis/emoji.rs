//! Emoji: one sequence is one word; skin tones and genders fold to the base; `:name:` is an alias.
//!
//! The grammar of sequences is that of UTS #51 (section 1.4.9): elements joined by U+200D, where
//! an element is a flag, a keycap, or an emoji with selector, skin tone, keycap or tags.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_properties::{EmojiStatus, UnicodeEmoji};

use super::scan::Scan;
use super::term::TermKind;

/// The most elements of one sequence; the longest in use has four people with skin tones.
const ELEMENTS_MAX: usize = 12;

/// The most tags of one flag; subdivision flags have six.
const TAGS_MAX: usize = 16;

/// The longest `:name:`, in bytes.
const NAME_BYTES_MAX: usize = 80;

/// Chat short names that neither GitHub nor CLDR has.
const SHORT_NAMES: [(&str, &str); 12] = [
    ("simple_smile", "🙂"),
    ("slight_smile", "🙂"),
    ("thumbsup_all", "👍"),
    ("hugging_face", "🤗"),
    ("hugging", "🤗"),
    ("the_horns", "🤘"),
    ("spock_hand", "🖖"),
    ("face_with_cowboy_hat", "🤠"),
    ("white_frowning_face", "☹"),
    ("thinking_face", "🤔"),
    ("face_palm", "🤦"),
    ("tick", "✅"),
];

/// Emoji by their CLDR name, blanks and hyphens as `_`; GitHub's names are the crate's own.
/// Read-only, made once from the tables of the crate.
static BY_NAME: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let slug = |name: &str| {
        let lower = name.chars().map(|c| match c {
            _ if c.is_alphanumeric() => c.to_ascii_lowercase(),
            _ => '_',
        });
        lower.collect::<String>()
    };
    let named = emojis::iter().map(|emoji| (slug(emoji.name()), emoji.as_str()));
    let short = SHORT_NAMES.map(|(name, emoji)| (name.to_owned(), emoji));
    named.chain(short).collect()
});

const ZWJ: char = '\u{200D}';
const EMOJI_SELECTOR: char = '\u{FE0F}';
const TEXT_SELECTOR: char = '\u{FE0E}';
const KEYCAP: char = '\u{20E3}';

/// Where the emoji sequence at the start of `text` ends; `None` when there is none.
fn sequence_len(text: &str) -> Option<usize> {
    let mut len = element_len(text)?;
    for _ in 1..ELEMENTS_MAX {
        let next = text[len..].strip_prefix(ZWJ).and_then(joined_len);
        match next {
            Some(next) => len += ZWJ.len_utf8() + next,
            None => break,
        }
    }
    Some(len)
}

/// The length of an element that begins a sequence.
fn element_len(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let second = chars.next();
    if is_flag_letter(first) {
        let pair = second.filter(|c| is_flag_letter(*c));
        return Some(first.len_utf8() + pair.map_or(0, char::len_utf8));
    }
    begins_emoji(first, second).then(|| first.len_utf8() + tail_len(&text[first.len_utf8()..]))
}

/// The length of an element behind a joiner: any emoji, whatever its default presentation.
fn joined_len(text: &str) -> Option<usize> {
    let first = text.chars().next().filter(|c| !c.is_ascii())?;
    let len = first.len_utf8();
    first.is_emoji_char().then(|| len + tail_len(&text[len..]))
}

/// The length of the selectors, skin tone, keycap and tags behind an emoji.
fn tail_len(text: &str) -> usize {
    let mut len = 0;
    let mut tags = 0;
    for (i, c) in text.chars().enumerate() {
        let belongs = match c {
            EMOJI_SELECTOR | TEXT_SELECTOR | KEYCAP => i < 4,
            _ if is_skin_tone(c) => i < 4,
            '\u{E0020}'..='\u{E007F}' => {
                tags += 1;
                tags <= TAGS_MAX
            }
            _ => false,
        };
        if !belongs {
            break;
        }
        len += c.len_utf8();
    }
    len
}

/// Whether `c` is shown as an emoji: by default, or because the selector follows. In the blocks of
/// dingbats and pictographs chats leave the selector out.
fn begins_emoji(c: char, next: Option<char>) -> bool {
    let selected = next == Some(EMOJI_SELECTOR);
    match c as u32 {
        0..=0xA8 => false,
        0x2600..=0x27BF | 0x1F000..=0x1FAFF => c.is_emoji_char(),
        0xA9..=0x1FFFF => {
            let status = c.emoji_status();
            let shown = matches!(
                status,
                EmojiStatus::EmojiPresentation
                    | EmojiStatus::EmojiPresentationAndModifierBase
                    | EmojiStatus::EmojiPresentationAndEmojiComponent
                    | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
            );
            shown || (selected && c.is_emoji_char())
        }
        _ => false,
    }
}

fn is_flag_letter(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

fn is_gender(c: char) -> bool {
    matches!(c, '♀' | '♂')
}

fn is_person(c: char) -> bool {
    matches!(c, '👦' | '👧' | '👨' | '👩' | '🧑' | '👶')
}

/// Appends the folded form: no selectors, no skin tones (unless one stands alone), no gender
/// signs, a person for the man or woman of a role (`👩‍💻` is `🧑‍💻`; couples and families stay).
fn append_base(sequence: &str, out: &mut String) {
    let alone = |at: usize| at == 0 && sequence.chars().count() == 1;
    let mut after_joiner = false;
    for (at, c) in sequence.char_indices() {
        let dropped = matches!(c, EMOJI_SELECTOR | TEXT_SELECTOR)
            || (is_skin_tone(c) && !alone(at))
            || (is_gender(c) && after_joiner);
        if c == ZWJ {
            after_joiner = true;
            continue;
        }
        if dropped {
            after_joiner = false;
            continue;
        }
        if after_joiner {
            out.push(ZWJ);
        }
        after_joiner = false;
        let role = at == 0 && matches!(c, '👨' | '👩') && has_role(sequence);
        out.push(if role { '🧑' } else { c });
    }
}

/// Whether a sequence joins one person to a thing, not to another person.
fn has_role(sequence: &str) -> bool {
    let mut joined = sequence.split(ZWJ).skip(1).filter_map(|e| e.chars().next());
    let mut any = false;
    let things = joined.all(|c| {
        any = true;
        !is_person(c) && !matches!(c, '❤' | '💋' | '🤝')
    });
    any && things
}

/// The emoji that a short name stands for, without its colons; names are read in any case, skin
/// tones at their end are ignored.
fn by_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let toned = lower.rfind("_tone").filter(|at| lower.len() == at + 6);
    let base = &lower[..toned.unwrap_or(lower.len())];
    if let Some(emoji) = emojis::get_by_shortcode(base) {
        return Some(emoji.as_str());
    }
    BY_NAME.get(base.replace('-', "_").as_str()).copied()
}

impl Scan<'_, '_> {
    /// Writes the emoji sequence at `at`, if there is one; gives where it ends.
    pub fn emoji(&mut self, at: usize) -> Option<usize> {
        let len = sequence_len(&self.text[at..])?;
        Some(self.write_emoji(at, at + len))
    }

    /// Writes the keycap at `at`, a digit, `#` or `*`, if it is one.
    pub fn keycap(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text[at + 1..];
        let rest = rest.strip_prefix(EMOJI_SELECTOR).unwrap_or(rest);
        let rest = rest.strip_prefix(KEYCAP)?;
        Some(self.write_emoji(at, self.text.len() - rest.len()))
    }

    fn write_emoji(&mut self, start: usize, end: usize) -> usize {
        let sequence = &self.text[start..end];
        self.write_sequence(sequence);
        if let Some(forms) = self.intern() {
            self.single(forms, (start, end), TermKind::Emoji);
        }
        end
    }

    /// Puts the forms of a sequence in `exact` (without selectors) and `folded` (the base).
    fn write_sequence(&mut self, sequence: &str) {
        let kept = |c: &char| !matches!(*c, EMOJI_SELECTOR | TEXT_SELECTOR);
        self.exact.clear();
        self.exact.extend(sequence.chars().filter(kept));
        self.folded.clear();
        append_base(sequence, &mut self.folded);
    }

    /// Writes the `:name:` at `at` as its emoji, with the words of the name as parts; `None` when
    /// no emoji has the name.
    pub fn emoji_name(&mut self, at: usize) -> Option<usize> {
        let after_word = at > 0 && self.bytes[at - 1].is_ascii_alphanumeric();
        let close = self.name_end(at + 1)?;
        let before_word = self
            .bytes
            .get(close + 1)
            .is_some_and(u8::is_ascii_alphanumeric);
        if after_word || before_word {
            return None;
        }
        let emoji = by_name(&self.text[at + 1..close])?;
        let mut end = close + 1;
        // Slack writes the skin tone as a second name.
        let tone = self.bytes[end..].starts_with(b":skin-tone-");
        if tone && let Some(close) = self.name_end(end + 1) {
            end = close + 1;
        }
        let mut unit = self.open();
        self.write_sequence(emoji);
        if let Some(forms) = self.intern() {
            self.whole(&mut unit, forms, (at, end), TermKind::Emoji);
        }
        self.parts(at, close);
        self.close(unit);
        Some(end)
    }

    /// Where the name that begins at `start` has its closing colon.
    fn name_end(&self, start: usize) -> Option<usize> {
        let rest = &self.bytes[start..];
        let rest = &rest[..rest.len().min(NAME_BYTES_MAX)];
        let len = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'-' | b'+'))?;
        (len > 0 && rest[len] == b':').then_some(start + len)
    }
}
