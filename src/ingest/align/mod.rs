//! Tells new messages from known ones when a chat is imported again.
//!
//! One message, many sightings: an import links what it finds to what the conversation already
//! holds. It never deletes and never lets two true copies become one. Everything here is pure and
//! works on short keys, so that neither side needs its words in memory.
//!
//! This is the model for the same exporter seen again (later, more or less of the chat, another
//! phone or locale). Shifted clocks and other names are brought to this form first: [`shift`] infers
//! by how much a clock stands apart, and whoever infers the names corrects [`Sighting::sender`]
//! before [`align`].

mod identity;
mod key;
mod pairing;
mod shift;

pub use identity::{Anchor, Echo, Identity, anchors, echo, identify};
pub use key::{Facts, MatchKey, Sighting, Standing};
pub use pairing::{Alignment, Coverage, Known, Verdict, align};
pub use shift::{Shift, shift};
