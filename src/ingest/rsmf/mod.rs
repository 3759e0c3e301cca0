//! RSMF, the exchange format of e-discovery (Relativity Short Message Format, 1.0 and 2.0), coming in.
//!
//! An `.rsmf` file is a mail whose part `rsmf.zip` holds `rsmf_manifest.json` and the files beside it; the
//! container opens it like an archive. What the manifest breaks of its own rules is named, and what can be
//! read of it is read.
//!
//! Format facts: github.com/relativitydev/rsmf-validator-samples (`rsmf_schema_2_0_0.json` and samples).

mod check;
mod event;
mod manifest;

pub use manifest::Rsmf;
