//! Random queries as trees: the full grammar, every construct frequent, seeded and deterministic.
//! Print a tree for its text; reading the text gives the tree again.
#![allow(dead_code, reason = "no test program uses all of it")]

use chrono::{NaiveDate, NaiveTime};
use wordkeep::query::Field;
use wordkeep::query::ast::{
    Amount, Anchor, Comparison, DateSpec, Distance, Expr, ExprKind, FieldTest, Lapse, LapseUnit,
    Pattern, Phrase, PhraseItem, Piece, Pieces, Proximity, Query, StemLanguage, TextField, Unit,
    Value, Values, Word, WordForm,
};

use super::corpus_gen::{Rng, VOCABULARY};

/// Words of one script with blanks, for wildcards, fuzzy words and stems.
const PLAIN: &[&str] = &[
    "discount",
    "price",
    "refund",
    "deal",
    "promise",
    "café",
    "promised",
    "delivery",
    "colour",
    "strasse",
    "naïve",
    "Скидка",
];
const TERM_REGEXES: &[&str] = &[
    "caf[eé]",
    "disc.*",
    "(price|deal)s?",
    "\\d+",
    "p.*e",
    "[^a-z]+",
];
const TEXT_REGEXES: &[&str] = &[
    "\\d{3}",
    "price, ",
    "€\\d+",
    "the deal",
    "日本",
    "(?i)DON'T",
];
const ZONES: &[chrono_tz::Tz] = &[
    chrono_tz::UTC,
    chrono_tz::Europe::Lisbon,
    chrono_tz::Asia::Tokyo,
    chrono_tz::America::New_York,
];

/// A query of a seed, nested at most `depth` deep (5 is plenty).
pub fn query(seed: u64, depth: usize) -> Query {
    let mut rng = Rng(seed ^ 0x51_7E_11);
    let mut maker = Maker {
        rng: &mut rng,
        uses_zone: false,
    };
    let root = maker.any(depth, Allowed::All);
    let uses_zone = maker.uses_zone;
    let zone = (uses_zone || rng.chance(5)).then(|| *rng.pick(ZONES));
    Query {
        root,
        zone,
        accent_strict: rng.chance(8),
        strict: rng.chance(2),
    }
}

/// What may stand in a place.
#[derive(Clone, Copy, PartialEq)]
enum Allowed {
    /// Everything.
    All,
    /// No proximity of messages and no scope wider than a message.
    Message,
    /// Only what stands in one text field.
    Words,
}

struct Maker<'r> {
    rng: &'r mut Rng,
    uses_zone: bool,
}

