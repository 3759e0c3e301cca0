//! Edit distance of fuzzy words.

/// Whether the optimal string alignment distance of `a` and `b` is at most `n`: insert, delete,
/// replace and swap of two neighbours cost 1 each, and no part is edited twice.
///
/// Characters are compared as they are; hand in folded forms. Costs O(length × `n`) time.
///
/// ```
/// use wordkeep::query::analysis::osa_distance_at_most;
/// assert!(osa_distance_at_most("receive", "recieve", 1));
/// assert!(!osa_distance_at_most("ca", "abc", 2));
/// ```
pub fn osa_distance_at_most(a: &str, b: &str, n: u32) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let limit = n as usize;
    if a.len().abs_diff(b.len()) > limit {
        return false;
    }
    // Three rows of the usual table, of which only the band of width 2n+1 is ever filled.
    let far = limit + 1;
    let mut before: Vec<usize> = vec![far; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).map(|j| j.min(far)).collect();
    let mut row = vec![far; b.len() + 1];
    for i in 1..=a.len() {
        let low = i.saturating_sub(limit).max(1);
        let high = b.len().min(i + limit);
        row.fill(far);
        row[0] = i.min(far);
        let mut least = row[0];
        for j in low..=high {
            let replace = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut cost = replace.min(previous[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                cost = cost.min(before[j - 2] + 1);
            }
            row[j] = cost.min(far);
            least = least.min(row[j]);
        }
        // A swap reaches back two rows, so one row over the limit is not yet the end.
        if least > limit && previous.iter().all(|cost| *cost > limit) {
            return false;
        }
        std::mem::swap(&mut before, &mut previous);
        std::mem::swap(&mut previous, &mut row);
    }
    previous[b.len()] <= limit
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The distance by the definition, over the full table.
    fn reference(a: &[char], b: &[char]) -> usize {
        let mut d = vec![vec![0usize; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                d[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let replace = d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut cost = replace.min(d[i - 1][j] + 1).min(d[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        cost = cost.min(d[i - 2][j - 2] + 1);
                    }
                    cost
                };
            }
        }
        d[a.len()][b.len()]
    }

    #[test]
    fn a_transposition_costs_one_and_the_first_letter_may_differ() {
        assert!(osa_distance_at_most("promise", "rpomise", 1));
        assert!(osa_distance_at_most("price", "trice", 1));
        assert!(!osa_distance_at_most("price", "trick", 1));
        assert!(osa_distance_at_most("", "ab", 2));
        assert!(osa_distance_at_most("same", "same", 0));
    }

    proptest! {
        #[test]
        fn the_band_agrees_with_the_full_table(a in "[abcé]{0,8}", b in "[abcé]{0,8}", n in 0u32..4) {
            let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(osa_distance_at_most(&a, &b, n), reference(&left, &right) <= n as usize);
        }
    }
}
