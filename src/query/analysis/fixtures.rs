//! The tables of the specification as tests: terms, positions, spans and byte ranges, and the laws
//! every text obeys.

use super::{Analysis, Term, TermKind, analyse, analyse_query_word};

fn letter(kind: TermKind) -> &'static str {
    match kind {
        TermKind::Word => "",
        TermKind::Part => "p",
        TermKind::Whole => "W",
        TermKind::Alias => "A",
        TermKind::Wider => "w",
        TermKind::Unigram => "1",
        TermKind::Bigram => "2",
        TermKind::Emoji => "E",
    }
}

/// `kind:folded@position+span`, the kind left out for words, the span for one position.
fn show(term: &Term<'_>) -> String {
    let span = match term.span {
        1 => String::new(),
        span => format!("+{span}"),
    };
    let kind = letter(term.kind);
    let colon = if kind.is_empty() { "" } else { ":" };
    format!("{kind}{colon}{}@{}{span}", term.folded, term.position)
}

fn shown(text: &str) -> String {
    let mut analysis = Analysis::new();
    analyse(text, &mut analysis);
    let terms: Vec<String> = analysis.terms().map(|term| show(&term)).collect();
    terms.join(" ")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(shown(text), expected, "terms of {text:?}");
    laws(text);
}

/// What holds for every text.
#[track_caller]
fn laws(text: &str) {
    let mut analysis = Analysis::new();
    analyse(text, &mut analysis);
    let mut position = 0;
    for term in analysis.terms() {
        let range = term.bytes.start as usize..term.bytes.end as usize;
        assert!(text.get(range.clone()).is_some(), "{term:?} of {text:?}");
        assert!(!range.is_empty(), "{term:?} of {text:?}");
        assert!(term.position >= position, "{term:?} of {text:?}");
        position = term.position;
        assert!(term.span >= 1, "{term:?} of {text:?}");
        assert!(term.position + term.span <= analysis.positions());
        for form in [term.folded, term.exact] {
            assert!(
                (1..=super::TERM_BYTES_MAX).contains(&form.len()),
                "{term:?}"
            );
        }
    }
    let mut again = Analysis::new();
    analyse("something else before, 1,200.50 and 你好", &mut again);
    analyse(text, &mut again);
    assert!(again.terms().eq(analysis.terms()), "reuse changed {text:?}");
}

/// What a query word looks for: `|` between forms, blank between places, quoted behind `"`.
#[track_caller]
fn asks(word: &str, unquoted: &str, quoted: &str) {
    let terms = analyse_query_word(word);
    let show = |places: &[super::Place]| {
        let places: Vec<String> = places
            .iter()
            .map(|place| {
                let forms: Vec<&str> = place.any.iter().map(|f| f.folded.as_str()).collect();
                format!("{}@{}", forms.join("|"), place.offset)
            })
            .collect();
        places.join(" ")
    };
    assert_eq!(show(&terms.unquoted), unquoted, "unquoted {word:?}");
    assert_eq!(show(&terms.quoted), quoted, "quoted {word:?}");
}

#[test]
fn words_are_separated_by_blanks_and_punctuation() {
    check("Best price, today!", "best@0 price@1 today@2");
    check("wait...what? (no) -x- --", "wait@0 what@1 no@2 x@3");
    check("note:call 10:30", "note@0 call@1 10@2 30@3");
    check("", "");
    check(" \t\n.,;:!?--__//@#$%", "");
}

#[test]
fn byte_ranges_slice_the_words() {
    let text = "São 10% of €1,200.50 to ana@acme.example 👍🏽 l’offre 你好";
    let mut analysis = Analysis::new();
    analyse(text, &mut analysis);
    let slice = |folded: &str| {
        let term = analysis.terms().find(|term| term.folded == folded).unwrap();
        &text[term.bytes.start as usize..term.bytes.end as usize]
    };
    assert_eq!(slice("sao"), "São");
    assert_eq!(slice("10%"), "10%");
    assert_eq!(slice("€1200.50"), "€1,200.50");
    assert_eq!(slice("1,200.50"), "1,200.50");
    assert_eq!(slice("200"), "200");
    assert_eq!(slice("ana@acme.example"), "ana@acme.example");
    assert_eq!(slice("acme"), "acme");
    assert_eq!(slice("👍"), "👍🏽");
    assert_eq!(slice("loffre"), "l’offre");
    assert_eq!(slice("你好"), "你好");
    assert_eq!(slice("好"), "好");
}

