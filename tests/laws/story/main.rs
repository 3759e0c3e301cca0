//! The story a log tells: an honest run of the whole product replays sound, and every unlawful act is
//! found by what it says, although the key of the log signed it. Certificates prove themselves.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

mod certificate;
#[path = "../../support/court.rs"]
mod court;
mod doors;
mod heartbeat;
#[path = "../../support/house.rs"]
mod house;
mod planted;
mod pruning;
#[path = "../../support/schema.rs"]
mod schema;
mod shortened;
mod world;
