//! What a character is to the analyser: part of a word, a script without spaces, a mark, nothing.
//!
//! The ranges are Unicode 17 blocks; inside a block the general category decides. Blocks are finer
//! than needed only where punctuation lives among letters.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// The role of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Letter, digit or number of a script that separates words by blanks.
    Word,
    /// Letter or mark of Han, Hiragana, Katakana, Hangul, Thai, Lao, Khmer or Myanmar.
    Unspaced,
    /// A mark: belongs to the character before it.
    Mark,
    /// A format character: dropped wherever it stands.
    Ignorable,
    /// Everything else: blanks, punctuation, symbols.
    Other,
}

/// The role of `c`.
pub(super) fn role(c: char) -> Role {
    match c as u32 {
        0x30..=0x39 | 0x41..=0x5A | 0x61..=0x7A => Role::Word,
        0..=0x7F => Role::Other,
        0xAD => Role::Ignorable,
        0xC0..=0x2AF if c != '×' && c != '÷' => Role::Word,
        0x300..=0x36F => combining(c),
        0x400..=0x481 | 0x48A..=0x52F => Role::Word,
        0xE01..=0xE3A | 0xE40..=0xE4E | 0x3400..=0x4DBF | 0x4E00..=0x9FFF => Role::Unspaced,
        _ if is_ignorable(c) => Role::Ignorable,
        _ if is_unspaced(c) => Role::Unspaced,
        _ if c.is_alphanumeric() && !is_enclosed(c) => Role::Word,
        _ => combining(c),
    }
}

/// `Mark` for marks that are not format characters, else `Other`.
fn combining(c: char) -> Role {
    if is_ignorable(c) {
        Role::Ignorable
    } else if c.general_category_group() == GeneralCategoryGroup::Mark {
        Role::Mark
    } else {
        Role::Other
    }
}

/// Letters and numbers in circles and squares are symbols that only look alphanumeric.
fn is_enclosed(c: char) -> bool {
    matches!(c as u32, 0x24B6..=0x24E9 | 0x1F130..=0x1F189)
}

/// Format characters and the other default-ignorable code points (Unicode
/// `Default_Ignorable_Code_Point`): zero-width, bidi controls, soft hyphen, BOM, variation
/// selectors, tags, fillers that print nothing.
pub(super) fn is_ignorable(c: char) -> bool {
    match c as u32 {
        0..=0x7F => false,
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F => true,
        0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 => true,
        0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB => true,
        0xE0000..=0xE0FFF => true,
        0x80..=0x5FF => false,
        0x600..=0x605 | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 => true,
        0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A => true,
        _ => false,
    }
}

/// Whether `c` belongs to a run of a script without spaces. Digits and punctuation of these
/// scripts do not: numbers are words, punctuation is dropped.
pub(super) fn is_unspaced(c: char) -> bool {
    match c as u32 {
        0..=0xDFF => false,
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3 => true,
        0x3041..=0x3096 | 0x3099..=0x309A | 0x309D..=0x309F => true,
        0x30A1..=0x30FA | 0x30FC..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F => true,
        0x2E80..=0x2FD5 | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 => true,
        0x3038..=0x303B | 0xF900..=0xFAFF | 0x20000..=0x3FFFF | 0x1AFF0..=0x1B16F => true,
        0x1100..=0x11FF | 0x3131..=0x318E | 0xA960..=0xA97F | 0xD7B0..=0xD7FF => true,
        0xFFA1..=0xFFDC => true,
        // Wholly letters and marks; what lies between needs the table.
        0xE01..=0xE3A | 0xE40..=0xE4E | 0x1780..=0x17D3 | 0x1000..=0x103F => true,
        0xE00..=0xEFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0xA9E0..=0xA9FF => is_letter_or_mark(c),
        0xAA60..=0xAA7F => is_letter_or_mark(c),
        _ => false,
    }
}

fn is_letter_or_mark(c: char) -> bool {
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
    )
}

/// Characters of unspaced scripts that stand for themselves: always one grapheme cluster when the
/// next character is of this kind too, and unchanged by normalising and folding.
pub(super) fn is_plain_unspaced(c: char) -> bool {
    matches!(c as u32,
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3 | 0x3041..=0x3096
        | 0x30A1..=0x30FA | 0x30FC..=0x30FE)
}