#[test]
fn numbers_percent_and_money_are_kept_and_split() {
    check(
        "1,200.50",
        "W:1,200.50@0+3 A:1200.50@0+3 p:1@0 p:200@1 p:50@2",
    );
    check("1.200", "W:1.200@0+2 A:1200@0+2 p:1@0 p:200@1");
    check(
        "1.200,50",
        "W:1.200,50@0+3 A:1200,50@0+3 p:1@0 p:200@1 p:50@2",
    );
    check("10%", "W:10%@0 p:10@0");
    check("€500", "W:€500@0 p:500@0");
    check("500€", "W:500€@0 p:500@0");
    check(
        "$1,200",
        "W:$1,200@0+2 A:$1200@0+2 w:1,200@0+2 w:1200@0+2 p:1@0 p:200@1",
    );
    check("3.14", "W:3.14@0+2 p:3@0 p:14@1");
    check("0.500", "W:0.500@0+2 p:0@0 p:500@1");
    check("1'200", "W:1'200@0+2 A:1200@0+2 p:1@0 p:200@1");
    check(
        "1,00,000",
        "W:1,00,000@0+3 A:100000@0+3 p:1@0 p:00@1 p:000@2",
    );
    check("1,2,3", "1@0 2@1 3@2");
    check("1,222,33,444", "1@0 222@1 33@2 444@3");
    check("12,5 kg", "W:12,5@0+2 p:12@0 p:5@1 kg@2");
    check("2.5k", "W:2.5k@0+2 p:2@0 p:5k@1");
    check("1,200eur", "W:1,200eur@0+2 A:1200eur@0+2 p:1@0 p:200eur@1");
    check("5'10", "5@0 10@1");
}

#[test]
fn phones_are_found_by_their_digits() {
    check(
        "+351 912-345-678",
        "W:+351912345678@0+4 A:351912345678@0+4 p:351@0 w:912345678@1+3 p:912@1 p:345@2 p:678@3",
    );
    check(
        "912-345-678",
        "W:912-345-678@0+3 A:912345678@0+3 p:912@0 p:345@1 p:678@2",
    );
    check(
        "+351912345678",
        "W:+351912345678@0 A:351912345678@0 p:351912345678@0",
    );
    check(
        "(555) 123-4567",
        "W:5551234567@0+3 p:555@0 w:1234567@1+2 p:123@1 p:4567@2",
    );
    check(
        "call 912 345 678",
        "call@0 W:912345678@1+3 p:912@1 p:345@2 p:678@3",
    );
    check("10 200 30", "10@0 200@1 30@2");
    check("2024-01-05", "W:2024-01-05@0+3 p:2024@0 p:01@1 p:05@2");
    check("(2024) was", "2024@0 was@1");
}

#[test]
fn a_phone_is_found_without_its_country_and_before_another_number() {
    let text = shown("+351 912 345 678 20 units");
    assert!(text.contains("w:351912345678@0+4"), "{text}");
    assert!(text.contains("w:912345678"), "{text}");
    assert!(text.ends_with("p:20@4 units@5"), "{text}");
}

#[test]
fn addresses_are_kept_and_split() {
    check(
        "ana@acme.example",
        "W:ana@acme.example@0+3 p:ana@0 p:acme@1 p:example@2",
    );
    check("a+b@c.de", "W:a+b@c.de@0+4 p:a@0 p:b@1 p:c@2 p:de@3");
    check("2+2", "2@0 2@1");
}

#[test]
fn links_are_found_by_host_and_path() {
    check(
        "https://acme.example/a?b=1",
        "W:acme.example/a?b=1@0+6 w:acme.example/a@0+6 w:acme.example@0+6 \
         p:https@0 p:acme@1 p:example@2 p:a@3 p:b@4 p:1@5",
    );
    check(
        "see (http://www.a.com/). ok",
        "see@0 W:www.a.com@1+4 w:a.com@1+4 p:http@1 p:www@2 p:a@3 p:com@4 ok@5",
    );
    check(
        "www.a.com",
        "W:www.a.com@0+3 w:a.com@0+3 p:www@0 p:a@1 p:com@2",
    );
    check("a.com/x", "W:a.com/x@0+3 w:a.com@0+3 p:a@0 p:com@1 p:x@2");
}

