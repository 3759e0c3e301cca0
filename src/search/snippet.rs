//! Snippets: pieces of a text around the places that matched, bounded, cut between words.
//!
//! Highlights are the ranges the evaluator gave, moved by where the piece begins. Nothing is
//! looked for a second time.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Longest snippet in characters as readers count them (grapheme clusters).
pub const SNIPPET_CHARACTERS_MAX: usize = 240;
/// Most snippets cut from one text.
pub const SNIPPETS_MAX: usize = 3;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// The piece, as written.
    pub text: String,
    /// First byte of the piece in the whole text.
    pub start: usize,
    /// What matched: bytes of the piece, in order, not overlapping.
    pub highlights: Vec<Range<usize>>,
    /// Whether text stands before the piece.
    pub cut_before: bool,
    /// Whether text stands behind the piece.
    pub cut_after: bool,
}

/// Cuts the pieces around the matches. Without matches it is the beginning of the text. A text
/// that fits is one piece, whole. Ranges that are no ranges of the text are left out.
pub fn cut(text: &str, matches: &[Range<usize>]) -> Vec<Snippet> {
    let marks = joined(text, matches);
    let edges: Vec<usize> = text
        .grapheme_indices(true)
        .map(|(start, _)| start)
        .chain([text.len()])
        .collect();
    let mut pieces = Vec::new();
    let mut floor = 0;
    for window in windows(&marks, &edges) {
        let piece = widened(text, &edges, window, floor);
        floor = piece.end;
        pieces.push(snippet(text, piece, &marks));
    }
    pieces
}

/// The matches in order, those that touch or overlap made one.
fn joined(text: &str, matches: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = matches
        .iter()
        .filter(|range| !range.is_empty() && text.get((*range).clone()).is_some())
        .cloned()
        .collect();
    marks.sort_unstable_by_key(|range| (range.start, range.end));
    marks.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    marks
}

/// Groups of matches that fit one piece each, as ranges of places in `edges`.
fn windows(marks: &[Range<usize>], edges: &[usize]) -> Vec<Range<usize>> {
    let last = edges.len() - 1;
    if last <= SNIPPET_CHARACTERS_MAX {
        return std::iter::once(0..last).collect();
    }
    let mut windows: Vec<Range<usize>> = Vec::new();
    for mark in marks {
        let start = edges.partition_point(|edge| *edge <= mark.start) - 1;
        let end = edges.partition_point(|edge| *edge < mark.end);
        if let Some(window) = windows.last_mut()
            && end <= window.start + SNIPPET_CHARACTERS_MAX
        {
            window.end = window.end.max(end);
            continue;
        }
        if windows.len() == SNIPPETS_MAX {
            break;
        }
        windows.push(start..end.min(start + SNIPPET_CHARACTERS_MAX));
    }
    if windows.is_empty() {
        windows.push(0..0);
    }
    windows
}

/// The bytes of a window with as much text around it as fits, cut between words.
fn widened(text: &str, edges: &[usize], window: Range<usize>, floor: usize) -> Range<usize> {
    let last = edges.len() - 1;
    let room = SNIPPET_CHARACTERS_MAX.saturating_sub(window.len());
    let behind = (room - (room / 2).min(window.start)).min(last - window.end);
    let ahead = (room - behind).min(window.start);
    let wide = edges[window.start - ahead].max(floor)..edges[window.end + behind];
    let core = edges[window.start].max(floor)..edges[window.end];
    let is_edge = |at: usize| edges.binary_search(&at).is_ok();
    let mut words = text[wide.clone()]
        .split_word_bound_indices()
        .map(|(at, _)| wide.start + at)
        .filter(|at| *at > wide.start && is_edge(*at));
    let start = if wide.start == floor {
        wide.start
    } else {
        words
            .clone()
            .find(|at| *at <= core.start)
            .unwrap_or(core.start)
    };
    let end = if wide.end == text.len() {
        wide.end
    } else {
        words
            .rfind(|at| *at >= core.end)
            .unwrap_or(wide.end.max(core.end))
    };
    trimmed(text, start..end, &core)
}

/// Without the blanks at both ends, as long as they are not part of a match.
fn trimmed(text: &str, piece: Range<usize>, core: &Range<usize>) -> Range<usize> {
    let before = &text[piece.start..core.start];
    let behind = &text[core.end..piece.end];
    let start = piece.start + before.len() - before.trim_start().len();
    let end = piece.end - (behind.len() - behind.trim_end().len());
    start..end
}

