//! The composition root: what joins the rooms below into one product.
//!
//! Purpose: sample data for the demonstration, the tour and the tests.
//!
//! Must not know: how anything is printed.

pub mod sample;