#[test]
fn handles_and_tags_are_found_with_and_without_their_sign() {
    check("@ana", "W:@ana@0 p:ana@0");
    check("#price", "W:#price@0 p:price@0");
    check(
        "@ana.silva",
        "W:@ana.silva@0+2 w:ana.silva@0+2 p:ana@0 p:silva@1",
    );
    check("#価格", "W:#価格@0+2 1:価@0 2:価格@0+2 1:格@1");
    check("＃Preço", "W:#preco@0 p:preco@0");
}

#[test]
fn codes_are_kept_and_split() {
    check("INV-2024/17", "W:inv-2024/17@0+3 p:inv@0 p:2024@1 p:17@2");
    check("e-mail", "W:e-mail@0+2 p:e@0 p:mail@1");
    check("U.S.A.", "W:u.s.a@0+3 A:usa@0+3 p:u@0 p:s@1 p:a@2");
    check("file_v2.pdf", "W:file_v2.pdf@0+3 p:file@0 p:v2@1 p:pdf@2");
    check("Pão-de-ló", "W:pao-de-lo@0+3 p:pao@0 p:de@1 p:lo@2");
    check("e\u{2011}mail", "W:e-mail@0+2 p:e@0 p:mail@1");
}

#[test]
fn apostrophes_are_one_position() {
    check("don't go", "W:don't@0 A:dont@0 go@1");
    check("don\u{2019}t", "W:don't@0 A:dont@0");
    check("l'offre", "W:l'offre@0 A:loffre@0 w:offre@0");
    check("L\u{2019}été", "W:l'ete@0 A:lete@0 w:ete@0");
    check("Ana's", "W:ana's@0 A:anas@0 w:ana@0");
    check("dell'arte", "W:dell'arte@0 A:dellarte@0 w:arte@0");
    check("rock'n'roll", "W:rock'n'roll@0 A:rocknroll@0");
    check("'quoted' dogs'", "quoted@0 dogs@1");
    check(
        "Ana's-book",
        "W:ana's-book@0+2 p:ana's@0 A:anas@0 w:ana@0 p:book@1",
    );
}

#[test]
fn s7_scripts_without_spaces_have_characters_and_pairs() {
    check("中文字", "1:中@0 2:中文@0+2 1:文@1 2:文字@1+2 1:字@2");
    check(
        "カタ カナ",
        "1:カ@0 2:カタ@0+2 1:タ@1 1:カ@2 2:カナ@2+2 1:ナ@3",
    );
    check("한국", "1:한@0 2:한국@0+2 1:국@1");
    check("iPhone手机", "iphone@0 1:手@1 2:手机@1+2 1:机@2");
    check("ｶﾞ", "1:ガ@0");
    check("ที่นี่", "1:ที่@0 2:ที่นี่@0+2 1:นี่@1");
    check("中\u{200B}文", "1:中@0 2:中文@0+2 1:文@1");
    check("100元", "100@0 1:元@1");
}

#[test]
fn s7_words_of_spaced_scripts_are_runs_of_letters_and_marks() {
    check("हिन्दी में", "हिन्दी@0 में@1");
    check("مرحبا بِكَ", "مرحبا@0 بك@1");
    check("שלום עולם", "שלום@0 עולם@1");
    check("Привет, Йод", "привет@0 иод@1");
    check("d\u{AD}is\u{200B}count", "discount@0");
    check("می\u{200C}خواهم", "میخواهم@0");
}

#[test]
fn s7_emoji_are_words() {
    check("ok👍🏽👍", "ok@0 E:👍@1 E:👍@2");
    check("🤷🏽\u{200D}♀\u{FE0F}", "E:🤷@0");
    check("👩🏿\u{200D}💻", "E:🧑\u{200D}💻@0");
    check("👨\u{200D}👩\u{200D}👧", "E:👨\u{200D}👩\u{200D}👧@0");
    check("❤\u{FE0F} ❤", "E:❤@0 E:❤@1");
    check("🇵🇹🇧🇷", "E:🇵🇹@0 E:🇧🇷@1");
    check("1\u{FE0F}\u{20E3} 2", "E:1\u{20E3}@0 2@1");
    check("Wordkeep™ rocks ©", "wordkeep@0 rocks@1");
    check(":thumbsup: x", "E:👍@0 p:thumbsup@0 x@1");
    check(":man-shrugging:", "E:🤷@0+2 p:man@0 p:shrugging@1");
    check(":+1::skin-tone-3:!", "E:👍@0 p:1@0");
    check("10:30:45 :nosuchname:", "10@0 30@1 45@2 nosuchname@3");
}

