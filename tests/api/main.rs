//! Pages and API as a browser or a program meets them, without a socket: who may take which route,
//! what every answer carries, what never leaves.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/chance.rs"]
mod chance;
mod chosen;
#[path = "../support/court.rs"]
mod court;
mod credentials;
mod description;
mod directory;
mod duties;
mod four_eyes;
mod govern;
#[path = "../support/house.rs"]
mod house;
mod html;
mod intake;
mod leaks;
mod long;
mod markup;
mod matrix;
mod mcp;
mod notices;
mod problems;
mod programs;
#[path = "../support/provider.rs"]
mod provider;
mod reading;
mod replays;
mod restricted;
mod revocation;
mod same;
mod served;
mod several;
mod snapshots;
mod sso;
mod talk;