fn snippet(text: &str, piece: Range<usize>, marks: &[Range<usize>]) -> Snippet {
    let highlights = marks
        .iter()
        .map(|mark| mark.start.max(piece.start)..mark.end.min(piece.end))
        .filter(|mark| mark.start < mark.end)
        .map(|mark| mark.start - piece.start..mark.end - piece.start)
        .collect();
    Snippet {
        text: text[piece.clone()].to_owned(),
        start: piece.start,
        highlights,
        cut_before: !text[..piece.start].trim().is_empty(),
        cut_after: !text[piece.end..].trim().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn marked(snippet: &Snippet) -> String {
        let mut out = String::new();
        let mut at = 0;
        for mark in &snippet.highlights {
            out.push_str(&snippet.text[at..mark.start]);
            out.push('[');
            out.push_str(&snippet.text[mark.clone()]);
            out.push(']');
            at = mark.end;
        }
        out.push_str(&snippet.text[at..]);
        out
    }

    #[test]
    fn s11_a_short_text_is_shown_whole_with_its_matches() {
        let pieces = cut("we promise a discount", &[3..10, 13..21]);
        assert_eq!(pieces.len(), 1);
        assert_eq!(marked(&pieces[0]), "we [promise] a [discount]");
        assert!(!pieces[0].cut_before && !pieces[0].cut_after);
    }

    #[test]
    fn s11_matches_that_touch_are_one_highlight() {
        assert_eq!(marked(&cut("aabbcc", &[2..4, 0..3, 4..6])[0]), "[aabbcc]");
    }

    #[test]
    fn s11_a_long_text_is_cut_between_words_around_the_match() {
        let text = format!("{} discount {}", "before ".repeat(90), "behind ".repeat(90));
        let at = text.find("discount").unwrap();
        let pieces = cut(&text, &[at..at + 8]);
        assert_eq!(pieces.len(), 1);
        let piece = &pieces[0];
        assert!(piece.cut_before && piece.cut_after);
        assert!(piece.text.starts_with("before ") && piece.text.ends_with(" behind"));
        assert!(marked(piece).contains("before  [discount] behind"));
        assert!(piece.text.chars().count() <= SNIPPET_CHARACTERS_MAX);
    }

    #[test]
    fn s11_far_matches_get_a_piece_each() {
        let text = format!("alpha {} beta {}", "x ".repeat(400), "y ".repeat(400));
        let beta = text.find("beta").unwrap();
        let pieces = cut(&text, &[0..5, beta..beta + 4]);
        assert_eq!(pieces.len(), 2);
        assert!(marked(&pieces[0]).starts_with("[alpha]"));
        assert!(marked(&pieces[1]).contains("[beta]"));
    }

    #[test]
    fn s11_a_match_longer_than_a_snippet_is_cut_at_a_character() {
        let text = "é\u{301}".repeat(900);
        let pieces = cut(&text, &[0..text.len()]);
        assert_eq!(
            pieces[0].text.graphemes(true).count(),
            SNIPPET_CHARACTERS_MAX
        );
        assert_eq!(pieces[0].highlights, vec![0..pieces[0].text.len()]);
    }

    proptest! {
        #[test]
        fn s11_snippets_are_pieces_of_the_text_and_highlights_stand_where_they_stood(
            text in "(\\PC{0,40}|[a-z ]{0,90}|[a-z]{0,300}|👩‍👩‍👧[🏽👍]{0,9}|今天ไทย){0,12}",
            places in proptest::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..9),
        ) {
            let starts: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let matches: Vec<Range<usize>> = places
                .iter()
                .map(|(a, b)| (*a.get(&starts), *b.get(&starts)))
                .map(|(a, b)| a.min(b)..a.max(b))
                .collect();
            let pieces = cut(&text, &matches);
            prop_assert!((1..=SNIPPETS_MAX).contains(&pieces.len()));
            let mut floor = 0;
            for piece in &pieces {
                prop_assert!(piece.start >= floor);
                floor = piece.start + piece.text.len();
                prop_assert_eq!(&text[piece.start..floor], piece.text.as_str());
                prop_assert!(piece.text.graphemes(true).count() <= SNIPPET_CHARACTERS_MAX);
                for mark in &piece.highlights {
                    prop_assert!(piece.text.get(mark.clone()).is_some());
                    for at in mark.clone() {
                        let inside = |range: &Range<usize>| range.contains(&(piece.start + at));
                        prop_assert!(matches.iter().any(inside));
                    }
                }
            }
            let first = joined(&text, &matches).first().map(|mark| mark.start);
            prop_assert!(first.is_none_or(|at| pieces[0].start <= at && at < pieces[0].start + pieces[0].text.len()));
        }
    }
}
