//! The use-cases "export" and "verify an export": messages leave the house in a bundle that proves
//! itself.
//!
//! Order of events: authorise; read the query strictly; find the hits inside the scope; the entry
//! "intended" is durable before the file is made; messages are written and hashed; the entry "made"
//! takes their digests into the log; the log is signed; proof and signed manifest close the bundle;
//! the entry "outcome" tells the hash of the whole. What fails or is stopped leaves no file.
//!
//! Tables and pages are made from the lines already written, so that the three cannot differ. No
//! plain text lies anywhere but in the file that was asked for.

mod create;
mod gather;
mod manifest;
mod packing;
mod page;
mod read;
mod readme;
mod record;
mod request;
mod staged;
mod table;
mod target;
mod verify;

pub use manifest::{
    AskedQuery, Complete, ExportActor, ExportCounts, FileLine, LogPlace, Made, Manifest,
    ScopeStatement,
};
pub use request::{
    EXPORT_FILES_MAX, EXPORT_HITS_MAX, ExportReceipt, ExportRequest, REASON_BYTES_MAX,
};
pub use staged::StagedExport;
pub use verify::{BundleProblem, BundleReport, verify_bundle};

/// The files of a bundle in their order, attachments (which stand behind the page) left out.
mod names {
    /// How to check the bundle.
    pub const README: &str = "README.txt";
    /// The messages.
    pub const MESSAGES: &str = "messages.jsonl";
    /// The messages as a table.
    pub const TABLE: &str = "messages.csv";
    /// The messages as a page.
    pub const PAGE: &str = "index.html";
    /// The folder of attachments.
    pub const ATTACHMENTS: &str = "attachments/";
    /// The folder of the proof.
    pub const PROOF: &str = "proof/";
    /// The signed state of the log.
    pub const CHECKPOINT: &str = "proof/checkpoint.txt";
    /// The entry in the log.
    pub const ENTRY: &str = "proof/entry.json";
    /// That the entry is in the log.
    pub const INCLUSION: &str = "proof/inclusion.txt";
    /// What is signed.
    pub const MANIFEST: &str = "manifest.json";
}