impl Maker<'_> {
    fn any(&mut self, depth: usize, allowed: Allowed) -> Expr {
        if depth == 0 {
            return self.leaf(allowed);
        }
        let kind = match self.rng.below(13) {
            0 | 1 => ExprKind::And(self.several(depth, allowed)),
            2 | 3 => ExprKind::Or(self.several(depth, allowed)),
            4 => ExprKind::Not(Box::new(self.any(depth - 1, allowed))),
            5 | 6 => self.word_proximity(),
            7 if allowed == Allowed::All => self.message_proximity(depth),
            8 if allowed == Allowed::All => self.scope(depth),
            9 if allowed != Allowed::Words => {
                let inner = self.any(depth - 1, Allowed::Message);
                ExprKind::Scoped(Box::new(inner), Unit::Message)
            }
            10 if allowed != Allowed::Words => {
                let field =
                    *self
                        .rng
                        .pick(&[TextField::Text, TextField::Filename, TextField::Attachment]);
                ExprKind::InText(field, Box::new(self.any(depth - 1, Allowed::Words)))
            }
            _ => return self.leaf(allowed),
        };
        kind.into()
    }

    fn several(&mut self, depth: usize, allowed: Allowed) -> Vec<Expr> {
        let count = 2 + self.rng.below(2);
        (0..count).map(|_| self.any(depth - 1, allowed)).collect()
    }

    fn leaf(&mut self, allowed: Allowed) -> Expr {
        let facts = allowed != Allowed::Words;
        let kind = match self.rng.below(20) {
            0 if facts => ExprKind::Everything,
            1 | 2 => return self.phrase(),
            3 => return self.slop(),
            4 | 5 => return self.wildcard(),
            6 => return self.fuzzy(),
            7 => return self.stem(),
            8 => return self.term_regex(),
            9 if facts => ExprKind::TextRegex(
                *self.rng.pick(&[TextField::Text, TextField::Attachment]),
                Pattern {
                    source: (*self.rng.pick(TEXT_REGEXES)).to_owned(),
                    ignore_case: self.rng.chance(50),
                },
            ),
            10..=14 if facts => self.field(),
            _ => return self.word(),
        };
        kind.into()
    }

    fn word(&mut self) -> Expr {
        let text = *self.rng.pick_skewed(VOCABULARY);
        word(Pieces::literal(text), WordForm::Plain)
    }

    fn wildcard(&mut self) -> Expr {
        let pieces = self.wild_pieces();
        word(pieces, WordForm::Plain)
    }

    fn wild_pieces(&mut self) -> Pieces {
        let letters: Vec<char> = self.rng.pick(PLAIN).chars().collect();
        let cut = 1 + self.rng.below(letters.len() - 1);
        let text = |part: &[char]| Piece::Literal(part.iter().collect());
        Pieces(match self.rng.below(6) {
            0 | 1 => vec![text(&letters[..cut]), Piece::AnyRun],
            2 => vec![Piece::AnyRun, text(&letters[cut..])],
            3 => vec![Piece::AnyRun, text(&letters[cut..cut + 1]), Piece::AnyRun],
            4 => vec![text(&letters[..cut]), Piece::AnyOne, text(&letters[cut..])],
            _ => vec![Piece::AnyOne, text(&letters[1..])],
        })
    }

    fn fuzzy(&mut self) -> Expr {
        let mut letters: Vec<char> = self.rng.pick(PLAIN).chars().collect();
        let place = self.rng.below(letters.len() - 1);
        match self.rng.below(3) {
            0 => letters.swap(place, place + 1),
            1 => letters.insert(place, 'x'),
            _ => letters[place] = 'z',
        }
        let distance = 1 + self.rng.below(2) as u8;
        word(
            Pieces::literal(letters.into_iter().collect::<String>()),
            WordForm::Fuzzy(distance),
        )
    }

    fn stem(&mut self) -> Expr {
        let text = *self
            .rng
            .pick(&["promise", "promising", "prices", "discounted", "deliveries"]);
        let language = *self.rng.pick(&[
            None,
            Some(StemLanguage::English),
            Some(StemLanguage::Portuguese),
        ]);
        word(Pieces::literal(text), WordForm::Stem(language))
    }

    fn term_regex(&mut self) -> Expr {
        ExprKind::TermRegex(Pattern {
            source: (*self.rng.pick(TERM_REGEXES)).to_owned(),
            ignore_case: false,
        })
        .into()
    }

    fn items(&mut self) -> Vec<PhraseItem> {
        let mut items = Vec::new();
        for _ in 0..1 + self.rng.below(3) {
            match self.rng.below(8) {
                0 => items.push(PhraseItem::Word(self.wild_pieces())),
                1 if !items.is_empty() => items.push(PhraseItem::AnyWord),
                _ => {
                    let text = self.rng.pick_skewed(VOCABULARY);
                    let parts = text
                        .split(' ')
                        .map(|part| PhraseItem::Word(Pieces::literal(part)));
                    items.extend(parts);
                }
            }
        }
        items
    }

    fn phrase(&mut self) -> Expr {
        let items = self.items();
        ExprKind::Phrase(Phrase { items, slop: None }).into()
    }

    fn slop(&mut self) -> Expr {
        let items = self.items();
        let slop = Some(1 + self.rng.below(6) as u32);
        ExprKind::Phrase(Phrase { items, slop }).into()
    }

    fn span(&mut self) -> Expr {
        match self.rng.below(12) {
            0 | 1 => self.phrase(),
            2 => self.wildcard(),
            3 => self.fuzzy(),
            4 => self.stem(),
            5 => self.term_regex(),
            6 => ExprKind::Or(vec![self.word(), self.phrase()]).into(),
            7 => self.slop(),
            8 => ExprKind::Anchor(*self.rng.pick(&[Anchor::Start, Anchor::End])).into(),
            _ => self.word(),
        }
    }

    fn word_proximity(&mut self) -> ExprKind {
        let left = match self.rng.below(5) {
            0 => {
                let (left, right) = (self.span(), self.span());
                self.near(left, right, false)
            }
            _ => self.span(),
        };
        let right = self.span();
        let negated = self.rng.chance(25);
        self.near(left, right, negated).kind
    }

    fn near(&mut self, left: Expr, right: Expr, negated: bool) -> Expr {
        let distance = Distance::Words(*self.rng.pick_skewed(&[2, 1, 3, 5, 10, 250]));
        proximity(left, right, self.rng.chance(40), negated, distance)
    }

    fn message_proximity(&mut self, depth: usize) -> ExprKind {
        let lapse = |count, unit| Distance::Time(Lapse { count, unit });
        let distance = *self.rng.pick(&[
            Distance::Messages(1),
            Distance::Messages(3),
            Distance::Messages(10),
            lapse(10, LapseUnit::Minute),
            lapse(2, LapseUnit::Hour),
            lapse(1, LapseUnit::Day),
        ]);
        let left = self.any(depth - 1, Allowed::Message);
        let right = self.any(depth - 1, Allowed::Message);
        proximity(
            left,
            right,
            self.rng.chance(40),
            self.rng.chance(25),
            distance,
        )
        .kind
    }

    fn scope(&mut self, depth: usize) -> ExprKind {
        let unit = *self.rng.pick(&[
            Unit::Thread,
            Unit::Day,
            Unit::Conversation,
            Unit::Window(Lapse {
                count: 4,
                unit: LapseUnit::Hour,
            }),
            Unit::Window(Lapse {
                count: 30,
                unit: LapseUnit::Minute,
            }),
        ]);
        self.uses_zone |= unit == Unit::Day;
        ExprKind::Scoped(Box::new(self.any(depth - 1, Allowed::Message)), unit)
    }

    fn field(&mut self) -> ExprKind {
        let (field, values) = match self.rng.below(22) {
            0..=2 => (
                *self.rng.pick(&[
                    Field::From,
                    Field::From,
                    Field::To,
                    Field::With,
                    Field::Mention,
                ]),
                self.names(PEOPLE),
            ),
            3 => (
                Field::In,
                self.names(&["sales", "nordwind", "sales iberia", "*team"]),
            ),
            4 => (Field::App, self.choices(&["whatsapp", "telegram", "slack"])),
            5 => (Field::Type, self.choices(&["dm", "group", "channel"])),
            6..=8 => self.date(),
            9 => (Field::Date, self.date_range()),
            10 => {
                let lapse = Lapse {
                    count: 1 + self.rng.below(20) as u32,
                    unit: *self
                        .rng
                        .pick(&[LapseUnit::Hour, LapseUnit::Day, LapseUnit::Week]),
                };
                (
                    *self.rng.pick(&[Field::OlderThan, Field::NewerThan]),
                    one(Value::Lapse(lapse)),
                )
            }
            11 => {
                let (from, to) =
                    *self
                        .rng
                        .pick(&[(1_080, 480), (0, 720), (540, 1_020), (1_320, 1_440)]);
                (
                    Field::Time,
                    Values::Range(Value::Minute(from), Value::Minute(to)),
                )
            }
            12 => {
                let day = self.rng.below(7) as u8;
                (
                    Field::Dow,
                    Values::OneOf(vec![Value::Weekday(day), Value::Weekday((day + 3) % 7)]),
                )
            }
            13 => (Field::Ext, self.names(&["pdf", "jpg", "x*"])),
            14 => (Field::Mime, self.names(&["application/pdf", "image/*"])),
            15 => {
                let size = Value::Size(*self.rng.pick(&[900, 5_000_000, 1 << 20]));
                let comparison = self.comparison();
                (Field::Size, Values::Compare(comparison, size))
            }
            16 => (Field::Amount, self.amount()),
            17 => (
                Field::Currency,
                one(Value::Currency(*self.rng.pick(&[*b"EUR", *b"USD"]))),
            ),
            18 => (
                Field::Has,
                self.choices(&[
                    "attachment",
                    "reaction",
                    "amount",
                    "phone",
                    "email",
                    "link",
                    "tag",
                ]),
            ),
            19 => (
                Field::Is,
                self.choices(&["edited", "deleted", "original", "reply", "system"]),
            ),
            20 => {
                let emoji = (*self.rng.pick(&["👍", "🎉", ":tada:"])).to_owned();
                (
                    *self.rng.pick(&[Field::Emoji, Field::Reaction]),
                    one(Value::Emoji(emoji)),
                )
            }
            _ => {
                let (field, names): (Field, &[&str]) = match self.rng.below(4) {
                    0 => (
                        Field::Url,
                        &["acme.example", "https://acme.example/a", "acme.example/*"],
                    ),
                    1 => (Field::Tag, &["urgent", "later", "nothing"]),
                    2 => (Field::Import, &["imp_1", "imp_2"]),
                    _ => (Field::Thread, &["msg_1", "msg_5"]),
                };
                (field, self.names(names))
            }
        };
        let values = match self.rng.below(12) {
            0 if field != Field::Time => Values::Any,
            _ => values,
        };
        self.uses_zone |= field.needs_zone() && values != Values::Any;
        ExprKind::Field(FieldTest { field, values })
    }

    fn names(&mut self, names: &[&str]) -> Values {
        let count = 1 + usize::from(self.rng.chance(25));
        let name = |text: &str| {
            let (before, star) = match text.strip_suffix('*') {
                Some(before) => (before, true),
                None => (text, false),
            };
            let (lead, body) = match before.strip_prefix('*') {
                Some(body) => (true, body),
                None => (false, before),
            };
            let mut pieces = Pieces::default();
            if lead {
                pieces.0.push(Piece::AnyRun);
            }
            pieces.0.push(Piece::Literal(body.to_owned()));
            if star {
                pieces.0.push(Piece::AnyRun);
            }
            Value::Name(pieces)
        };
        let mut picked = Vec::new();
        for _ in 0..count {
            let text: &&str = self.rng.pick(names);
            picked.push(name(text));
        }
        Values::OneOf(picked)
    }

    fn choices(&mut self, choices: &[&str]) -> Values {
        let count = 1 + usize::from(self.rng.chance(25));
        let picked = (0..count).map(|_| Value::Choice((*self.rng.pick(choices)).to_owned()));
        Values::OneOf(picked.collect())
    }

    fn spec(&mut self) -> DateSpec {
        let day =
            NaiveDate::from_ymd_opt(2024, 3, 26 + self.rng.below(6) as u32).unwrap_or_default();
        let noon = NaiveTime::from_hms_opt(12, 30, 0).unwrap_or_default();
        match self.rng.below(9) {
            0 => DateSpec::Year(2024),
            1 => DateSpec::Month(2024, 3),
            2 => DateSpec::Minute(day.and_time(noon)),
            3 => DateSpec::Today,
            4 => DateSpec::Yesterday,
            5 => DateSpec::Ago(Lapse {
                count: 3,
                unit: LapseUnit::Day,
            }),
            _ => DateSpec::Day(day),
        }
    }

    fn date(&mut self) -> (Field, Values) {
        let field = *self.rng.pick(&[
            Field::On,
            Field::Before,
            Field::After,
            Field::Since,
            Field::Until,
        ]);
        (field, one(Value::Date(self.spec())))
    }

    fn date_range(&mut self) -> Values {
        let day = |month, day| {
            DateSpec::Day(NaiveDate::from_ymd_opt(2024, month, day).unwrap_or_default())
        };
        match self.rng.below(3) {
            0 => Values::Compare(self.comparison(), Value::Date(self.spec())),
            1 => Values::Range(Value::Date(day(3, 28)), Value::Date(day(3, 31))),
            _ => Values::Range(
                Value::Date(DateSpec::Month(2024, 3)),
                Value::Date(day(4, 2)),
            ),
        }
    }

    fn comparison(&mut self) -> Comparison {
        *self.rng.pick(&[
            Comparison::Greater,
            Comparison::GreaterOrEqual,
            Comparison::Less,
            Comparison::LessOrEqual,
        ])
    }

    fn amount(&mut self) -> Values {
        let currency = self.rng.chance(40).then_some(*b"EUR");
        let amount = |millis| Value::Amount(Amount { millis, currency });
        match self.rng.below(3) {
            0 => Values::Range(amount(400_000), amount(1_300_000)),
            1 => one(amount(500_000)),
            _ => Values::Compare(self.comparison(), amount(1_200_500)),
        }
    }
}

const PEOPLE: &[&str] = &[
    "ana",
    "rui",
    "joao",
    "ana sousa",
    "me",
    "nobody",
    "+351 912 345 678",
    "ana@acme.example",
];

fn one(value: Value) -> Values {
    Values::OneOf(vec![value])
}

/// A word as an expression.
pub fn word(pieces: Pieces, form: WordForm) -> Expr {
    ExprKind::Word(Word { pieces, form }).into()
}

/// A proximity as an expression.
pub fn proximity(
    left: Expr,
    right: Expr,
    ordered: bool,
    negated: bool,
    distance: Distance,
) -> Expr {
    ExprKind::Proximity(Proximity {
        left: Box::new(left),
        right: Box::new(right),
        ordered,
        negated,
        distance,
    })
    .into()
}