#[test]
fn a_term_over_the_limit_is_cut_into_consecutive_terms() {
    let text = "x".repeat(600);
    let mut analysis = Analysis::new();
    analyse(&text, &mut analysis);
    let ranges: Vec<_> = analysis.terms().map(|t| (t.position, t.bytes)).collect();
    assert_eq!(ranges, [(0, 0..255), (1, 255..510), (2, 510..600)]);
    laws(&text);
    let long = "ж".repeat(200);
    let mut analysis = Analysis::new();
    analyse(&long, &mut analysis);
    let ranges: Vec<_> = analysis.terms().map(|t| (t.position, t.bytes)).collect();
    assert_eq!(ranges, [(0, 0..254), (1, 254..400)]);
    laws(&format!("https://a.b/{}", "c/".repeat(300)));
    laws(&format!("@{}", "a.".repeat(300)));
    laws(&format!("a-{}", "/".repeat(600)));
}

#[test]
fn a_query_word_is_its_whole_or_an_alias_and_its_parts_in_quotes() {
    asks("price", "price@0", "price@0");
    asks("don't", "don't|dont@0", "don't|dont@0");
    asks("l'offre", "l'offre|loffre@0", "l'offre|loffre@0");
    asks("INV-2024", "inv-2024@0", "inv@0 2024@1");
    asks("U.S.A.", "u.s.a|usa@0", "u@0 s@1 a@2");
    asks("1,200.50", "1,200.50|1200.50@0", "1@0 200@1 50@2");
    asks("€500", "€500@0", "500@0");
    asks("@ana", "@ana@0", "ana@0");
    asks(
        "+351912345678",
        "+351912345678|351912345678@0",
        "351912345678|351912345678@0",
    );
    asks("https://a.b/c", "a.b/c@0", "https@0 a@1 b@2 c@3");
    asks("中", "中@0", "中@0");
    asks("中文字", "中文@0 文字@1", "中文@0 文字@1");
    asks("iPhone手机", "iphone@0 手机@1", "iphone@0 手机@1");
    asks("版本-2", "版本@0 2@2", "版本@0 2@2");
    asks("ok👍🏽", "ok@0 👍@1", "ok@0 👍@1");
    asks(":thumbsup:", "👍@0", "👍@0");
    asks(":man-shrugging:", "🤷@0", "🤷@0");
    asks("Ana's-book", "ana's-book@0", "ana's|anas@0 book@1");
    asks("#価格", "#価格@0", "価格@0");
    assert!(analyse_query_word("?!--").is_empty());
}

