//! The two forms of a word: exact (normalised, case folded) and folded (accents gone as well).
//!
//! Exact form: format characters dropped, NFKC, full case folding without regard to language
//! (Unicode Standard 3.13), NFKC again; `ı` and `İ` become `i`.
//! Folded form: NFD of the exact form, accents dropped, the letters that have no decomposition
//! replaced, decimal digits of every script written in ASCII, NFC.

use std::sync::LazyLock;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

use super::scripts::{digit_value, is_accent, is_ignorable};

/// The exact form of a word: what `accent:strict` compares.
pub fn exact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    append_exact(text, &mut out);
    out
}

/// The folded form of a word: what ordinary matching compares.
///
/// ```
/// assert_eq!(wordkeep::query::analysis::fold("Straße São"), "strasse sao");
/// ```
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    append_folded(&exact(text), &mut out);
    out
}

/// Appends the exact form of `text` to `out`.
pub(super) fn append_exact(text: &str, out: &mut String) {
    if text.is_ascii() {
        let from = out.len();
        out.push_str(text);
        out[from..].make_ascii_lowercase();
        return;
    }
    let chars = text.chars().filter(|c| !is_ignorable(*c));
    let mut after_i = false;
    for c in chars.nfkc().map(dotless).default_case_fold().nfkc() {
        // A dot above an i is the other spelling of the folded İ.
        let second_dot = after_i && c == '\u{307}';
        if !second_dot && !is_ignorable(c) {
            out.push(c);
        }
        after_i = c == 'i';
    }
}

/// `ı` and `İ` are the i of Turkish; full case folding alone would keep them apart.
fn dotless(c: char) -> char {
    match c {
        'ı' | 'İ' => 'i',
        other => other,
    }
}

/// Appends the folded form of an exact form to `out`.
pub(super) fn append_folded(exact: &str, out: &mut String) {
    if exact.is_ascii() {
        out.push_str(exact);
        return;
    }
    let kept = exact.nfd().filter(|c| !is_accent(*c));
    for c in kept.flat_map(letters).nfc() {
        out.push(c);
    }
}

/// What is left of one character after folding: nothing, one or two characters.
fn letters(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ø' => ('o', None),
        'đ' | 'ð' => ('d', None),
        'ł' => ('l', None),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        // Alef with wasla, with wavy hamza above and below, high hamza: no decomposition.
        '\u{671}' | '\u{672}' | '\u{673}' | '\u{675}' => ('\u{627}', None),
        // Tatweel only stretches the word.
        '\u{640}' => return None.into_iter().chain(None),
        _ if c.is_ascii() => (c, None),
        _ => (
            digit_value(c).map_or(c, |value| char::from(b'0' + value)),
            None,
        ),
    };
    Some(first).into_iter().chain(second)
}

/// The first code point of [`SIMPLE`].
const SIMPLE_FIRST: u32 = 0x80;
/// One past the last code point of [`SIMPLE`]: Latin, Greek and Cyrillic letters of two bytes.
const SIMPLE_END: u32 = 0x530;

/// Both forms of a letter that no neighbour can change.
#[derive(Clone, Copy, Default)]
struct Simple {
    exact: [u8; 4],
    folded: [u8; 4],
    exact_len: u8,
    folded_len: u8,
}

/// The forms of every letter of two bytes, read-only, computed once from the general rules above;
/// an entry of no length sends the whole word to those rules.
static SIMPLE: LazyLock<Vec<Simple>> =
    LazyLock::new(|| (SIMPLE_FIRST..SIMPLE_END).map(simple).collect());

fn simple(code: u32) -> Simple {
    let mut entry = Simple::default();
    let Some(c) = char::from_u32(code).filter(|c| c.is_alphanumeric() && !is_accent(*c)) else {
        return entry;
    };
    let (exact, folded) = (exact(c.encode_utf8(&mut [0; 4])), fold(&c.to_string()));
    let fits = |form: &str| (1..=4).contains(&form.len());
    if fits(&exact) && fits(&folded) {
        entry.exact[..exact.len()].copy_from_slice(exact.as_bytes());
        entry.folded[..folded.len()].copy_from_slice(folded.as_bytes());
        entry.exact_len = exact.len() as u8;
        entry.folded_len = folded.len() as u8;
    }
    entry
}

