//! What the constructs mean, by example: one small conversation per row.

use wordkeep::domain::{
    App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo, Presence, Timestamp,
};
use wordkeep::query::{Evaluator, Neighbours, NoDirectory, NoFacts, Record, parse, resolve};

use crate::{CONTEXT, NOW, RESOLVE};

/// A conversation of texts; `|` separates versions, `!` in front makes a notice of the platform,
/// `+90m ` in front puts ninety minutes of silence before it, `^2 ` answers message 2.
struct Chat(Vec<(Vec<String>, Kind, Timestamp, Option<MessageNo>)>);

fn chat(lines: &[&str]) -> Chat {
    let mut at = NOW.0 - 86_400_000_000;
    Chat(
        lines
            .iter()
            .map(|line| {
                let (mut text, mut kind, mut reply) = (*line, Kind::Text, None);
                at += 60_000_000;
                if let Some((minutes, rest)) =
                    text.strip_prefix('+').and_then(|t| t.split_once("m "))
                {
                    at += minutes.parse::<i64>().unwrap_or(0) * 60_000_000;
                    text = rest;
                }
                if let Some((no, rest)) = text.strip_prefix('^').and_then(|t| t.split_once(' ')) {
                    reply = no.parse().ok().map(MessageNo);
                    text = rest;
                }
                if let Some(rest) = text.strip_prefix('!') {
                    kind = Kind::System;
                    text = rest;
                }
                (
                    text.split('|').map(str::to_owned).collect(),
                    kind,
                    Timestamp(at),
                    reply,
                )
            })
            .collect(),
    )
}

impl Neighbours for Chat {
    fn visit(&self, _conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>)) {
        for (place, (versions, kind, sent, reply)) in self.0.iter().enumerate() {
            let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            visit(&Record {
                no: MessageNo(place as u64 + 1),
                conversation: ConversationNo(1),
                account: None,
                sender: Some(HandleNo(1)),
                sent: *sent,
                order: place as u64,
                app: App::WhatsApp,
                kind: *kind,
                conversation_kind: ConversationKind::Direct,
                presence: Presence::default(),
                import: ImportNo(1),
                thread: None,
                reply_to: *reply,
                versions: &versions,
                filenames: &[],
                extracted: &[],
                reactions: &[],
                mentions: &[],
                attachments: &[],
            });
        }
    }
}

/// Numbers of the messages that match, counted from 1.
fn hits(query: &str, lines: &[&str]) -> Vec<u64> {
    let parsed = parse(query, &CONTEXT);
    let ast = parsed
        .ast
        .unwrap_or_else(|| panic!("{query}: {:?}", parsed.problems));
    let resolved = resolve(&ast, &NoDirectory, &RESOLVE);
    let chat = chat(lines);
    let mut evaluator = Evaluator::new(&resolved);
    let mut found = Vec::new();
    chat.visit(ConversationNo(1), &mut |record| {
        let spans = evaluator.evaluate(record, &chat, &NoFacts);
        assert_eq!(
            spans.is_some(),
            Evaluator::new(&resolved).matches(record, &chat, &NoFacts),
            "{query}"
        );
        found.extend(spans.map(|_| record.no.0));
    });
    found
}

fn check(rows: &[(&str, &[&str], &[u64])]) {
    for (query, lines, expected) in rows {
        assert_eq!(hits(query, lines), *expected, "{query} over {lines:?}");
    }
}

#[test]
fn s1_booleans_and_phrases() {
    check(&[
        ("apple pear", &["pear, apple", "apple"], &[1]),
        ("apple OR pear", &["pear", "plum", "apple"], &[1, 3]),
        ("-apple", &["apple", "pear", "pear|apple"], &[2]),
        ("apple -pear", &["apple|pear", "apple"], &[2]),
        ("apple pear", &["apple|pear"], &[1]),
        (
            "\"apple pear\"",
            &["apple, pear", "pear apple", "apple|pear", "apple a pear"],
            &[1],
        ),
        ("\"10 per* off\"", &["10 percent off", "10 off"], &[1]),
        (
            "\"apple * pear\"",
            &["apple a pear", "apple pear", "apple a b pear"],
            &[1],
        ),
        (
            "\"a b c\"~2",
            &["c x b a", "c x y b a", "c x y z b a"],
            &[1, 2],
        ),
        ("\"a a\"~1", &["a", "a a", "a x a", "a x y a"], &[2, 3]),
        ("*", &["", "a"], &[1, 2]),
    ]);
}

#[test]
fn s2_distances_count_positions() {
    check(&[
        ("a w/2 b", &["a b", "b x a", "a x y b"], &[1, 2]),
        ("a pre/2 b", &["a b", "b a", "a x b"], &[1, 3]),
        (
            "a not w/2 b",
            &["a b", "a x y b", "a", "a b x y z a"],
            &[2, 3, 4],
        ),
        ("a not pre/2 b", &["b a", "a b"], &[1]),
        ("a w/5 a", &["a", "a x a"], &[2]),
        ("{start} w/1 a", &["a b", "b a"], &[1]),
        ("a w/2 {end}", &["a b", "a b c"], &[1]),
        ("(a w/1 b) w/1 c", &["a b c", "c a b", "a c b"], &[1, 2]),
        ("\"a b\" w/1 c", &["a b c", "a c b"], &[1]),
        ("a w/3 b", &["a|b"], &[]),
        ("e-mail w/1 now", &["e-mail now", "e mail x now"], &[1]),
    ]);
}