#[test]
fn hostile_texts_end_in_time() {
    let zalgo = "a".to_owned() + &"\u{301}\u{336}".repeat(16_000);
    for text in [
        zalgo.as_str(),
        &"\u{200D}".repeat(20_000),
        "\u{200D}",
        "\u{FE0F}\u{20E3}",
        &"1,".repeat(32_000),
        &"1,222,".repeat(10_000),
        &"a.".repeat(32_000),
        &"1 ".repeat(32_000),
        &"a://?".repeat(13_000),
        &"a://b@?".repeat(9_000),
        &":a".repeat(32_000),
        &"@a".repeat(32_000),
        &"a'".repeat(32_000),
        &"😀\u{200D}".repeat(9_000),
        &"(1".repeat(32_000),
        &"中\u{301}".repeat(10_000),
        &"中".repeat(20_000),
        &"+1".repeat(32_000),
    ] {
        laws(text);
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Text of every script, thick with what compounds are made of.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-zA-Z0-9]{1,6}",
            "[.,'_/@#+:$%€ -]{1,2}",
            "\\PC{1,4}",
            Just("\u{200D}".to_owned()),
            Just("\u{FE0F}".to_owned()),
            Just("\u{301}".to_owned()),
            Just("https://".to_owned()),
            "[À-ž中文カนี่한ا-ي👍🏽👩❤½１]{1,4}",
        ];
        proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_text_obeys_the_laws(text in text()) {
            laws(&text);
        }

        #[test]
        fn any_string_obeys_the_laws(text in any::<String>()) {
            laws(&text);
        }

        /// Lines are analysed as if each stood alone, positions added up.
        #[test]
        fn lines_do_not_see_each_other(one in text(), other in text()) {
            let (mut left, mut right, mut both) = (Analysis::new(), Analysis::new(), Analysis::new());
            analyse(&one, &mut left);
            analyse(&other, &mut right);
            let joined = format!("{one}\n{other}");
            analyse(&joined, &mut both);
            let shift = one.len() as u32 + 1;
            let moved = right.terms().map(|mut term| {
                term.position += left.positions();
                term.bytes = term.bytes.start + shift..term.bytes.end + shift;
                term
            });
            let apart: Vec<Term<'_>> = left.terms().chain(moved).collect();
            prop_assert!(both.terms().eq(apart), "{:?}", joined);
            prop_assert_eq!(both.positions(), left.positions() + right.positions());
        }

        /// Full-width letters and digits take the slow way, ASCII the fast one.
        #[test]
        fn the_fast_way_and_the_slow_way_agree(text in "[a-zA-Z0-9.,'_/@#$%() -]{0,40}") {
            let slow: String = text.chars().map(|c| match c {
                'a'..='z' | 'A'..='Z' => char::from_u32(c as u32 + 0xFEE0).unwrap_or(c),
                _ => c,
            }).collect();
            prop_assume!(!text.to_lowercase().contains("www"));
            prop_assert_eq!(shown(&text), shown(&slow));
        }

        /// A word found in a text is found by asking for what stands there.
        #[test]
        fn what_stands_in_a_text_is_found_by_asking_for_it(word in "[a-zA-Z0-9é.'_/-]{1,20}") {
            let asked = analyse_query_word(&word);
            let mut analysis = Analysis::new();
            let text = format!("before {word} after");
            analyse(&text, &mut analysis);
            for place in asked.unquoted.iter().chain(&asked.quoted) {
                let found = analysis.terms().any(|term| place.any.iter().any(|form| {
                    form.folded == term.folded && term.position == place.offset + 1
                }));
                prop_assert!(found, "{:?} of {:?}", place, word);
            }
        }

        /// Where no joiner stands, words are exactly those of UAX #29 (a lone tatweel is none).
        #[test]
        fn words_without_joiners_are_those_of_uax_29(
            text in "([a-zA-Z0-9éßжй!?() ]|[\u{627}-\u{63A}\u{641}-\u{64A}]|\u{5E9}\u{5B8}?|[कन][िी्]?|e\u{301}|a\u{AD}){0,20}"
        ) {
            use unicode_segmentation::UnicodeSegmentation;
            let mut analysis = Analysis::new();
            analyse(&text, &mut analysis);
            prop_assume!(analysis.terms().all(|term| term.kind == TermKind::Word));
            let starts: Vec<u32> = analysis.terms().map(|term| term.bytes.start).collect();
            let expected: Vec<u32> = text.unicode_word_indices().map(|(at, _)| at as u32).collect();
            prop_assert_eq!(starts, expected, "{:?}", text);
        }

        /// The slice of a word says the word.
        #[test]
        fn a_word_is_the_folded_slice_it_stands_on(text in text()) {
            let mut analysis = Analysis::new();
            analyse(&text, &mut analysis);
            for term in analysis.terms() {
                let plain = matches!(term.kind, TermKind::Word | TermKind::Unigram | TermKind::Bigram);
                if plain && term.folded.len() < 100 && term.exact.len() < 100 {
                    let slice = &text[term.bytes.start as usize..term.bytes.end as usize];
                    prop_assert_eq!(super::super::fold(slice), term.folded);
                    prop_assert_eq!(super::super::exact(slice), term.exact);
                }
            }
        }

        #[test]
        fn every_query_word_has_ordered_places_with_forms(word in text()) {
            let asked = analyse_query_word(&word);
            prop_assert_eq!(asked.unquoted.is_empty(), asked.quoted.is_empty());
            for places in [&asked.unquoted, &asked.quoted] {
                prop_assert!(places.windows(2).all(|pair| pair[0].offset < pair[1].offset));
                prop_assert!(places.iter().all(|place| !place.any.is_empty() && place.span >= 1));
            }
        }
    }
}
