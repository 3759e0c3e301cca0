//! The manifest of a backup: every file with its hash, the checkpoint, counts; signed by the log.
//!
//! Canonical JSON (RFC 8785, integers only) by `schema/json/backup-manifest.json`. The signature is
//! over the document without its field `signature` (audit statement `backup-manifest`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::ArchiveError;
use super::super::error::Result;
use crate::audit::{LogSigner, StatementKind, verify_statement};
use crate::crypto::{Digest, NoteVerifier, from_hex, hex, sha256};
use crate::domain::BackupId;

/// Name of the manifest inside a backup.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Name of the copy of the record inside a backup.
pub const RECORD_FILE: &str = "record.db";
/// Longest manifest that is read, in bytes: about two million files.
pub const MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// What the field `format` says.
const FORMAT: &str = "wordkeep-backup-1";

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Length in bytes.
    pub bytes: u64,
    /// Name inside the backup, parts separated by `/`.
    pub path: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// What a backup says of itself. Fields stand in the order of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Bytes of all files.
    pub bytes: u64,
    /// The newest checkpoint of the log in the backup, as a signed note.
    pub checkpoint: String,
    /// Sealed rows in the record.
    pub contents: u64,
    /// Compliance time of the picture, microseconds since 1970.
    pub created: i64,
    /// Every file but the manifest, by path; survivor packs have their own list.
    pub files: Vec<FileEntry>,
    /// The format of the backup.
    pub format: String,
    /// The backup.
    pub id: String,
    /// Public key of the log (C2SP vkey).
    pub log_key: String,
    /// Messages in the record.
    pub messages: u64,
    /// Version of the record's schema.
    pub schema: u32,
    /// The data directory it was made from.
    pub store: String,
}

impl Manifest {
    /// The value of the field `format`.
    pub fn format() -> String {
        FORMAT.to_owned()
    }

    /// The id of the backup.
    pub fn backup(&self) -> Result<BackupId> {
        self.id
            .parse()
            .map_err(|_| ArchiveError::Malformed("the id in the manifest of a backup"))
    }

    /// The bytes of the file, signed.
    pub(super) fn sign(&self, signer: &LogSigner) -> Result<Vec<u8>> {
        signed_document(self, StatementKind::BackupManifest, signer)
    }

    /// Reads a manifest and checks that `key` signed exactly these bytes.
    pub fn open(bytes: &[u8], key: &NoteVerifier) -> Result<Manifest> {
        let manifest: Manifest = open_document(bytes, StatementKind::BackupManifest, key)?;
        match manifest.format == FORMAT {
            true => Ok(manifest),
            false => Err(ArchiveError::Malformed(
                "the manifest of a backup: it has another format",
            )),
        }
    }

    /// The hash by which escrow and registry know the manifest.
    pub fn hash(bytes: &[u8]) -> Digest {
        sha256(bytes)
    }

    /// The log key that a manifest states; nothing is believed because of it.
    pub fn stated_key(bytes: &[u8]) -> Option<NoteVerifier> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        NoteVerifier::from_vkey(value.get("log_key")?.as_str()?).ok()
    }
}

/// A document with its signature, in canonical form.
pub(super) fn signed_document<T: Serialize>(
    document: &T,
    kind: StatementKind,
    signer: &LogSigner,
) -> Result<Vec<u8>> {
    let mut value = serde_json::to_value(document)
        .map_err(|_| ArchiveError::Malformed("a document that does not serialise"))?;
    let signature = signer.sign_statement(kind, &canonical(&value));
    if let Value::Object(fields) = &mut value {
        fields.insert("signature".to_owned(), Value::String(hex(&signature)));
    }
    Ok(canonical(&value))
}

/// Reads a signed document: canonical to the last byte, and signed by `key`.
pub(super) fn open_document<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    kind: StatementKind,
    key: &NoteVerifier,
) -> Result<T> {
    let malformed = ArchiveError::Malformed("a signed document");
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        return Err(malformed);
    };
    // Another spelling of the same values is a change too.
    if canonical(&value) != bytes {
        return Err(ArchiveError::Malformed("a signed document: not canonical"));
    }
    let signature = value
        .as_object_mut()
        .and_then(|fields| fields.remove("signature"))
        .and_then(|signature| from_hex(signature.as_str()?))
        .ok_or(malformed)?;
    verify_statement(kind, &canonical(&value), &signature, key)
        .map_err(|error| ArchiveError::Integrity(format!("a signed document ({error})")))?;
    serde_json::from_value(value).map_err(|_| ArchiveError::Malformed("a signed document"))
}

/// RFC 8785 of a value whose numbers are integers and whose keys are ASCII: keys sorted, no blanks.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    fn write(value: &Value, to: &mut Vec<u8>) {
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort();
                to.push(b'{');
                for (n, key) in keys.into_iter().enumerate() {
                    if n > 0 {
                        to.push(b',');
                    }
                    to.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
                    to.push(b':');
                    write(&fields[key], to);
                }
                to.push(b'}');
            }
            Value::Array(items) => {
                to.push(b'[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        to.push(b',');
                    }
                    write(item, to);
                }
                to.push(b']');
            }
            other => to.extend_from_slice(other.to_string().as_bytes()),
        }
    }
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}