/// Letters that begin a grapheme cluster and join none before them: the plain characters above,
/// and the letters of Thai and Lao.
pub(super) fn is_cluster_base(c: char) -> bool {
    match c as u32 {
        0xE01..=0xE30 | 0xE32 | 0xE40..=0xE46 | 0xE81..=0xEB0 | 0xEB2 | 0xEC0..=0xEC6 => true,
        _ => is_plain_unspaced(c),
    }
}

/// Marks and vowels of Thai and Lao that belong to the letter before them (Unicode
/// `Grapheme_Cluster_Break` Extend and SpacingMark).
pub(super) fn is_cluster_mark(c: char) -> bool {
    matches!(c as u32,
        0xE31 | 0xE33..=0xE3A | 0xE47..=0xE4E | 0xEB1 | 0xEB3..=0xEBC | 0xEC8..=0xECE)
}

/// Whether normalising and folding leave a cluster of such letters and marks as it is: no vowel
/// that NFKC takes apart, and its marks in canonical order.
pub(super) fn is_normal_cluster(text: &str) -> bool {
    let mut before = 0;
    text.chars().all(|c| {
        let order = match c as u32 {
            0xE33 | 0xEB3 => return false,
            0xE3A | 0xEBA => 1,
            0xE38..=0xE39 => 2,
            0xE48..=0xE4B => 3,
            0xEB8..=0xEB9 => 4,
            0xEC8..=0xECB => 5,
            _ if is_cluster_base(c) || is_cluster_mark(c) => 0,
            _ => return false,
        };
        // Combining classes 9, then 103 and 107 in Thai, 118 and 122 in Lao.
        let ordered = order == 0 || order > before;
        before = order;
        ordered
    })
}

/// Marks that vanish from the folded form: the general ones, and those of Latin, Greek, Cyrillic,
/// Hebrew and Arabic. The marks of every other script are letters and stay.
pub(super) fn is_accent(c: char) -> bool {
    match c as u32 {
        0..=0x2FF => false,
        0x300..=0x36F | 0x483..=0x489 => true,
        0x591..=0x5C7 | 0x610..=0x61A | 0x64B..=0x65F | 0x670 | 0x6D6..=0x6ED | 0x898..=0x8FF => {
            c.general_category_group() == GeneralCategoryGroup::Mark
        }
        0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0x2DE0..=0x2DFF => true,
        0xA66F..=0xA67D | 0xA69E..=0xA69F | 0xFE20..=0xFE2F | 0xFB1E => {
            c.general_category_group() == GeneralCategoryGroup::Mark
        }
        _ => false,
    }
}

/// Letters that the tables of facts know: those of Latin, with and without accents.
pub(super) fn is_latin_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || (matches!(c, 'À'..='ɏ') && c != '×' && c != '÷')
}

/// Whether `c` is a currency sign (general category Sc).
pub(super) fn is_currency_sign(c: char) -> bool {
    match c as u32 {
        0x24 => true,
        0..=0xA1 => false,
        0xA2..=0xA5 => true,
        0xA6..=0x58E => false,
        _ => c.general_category() == GeneralCategory::CurrencySymbol,
    }
}

/// The value of a decimal digit of any script (general category Nd), for the scripts in use.
pub(super) fn digit_value(c: char) -> Option<u8> {
    const ZEROS: [u32; 24] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66,
        0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0xFF10,
    ];
    let code = c as u32;
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    u8::try_from(code - zero).ok().filter(|value| *value < 10)
}

/// The joiner of compounds that `c` stands for: full-width forms, typographic hyphens and every
/// apostrophe are unified; `None` when `c` joins nothing.
pub(super) fn joiner(c: char) -> Option<u8> {
    Some(match c {
        '.' | '\u{FF0E}' | '\u{2024}' => b'.',
        ',' | '\u{FF0C}' => b',',
        '-' | '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}' => b'-',
        '_' | '\u{FF3F}' | '\u{203F}' => b'_',
        '/' | '\u{FF0F}' | '\u{2044}' => b'/',
        '@' | '\u{FF20}' => b'@',
        '+' | '\u{FF0B}' => b'+',
        _ if is_apostrophe(c) => b'\'',
        _ => return None,
    })
}

