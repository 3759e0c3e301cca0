//! The shape of a number: which of its separators group digits.

use super::compound::{Atom, NUMBER_GROUPS_MAX};

/// Letters glued behind the digits of an amount: `5k`, `50eur`.
const UNIT_CHARS_MAX: usize = 4;

/// What the separators of a number do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// None of them groups: `5`, `3.14`, `1,5`.
    Plain,
    /// All of them group (or may): `1.200`, `1,200,300`.
    Grouped,
    /// The last one begins the decimals, the others group: `1,200.50`.
    GroupedDecimal,
}

/// The shape of the number that `atoms` are, `None` when they are something else.
///
/// Both conventions are read: a separator that comes once and has three digits behind it may
/// group, so `1.200` is also 1200.
pub(super) fn shape(atoms: &[Atom]) -> Option<Shape> {
    let (last, others) = atoms.split_last()?;
    let numeric =
        |atom: &Atom| atom.all_digits && matches!(atom.joiner, b'.' | b',' | b'\'' | b' ');
    let fits = last.digits > 0 && !last.apostrophe && last.rest <= UNIT_CHARS_MAX;
    if !fits || atoms.len() > NUMBER_GROUPS_MAX || !others.iter().all(numeric) {
        return None;
    }
    let Some((before_last, groups)) = others.split_last() else {
        return last.all_digits.then_some(Shape::Plain);
    };
    let separator = before_last.joiner;
    let decimal = matches!(separator, b'.' | b',');
    if groups.is_empty() {
        return match (groups_thousands(atoms), decimal) {
            (true, _) => Some(Shape::Grouped),
            (false, true) => Some(Shape::Plain),
            (false, false) => None,
        };
    }
    let first = groups[0].joiner;
    if groups.iter().any(|atom| atom.joiner != first) {
        return None;
    }
    if separator == first {
        return groups_thousands(atoms).then_some(Shape::Grouped);
    }
    (decimal && groups_thousands(others)).then_some(Shape::GroupedDecimal)
}

/// Whether the digits are grouped by thousands, or by lakh as in India (`1,00,000`).
fn groups_thousands(atoms: &[Atom]) -> bool {
    let Some((first, rest)) = atoms.split_first() else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let western = first.digits <= 3 && middle.iter().all(|atom| atom.digits == 3);
    let indian = first.digits <= 2 && first.joiner == b',' && middle.iter().all(|a| a.digits == 2);
    last.digits == 3 && first.digits > 0 && !first.leading_zero && (western || indian)
}
