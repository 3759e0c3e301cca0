//! `manifest.json`: what was exported, by whom, why, and the hash of every file, signed with the key
//! of the audit log. Canonical JSON (RFC 8785, integers only): what is spelled in another way is no
//! manifest. `schema/json/export-manifest.json` describes it for strangers.

use serde::{Deserialize, Serialize};

use crate::app::{AppError, Result};
use crate::audit::{StatementKind, verify_statement};
use crate::crypto::{Digest, Hasher, NoteVerifier, from_hex, hex};

/// What stands in `schema`; the number changes with every change that a reader must know.
pub(super) const SCHEMA: &str = "wordkeep/export-manifest/1";
/// Longest manifest that is read, in bytes.
pub(super) const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// The manifest. Fields stand in the order of their names, which is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Who exported.
    pub actor: ExportActor,
    /// Hits of the query, where somebody chose some of them one by one; left out where all are here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chosen_of: Option<u64>,
    /// How far the index had read when the query was answered.
    pub complete: Complete,
    /// Messages shown around each hit.
    pub context: u32,
    /// What is in it.
    pub counts: ExportCounts,
    /// Id of the export, `exp_...`.
    pub export: String,
    /// Every other file, in the order of the bundle.
    pub files: Vec<FileLine>,
    /// SHA-256 over the lines `sha256sum` would print of the data files (all but `proof/`); it
    /// stands in the audit entry.
    pub files_digest: String,
    /// The program that made it.
    pub generator: String,
    /// Where in the audit log it stands.
    pub log: LogPlace,
    /// When it was made.
    pub made: Made,
    /// The matter, where one was given.
    pub matter: Option<String>,
    /// Merkle root (RFC 6962) over the record digests of `messages.jsonl` in their order.
    pub messages_root: String,
    /// What was asked.
    pub query: AskedQuery,
    /// Why, in the exporter's words.
    pub reason: String,
    /// Form of this document.
    pub schema: String,
    /// What the exporter may see.
    pub scope: ScopeStatement,
    /// Ed25519 over NUL `wordkeep/v1/export-manifest` NUL and this document without this field.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
}

/// Who exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportActor {
    /// `usr_...`.
    pub id: String,
    /// The role in which they acted.
    pub role: String,
}

/// The watermark of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// Last batch of imports there was.
    pub of: u64,
    /// Last batch that was searched; always the same, else nothing is exported.
    pub through: u64,
}

/// What is in an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportCounts {
    /// Files of attachments.
    pub attachments: u64,
    /// Conversations.
    pub conversations: u64,
    /// Messages that match the query.
    pub hits: u64,
    /// All messages, context included.
    pub messages: u64,
    /// Hits that were destroyed between the search and the writing.
    pub unavailable: u64,
}

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLine {
    /// Its name in the bundle.
    pub name: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// Where an export stands in the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPlace {
    /// Number of the entry `export.made` (`proof/entry.json`).
    pub entry: u64,
    /// Name and public key of the log (C2SP vkey).
    pub key: String,
    /// Root of the checkpoint in `proof/checkpoint.txt`, in hex.
    pub root: String,
    /// Its number of entries.
    pub size: u64,
}

/// When an export was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Compliance time: may be slow, never fast.
    pub compliance: String,
    /// The clock of the host.
    pub wall: String,
}

/// The query, as typed and as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedQuery {
    /// Canonical form, names as ids.
    pub canonical: String,
    /// Notes and accepted warnings, code first.
    pub notes: Vec<String>,
    /// What it means, as a sentence.
    pub read_as: String,
    /// Canonical form with relative dates absolute.
    pub resolved: String,
    /// As typed.
    pub typed: String,
    /// Zone of its dates and of the times in tables and pages.
    pub zone: String,
}

/// What the exporter may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeStatement {
    /// Accounts named.
    pub accounts: u64,
    /// Conversations named.
    pub conversations: u64,
    /// Conversations behind a wall.
    pub denied: u64,
    /// Everything that is not behind a wall.
    pub everything: bool,
    /// The same as a sentence.
    pub statement: String,
}

impl Manifest {
    /// The bytes that are signed: canonical, without the signature.
    pub(super) fn unsigned(&self) -> Result<Vec<u8>> {
        let unsigned = Manifest {
            signature: None,
            ..self.clone()
        };
        unsigned.to_bytes()
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| AppError::Integrity(error.to_string()))
    }

    /// Reads the bytes of the file; the error says what is wrong with them.
    pub(super) fn parse(bytes: &[u8]) -> std::result::Result<Manifest, String> {
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let again = manifest.to_bytes().map_err(|error| error.to_string())?;
        if manifest.schema != SCHEMA {
            return Err(format!(
                "the form \"{}\" is not known to this version",
                manifest.schema
            ));
        }
        match again == bytes {
            true => Ok(manifest),
            false => Err("not in canonical form".to_owned()),
        }
    }

    /// Checks the signature under a key.
    pub(super) fn verify(&self, key: &NoteVerifier) -> std::result::Result<(), String> {
        let signature = self.signature.as_deref().unwrap_or_default();
        // One spelling only: upper-case digits would be another file with the same meaning.
        let bytes = from_hex(signature)
            .filter(|bytes| hex(bytes) == signature)
            .ok_or("the signature is not hex in lower case")?;
        let document = self.unsigned().map_err(|error| error.to_string())?;
        verify_statement(StatementKind::ExportManifest, &document, &bytes, key)
            .map_err(|_| format!("the signature is not by {}", key.name))
    }
}

/// The digest of a list of files: SHA-256 over the lines that `sha256sum` prints of them.
pub(super) fn digest_of_files<'a>(files: impl IntoIterator<Item = &'a FileLine>) -> Digest {
    let mut hasher = Hasher::new();
    for file in files {
        hasher.update(format!("{}  {}\n", file.sha256, file.name).as_bytes());
    }
    hasher.finish()
}
