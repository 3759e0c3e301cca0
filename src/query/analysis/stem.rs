//! Stems of words in a stated language (Snowball).

use rust_stemmers::{Algorithm, Stemmer};

use super::fold::{append_exact, append_folded};

/// The languages that have a stemmer, by ISO 639-1 code (`no` and `nb` are both Norwegian).
const STEMMERS: [(&str, Algorithm); 19] = [
    ("ar", Algorithm::Arabic),
    ("da", Algorithm::Danish),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("en", Algorithm::English),
    ("es", Algorithm::Spanish),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("nb", Algorithm::Norwegian),
    ("nl", Algorithm::Dutch),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
];

/// The codes of the languages that [`stem`] knows, in alphabetical order.
pub fn stem_languages() -> impl Iterator<Item = &'static str> {
    STEMMERS.iter().map(|(code, _)| *code)
}

/// The folded Snowball stem of `word` in the language of code `lang` (any case; a region after
/// `-` or `_` is ignored); `None` when the language has no stemmer.
///
/// The stemmers know accents (`promesa` and `prometió`), so hand in the exact form of a term; the
/// stem is folded afterwards, so that stems of words typed with and without accents are compared
/// as the words themselves are.
pub fn stem(word: &str, lang: &str) -> Option<String> {
    let code = lang.split(['-', '_']).next().unwrap_or(lang);
    let (_, algorithm) = STEMMERS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(code))?;
    let mut lower = String::with_capacity(word.len());
    append_exact(word, &mut lower);
    let mut folded = String::with_capacity(word.len());
    append_folded(&Stemmer::create(*algorithm).stem(&lower), &mut folded);
    Some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflected_forms_share_their_stem() {
        for (lang, one, other) in [
            ("en", "promise", "promised"),
            ("en-GB", "deliveries", "delivery"),
            ("pt", "promessa", "promessas"),
            ("PT", "Descontos", "desconto"),
            ("es", "promesa", "promesas"),
            ("fr", "livraisons", "livraison"),
            ("de", "Preise", "preis"),
            ("it", "sconti", "sconto"),
            ("ru", "скидка", "скидки"),
        ] {
            assert_eq!(stem(one, lang), stem(other, lang), "{lang}: {one} {other}");
            assert!(stem(one, lang).is_some());
        }
    }

    #[test]
    fn a_language_without_stemmer_has_no_stem() {
        assert_eq!(stem("word", "th"), None);
        assert_eq!(stem("word", ""), None);
    }
}
