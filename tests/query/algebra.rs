//! Laws of the evaluator over generated archives and trees.

use std::collections::BTreeSet;

use wordkeep::query::ast::{Distance, Expr, ExprKind, Phrase, PhraseItem, Pieces, Query, WordForm};
use wordkeep::query::{Evaluator, parse, print, resolve};

use crate::corpus_gen::{Corpus, Rng, VOCABULARY, corpus};
use crate::query_gen::{proximity, query, word};
use crate::{CONTEXT, RESOLVE};

/// Message numbers of the hits of a query inside the scope of the archive.
pub fn hits(corpus: &Corpus, query: &Query) -> BTreeSet<u64> {
    let resolved = resolve(query, corpus, &RESOLVE);
    let mut evaluator = Evaluator::new(&resolved);
    let mut members: Vec<_> = corpus.visible().collect();
    members.sort_by_key(|one| (one.conversation, one.sent, one.no));
    members
        .into_iter()
        .filter(|one| one.with(|record| evaluator.evaluate(record, corpus, corpus).is_some()))
        .map(|one| one.no.0)
        .collect()
}

fn whole(root: Expr) -> Query {
    Query {
        root,
        zone: None,
        accent_strict: false,
        strict: false,
    }
}

fn of(kind: ExprKind) -> Expr {
    kind.into()
}

fn pairs(seeds: std::ops::Range<u64>, mut law: impl FnMut(u64, &Corpus, Expr, Expr)) {
    for seed in seeds {
        let corpus = corpus(seed, 60);
        law(
            seed,
            &corpus,
            query(seed * 2, 3).root,
            query(seed * 2 + 1, 3).root,
        );
    }
}

#[test]
fn s1_de_morgan_double_negation_and_commutativity() {
    pairs(0..150, |seed, corpus, a, b| {
        let hits = |kind: ExprKind| hits(corpus, &whole(of(kind)));
        let not = |expr: &Expr| of(ExprKind::Not(Box::new(expr.clone())));
        let and = ExprKind::And(vec![a.clone(), b.clone()]);
        let or = ExprKind::Or(vec![a.clone(), b.clone()]);
        assert_eq!(
            hits(ExprKind::Not(Box::new(of(and.clone())))),
            hits(ExprKind::Or(vec![not(&a), not(&b)])),
            "seed {seed}"
        );
        assert_eq!(
            hits(ExprKind::Not(Box::new(of(or.clone())))),
            hits(ExprKind::And(vec![not(&a), not(&b)])),
            "seed {seed}"
        );
        assert_eq!(
            hits(ExprKind::Not(Box::new(not(&a)))),
            hits(a.kind.clone()),
            "seed {seed}"
        );
        assert_eq!(
            hits(and),
            hits(ExprKind::And(vec![b.clone(), a.clone()])),
            "seed {seed}"
        );
        assert_eq!(
            hits(or),
            hits(ExprKind::Or(vec![b.clone(), a.clone()])),
            "seed {seed}"
        );
    });
}

fn two_words(rng: &mut Rng) -> (Expr, Expr) {
    let mut one = || {
        word(
            Pieces::literal(*rng.pick_skewed(VOCABULARY)),
            WordForm::Plain,
        )
    };
    (one(), one())
}

#[test]
fn s2_wider_distances_never_lose_a_hit() {
    for seed in 0..300 {
        let corpus = corpus(seed, 120);
        let mut rng = Rng(seed + 7);
        let (a, b) = two_words(&mut rng);
        let n = 1 + rng.below(8) as u32;
        let near = |ordered, distance| {
            hits(
                &corpus,
                &whole(proximity(a.clone(), b.clone(), ordered, false, distance)),
            )
        };
        for ordered in [false, true] {
            assert!(
                near(ordered, Distance::Words(n)).is_subset(&near(ordered, Distance::Words(n + 1))),
                "seed {seed}"
            );
            assert!(
                near(ordered, Distance::Messages(n))
                    .is_subset(&near(ordered, Distance::Messages(n + 1))),
                "seed {seed}"
            );
        }
        assert!(
            near(true, Distance::Words(n)).is_subset(&near(false, Distance::Words(n))),
            "seed {seed}"
        );
        let swapped = whole(proximity(
            b.clone(),
            a.clone(),
            false,
            false,
            Distance::Words(n),
        ));
        assert_eq!(
            near(false, Distance::Words(n)),
            hits(&corpus, &swapped),
            "seed {seed}"
        );
    }
}

