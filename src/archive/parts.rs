//! Parts of the index as the numbers the record keeps.

use crate::domain::Timestamp;
use crate::index::PartName;

/// Number of the part before the year 2000; years are their own number.
const BEFORE: i32 = 0;
/// Number of the part for times that lie ahead.
const LATER: i32 = i32::MAX;

/// The number of the part of a message that comes in now.
pub(super) fn number(sent: Timestamp, now: Timestamp) -> i32 {
    of_name(PartName::of(sent, now))
}

/// The number of a part.
pub(super) fn of_name(name: PartName) -> i32 {
    match name {
        PartName::Before => BEFORE,
        PartName::Year(year) => year,
        PartName::Later => LATER,
    }
}

/// The part of a number.
pub(super) fn name(number: i32) -> PartName {
    match number {
        BEFORE => PartName::Before,
        LATER => PartName::Later,
        year => PartName::Year(year),
    }
}