#[test]
fn s2_distances_over_messages() {
    check(&[
        ("a w/1msg b", &["a", "b", "x", "a", "x", "b"], &[1, 2]),
        ("a w/1msg b", &["a", "!joined", "b"], &[1, 3]),
        ("a w/1msg b", &["a b"], &[1]),
        ("a pre/1msg b", &["a b", "b", "a"], &[1, 2]),
        ("a not w/1msg b", &["a", "b", "x", "a"], &[4]),
        ("a not w/1msg b", &["a b"], &[]),
        ("a not pre/1msg b", &["b", "a", "x", "a", "b"], &[2]),
        ("a w/30min b", &["a", "+40m b", "+10m a"], &[2, 3]),
        ("a pre/1h b", &["a", "+30m b", "b"], &[1, 2, 3]),
    ]);
}

#[test]
fn s2_groups_hold_over_their_unit() {
    check(&[
        ("(a b)@conversation", &["a", "x", "b"], &[1, 3]),
        ("(a -b)@conversation", &["a", "x", "b"], &[]),
        ("(* -b)@conversation", &["a", "x"], &[1, 2]),
        ("(-b)@conversation", &["a"], &[]),
        ("(a b)@window(1h)", &["a", "b", "+120m a", "x"], &[1, 2]),
        ("(a b)@thread", &["a", "^1 x", "^2 b", "b"], &[1, 3]),
        ("((a b)@message c)@conversation", &["a", "b", "c"], &[]),
        (
            "((a b)@message c)@conversation",
            &["a b", "b", "c"],
            &[1, 3],
        ),
        ("(a b)@day", &["a", "+2000m b"], &[]),
        ("(a b)@message", &["a", "b", "a b"], &[3]),
    ]);
}

#[test]
fn s3_wildcards() {
    check(&[
        ("disc*", &["Discount", "disc", "a-disco", "dis"], &[1, 2, 3]),
        ("?at", &["cat", "at", "chat"], &[1]),
        ("*count*", &["discounts", "count", "coun"], &[1, 2]),
        ("colo*r", &["colour", "color", "colors"], &[1, 2]),
    ]);
}

#[test]
fn s4_fuzzy_words_state_their_distance() {
    check(&[
        (
            "promise~",
            &["promsie", "promis", "premises", "promise"],
            &[1, 2, 4],
        ),
        ("promise~2", &["premises", "provides"], &[1]),
    ]);
}

#[test]
fn s5_regular_expressions() {
    check(&[
        ("/caf[eé]s?/", &["Cafés", "cafeteria"], &[1]),
        ("text:/\\d{3} eur/", &["500 eur", "500 EUR", "50 eur"], &[1]),
        ("text:/\\d{3} eur/i", &["500 eur", "500 EUR"], &[1, 2]),
    ]);
}

#[test]
fn s7_words_of_every_script() {
    check(&[
        ("本", &["日本語", "日"], &[1]),
        ("本語", &["日本語", "日本", "本 語"], &[1]),
        ("日本語", &["東京の日本語版", "日本と本語"], &[1]),
        ("sao", &["São Paulo"], &[1]),
        ("são accent:strict", &["São", "Sao"], &[1]),
        ("👍", &["ok 👍🏽", ":+1:", "👎"], &[1, 2]),
        ("ราคา", &["ขอราคาหน่อย"], &[1]),
        ("Straße", &["STRASSE"], &[1]),
    ]);
}

#[test]
fn s7_compounds_are_found_whole_and_in_parts() {
    check(&[
        ("e-mail", &["e-mail", "mail", "e mail"], &[1]),
        ("\"e mail\"", &["e-mail", "e mail"], &[1, 2]),
        ("mail", &["e-mail"], &[1]),
        ("usa", &["U.S.A."], &[1]),
        ("ana@acme.example", &["write ana@acme.example now"], &[1]),
        ("1200.50", &["1,200.50"], &[1]),
        ("dont", &["don't"], &[1]),
        ("ana", &["Ana's"], &[1]),
    ]);
}

#[test]
fn s6_dates_take_the_zone_of_the_query() {
    // The chat begins 24 hours before 2024-04-02 10:00 UTC.
    check(&[
        ("on:2024-04-01", &["a"], &[1]),
        ("on:yesterday", &["a"], &[1]),
        ("on:2024-04-01 tz:Pacific/Auckland", &["a", "+90m b"], &[1]),
        ("before:2024-04-01", &["a"], &[]),
        ("since:2024-04-01T11:02", &["a", "b"], &[2]),
        ("time:11:00..11:02", &["a", "b"], &[1]),
        ("time:11:00..11:02 tz:UTC", &["a"], &[]),
        ("dow:mon", &["a"], &[1]),
        ("dow:tue tz:Pacific/Kiritimati", &["a"], &[1]),
    ]);
}

#[test]
fn s6_amounts_and_links_are_typed() {
    check(&[
        ("amount:>1000", &["€1,200.50", "€500", "12345"], &[1]),
        ("amount:500..800eur", &["€500", "$600", "€900"], &[1]),
        ("currency:eur", &["€500", "500"], &[1]),
        (
            "url:acme.example",
            &["https://acme.example/a", "acme"],
            &[1],
        ),
        ("emoji:👍", &["👍", "x"], &[1]),
    ]);
}