/// Every character that chats use for an apostrophe, among them the modifier letters, the primes,
/// the lone accents of keyboards and the Hebrew geresh and gershayim.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\'' | '`'
            | '\u{B4}'
            | '\u{2B9}'
            | '\u{2BB}'
            | '\u{2BC}'
            | '\u{2018}'
            | '\u{2019}'
            | '\u{201B}'
            | '\u{2032}'
            | '\u{5F3}'
            | '\u{5F4}'
            | '\u{FF07}'
            | '\u{A78C}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_follow_the_unicode_tables() {
        for (c, expected) in [
            ('a', Role::Word),
            ('7', Role::Word),
            ('é', Role::Word),
            ('Ж', Role::Word),
            ('ش', Role::Word),
            ('क', Role::Word),
            ('๗', Role::Word),
            ('\u{301}', Role::Mark),
            ('\u{93F}', Role::Word),
            ('\u{94D}', Role::Mark),
            ('中', Role::Unspaced),
            ('あ', Role::Unspaced),
            ('ﾊ', Role::Unspaced),
            ('한', Role::Unspaced),
            ('ก', Role::Unspaced),
            ('\u{E48}', Role::Unspaced),
            ('ຂ', Role::Unspaced),
            ('ក', Role::Unspaced),
            ('က', Role::Unspaced),
            ('\u{200B}', Role::Ignorable),
            ('\u{FE0F}', Role::Ignorable),
            ('\u{AD}', Role::Ignorable),
            ('×', Role::Other),
            ('、', Role::Other),
            ('・', Role::Other),
            ('฿', Role::Other),
            ('€', Role::Other),
            ('😀', Role::Other),
        ] {
            assert_eq!(role(c), expected, "{c:?} U+{:04X}", c as u32);
        }
    }

    #[test]
    fn digits_of_every_script_have_their_value() {
        assert_eq!(digit_value('٣'), Some(3));
        assert_eq!(digit_value('९'), Some(9));
        assert_eq!(digit_value('０'), Some(0));
        assert_eq!(digit_value('a'), None);
        assert_eq!(digit_value('中'), None);
    }

    #[test]
    fn cluster_bases_and_marks_agree_with_the_grapheme_rules() {
        use unicode_segmentation::UnicodeSegmentation;
        for c in (0..0x11000).filter_map(char::from_u32) {
            let glued = format!("ก{c}");
            let clusters = glued.graphemes(true).count();
            if is_cluster_base(c) {
                assert_eq!(clusters, 2, "U+{:04X}", c as u32);
            }
            if is_cluster_mark(c) {
                assert_eq!(clusters, 1, "U+{:04X}", c as u32);
            }
            let before = format!("{c}ก");
            if is_cluster_base(c) {
                assert_eq!(before.graphemes(true).count(), 2, "U+{:04X}", c as u32);
            }
        }
    }

    #[test]
    fn normal_clusters_are_their_own_forms() {
        let (letters, marks) = (['ก', 'ນ'], [0xE31..=0xE4Eu32, 0xEB1..=0xECE]);
        let marks: Vec<char> = marks
            .into_iter()
            .flatten()
            .filter_map(char::from_u32)
            .collect();
        for letter in letters {
            for first in &marks {
                for second in &marks {
                    let cluster = format!("{letter}{first}{second}");
                    if is_normal_cluster(&cluster) {
                        assert_eq!(super::super::exact(&cluster), cluster);
                        assert_eq!(super::super::fold(&cluster), cluster);
                    }
                }
            }
        }
    }

    #[test]
    fn plain_unspaced_characters_are_unspaced_and_unchanged_by_folding() {
        for code in 0..0x11000u32 {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            if is_plain_unspaced(c) {
                assert!(is_unspaced(c), "U+{code:04X}");
                assert_eq!(super::super::fold(&c.to_string()), c.to_string());
            }
        }
    }
}