/// Writes both forms of `word` over `exact` and `folded`, by table where the table is enough.
pub(super) fn forms_into(word: &str, exact: &mut String, folded: &mut String) {
    exact.clear();
    folded.clear();
    if !forms_by_table(word, exact, folded) {
        exact.clear();
        folded.clear();
        append_exact(word, exact);
        append_folded(exact, folded);
    }
}

/// `false` when a character is outside the table; the forms are then incomplete.
fn forms_by_table(word: &str, exact: &mut String, folded: &mut String) -> bool {
    let table = &*SIMPLE;
    for c in word.chars() {
        if c.is_ascii() {
            let lower = c.to_ascii_lowercase();
            exact.push(lower);
            folded.push(lower);
            continue;
        }
        let entry = (c as u32)
            .checked_sub(SIMPLE_FIRST)
            .and_then(|at| table.get(at as usize));
        let Some(entry) = entry.filter(|entry| entry.exact_len > 0) else {
            return false;
        };
        let text = |bytes: &'static [u8]| std::str::from_utf8(bytes).unwrap_or_default();
        exact.push_str(text(&entry.exact[..usize::from(entry.exact_len)]));
        folded.push_str(text(&entry.folded[..usize::from(entry.folded_len)]));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_exact: &str, expected_folded: &str) {
        assert_eq!(exact(text), expected_exact, "exact form of {text:?}");
        assert_eq!(fold(text), expected_folded, "folded form of {text:?}");
        let (mut by_table_exact, mut by_table_folded) = (String::new(), String::new());
        forms_into(text, &mut by_table_exact, &mut by_table_folded);
        assert_eq!(by_table_exact, expected_exact);
        assert_eq!(by_table_folded, expected_folded);
    }

    #[test]
    fn s7_case_and_accents_fold_by_the_table() {
        check("Discount", "discount", "discount");
        check("São", "são", "sao");
        check("Sa\u{303}o", "são", "sao");
        check("Grüße", "grüsse", "grusse");
        check("STRASSE", "strasse", "strasse");
        check("Ørsted", "ørsted", "orsted");
        check("Đà", "đà", "da");
        check("Łódź", "łódź", "lodz");
        check("Æsir œuvre", "æsir œuvre", "aesir oeuvre");
        check("ðþ", "ðþ", "dth");
        check("İstanbul", "istanbul", "istanbul");
        check("I\u{307}stanbul", "istanbul", "istanbul");
        check("ılık", "ilik", "ilik");
        check("ΟΔΟΣ", "οδοσ", "οδοσ");
        check("Άνθρωπος", "άνθρωποσ", "ανθρωποσ");
        check("Ёлка", "ёлка", "елка");
        check("Йод", "йод", "иод");
    }

    #[test]
    fn s7_hebrew_and_arabic_lose_points_and_stretching() {
        check("שָׁלוֹם", "שָׁלוֹם", "שלום");
        check("مُحَمَّد", "مُحَمَّد", "محمد");
        check("أحمد", "أحمد", "احمد");
        check("ٱلله", "ٱلله", "الله");
        check("ســـلام", "ســـلام", "سلام");
        check("٣٤", "٣٤", "34");
    }

    #[test]
    fn s7_marks_of_indic_thai_and_japanese_are_letters() {
        check("हिन्दी", "हिन्दी", "हिन्दी");
        check("กำลัง", "ก\u{e4d}\u{e32}ลัง", "ก\u{e4d}\u{e32}ลัง");
        check("がぎ", "がぎ", "がぎ");
        check("ｶﾞ", "ガ", "ガ");
        check("한국", "한국", "한국");
    }

    #[test]
    fn format_characters_vanish_and_full_width_folds() {
        check("dis\u{200B}co\u{AD}unt\u{FEFF}", "discount", "discount");
        check("ＡＢＣ１２", "abc12", "abc12");
        check("ﬁn", "fin", "fin");
    }

    #[test]
    fn folding_is_idempotent_on_every_character() {
        for c in (0..=0x10FFFF).filter_map(char::from_u32) {
            let once = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "U+{:04X}", c as u32);
        }
    }
}
