//! What several test programs share.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::expect_used,
    reason = "the helpers of a test may fail like the test"
)]

pub mod collect;
pub mod locale_matrix;