#[test]
fn s2_a_negated_proximity_is_part_of_its_left_side() {
    for seed in 0..200 {
        let corpus = corpus(seed, 120);
        let (a, b) = two_words(&mut Rng(seed + 99));
        let all = hits(&corpus, &whole(a.clone()));
        for distance in [Distance::Words(3), Distance::Messages(2)] {
            let near = |negated| {
                hits(
                    &corpus,
                    &whole(proximity(a.clone(), b.clone(), false, negated, distance)),
                )
            };
            let (with, without) = (near(false), near(true));
            assert!(without.is_subset(&all), "seed {seed}");
            if distance.joins_messages() {
                assert!(
                    all.difference(&without).all(|no| with.contains(no)),
                    "seed {seed}"
                );
            } else {
                assert!(
                    all.difference(&without).all(|no| with.contains(no)),
                    "seed {seed}"
                );
            }
        }
    }
}

#[test]
fn s1_a_phrase_is_an_ordered_proximity_of_distance_one() {
    let simple = [
        "discount", "price", "refund", "the", "deal", "promise", "café", "delivery",
    ];
    for seed in 0..300 {
        let corpus = corpus(seed, 200);
        let mut rng = Rng(seed + 3);
        let (a, b) = (*rng.pick(&simple), *rng.pick(&simple));
        let items = [a, b]
            .map(|text| PhraseItem::Word(Pieces::literal(text)))
            .to_vec();
        let phrase = whole(of(ExprKind::Phrase(Phrase { items, slop: None })));
        let plain = |text| word(Pieces::literal(text), WordForm::Plain);
        let near = whole(proximity(
            plain(a),
            plain(b),
            true,
            false,
            Distance::Words(1),
        ));
        assert!(
            hits(&corpus, &phrase).is_subset(&hits(&corpus, &near)),
            "seed {seed}: {a} {b}"
        );
        let slop = |slop| {
            let items = [a, b]
                .map(|text| PhraseItem::Word(Pieces::literal(text)))
                .to_vec();
            let kind = ExprKind::Phrase(Phrase {
                items,
                slop: Some(slop),
            });
            hits(&corpus, &whole(of(kind)))
        };
        assert!(hits(&corpus, &phrase).is_subset(&slop(1)), "seed {seed}");
        assert!(slop(1).is_subset(&slop(2)), "seed {seed}");
    }
}

#[test]
fn a_wider_scope_never_loses_a_hit_of_a_plain_query() {
    for seed in 0..200 {
        let full = corpus(seed, 80);
        let narrow = full.narrowed(&mut Rng(seed));
        let root = query(seed, 2).root;
        if !is_plain(&root) {
            continue;
        }
        let query = whole(root);
        assert!(
            hits(&narrow, &query).is_subset(&hits(&full, &query)),
            "seed {seed}: {}",
            print(&query)
        );
    }
}

fn is_plain(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(is_plain),
        ExprKind::Not(_) => false,
        ExprKind::Scoped(_, unit) => *unit == wordkeep::query::ast::Unit::Message,
        ExprKind::Proximity(near) => !near.distance.joins_messages(),
        // `to:` takes the sender's own messages away.
        ExprKind::Field(test) => test.field != wordkeep::query::Field::To,
        _ => true,
    }
}

#[test]
fn canonical_and_absolute_forms_find_the_same_messages() {
    for seed in 0..300 {
        let corpus = corpus(seed, 60);
        let tree = query(seed, 4);
        let resolved = resolve(&tree, &corpus, &RESOLVE);
        let expected = hits(&corpus, &tree);
        for form in [&resolved.canonical, &resolved.absolute] {
            let text = print(form);
            let again = parse(&text, &CONTEXT);
            assert_eq!(
                again.ast.as_ref(),
                Some(form),
                "seed {seed}: {text}: {:?}",
                again.problems
            );
            assert_eq!(hits(&corpus, form), expected, "seed {seed}: {text}");
        }
    }
}

#[test]
fn every_piece_of_a_hit_lies_on_character_boundaries() {
    for seed in 0..200 {
        let corpus = corpus(seed, 60);
        let resolved = resolve(&query(seed, 4), &corpus, &RESOLVE);
        let mut evaluator = Evaluator::new(&resolved);
        for message in corpus.visible() {
            let spans = message.with(|record| evaluator.evaluate(record, &corpus, &corpus));
            for span in spans.into_iter().flat_map(|spans| spans.0) {
                let text = match span.place {
                    wordkeep::query::TextPlace::Version(index) => &message.versions[index as usize],
                    wordkeep::query::TextPlace::Filename(index) => {
                        &message.filenames[index as usize]
                    }
                    wordkeep::query::TextPlace::Extracted(index) => {
                        &message.extracted[index as usize]
                    }
                };
                assert!(
                    text.get(span.bytes.start as usize..span.bytes.end as usize)
                        .is_some(),
                    "seed {seed}"
                );
            }
        }
    }
}

#[test]
fn at_least_half_of_the_generated_queries_find_something() {
    let found = (0..400)
        .filter(|seed| !hits(&corpus(*seed, 200), &query(*seed, 5)).is_empty())
        .count();
    assert!(found >= 200, "only {found} of 400 find anything");
}
