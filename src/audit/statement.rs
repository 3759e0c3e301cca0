//! Statements: documents signed with the key of the log that nobody can take for a checkpoint, nor
//! for a statement of another kind.
//!
//! What is signed is `NUL "wordkeep/v1/" kind NUL` followed by the document. A checkpoint is a note,
//! and the text of a note holds no control character but the line feed (c2sp.org/signed-note), so no
//! checkpoint begins with NUL and no statement is a note.

use crate::crypto::{NoteVerifier, SIGNATURE_LEN};

use super::checkpoint::LogSigner;
use super::error::{AuditError, Result};

/// What a signed document is. The name is part of what is signed and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// The manifest of an export, without its signature (`schema/json/export-manifest.json`).
    ExportManifest,
    /// The certificate of a disposition, without its signature (`schema/json/certificate.json`).
    Certificate,
    /// The manifest of a backup, without its signature (`schema/json/backup-manifest.json`).
    BackupManifest,
    /// The list of survivor packs beside a backup (`schema/json/survivor-packs.json`).
    SurvivorPacks,
    /// What a trial restore of a backup found (`schema/json/restore-report.json`).
    RestoreReport,
}

impl StatementKind {
    /// The name that is signed.
    pub const fn name(self) -> &'static str {
        match self {
            StatementKind::ExportManifest => "export-manifest",
            StatementKind::Certificate => "certificate",
            StatementKind::BackupManifest => "backup-manifest",
            StatementKind::SurvivorPacks => "survivor-packs",
            StatementKind::RestoreReport => "restore-report",
        }
    }

    /// The bytes that are signed: the kind in front of the document.
    pub fn message(self, document: &[u8]) -> Vec<u8> {
        [b"\0wordkeep/v1/", self.name().as_bytes(), b"\0", document].concat()
    }
}

impl LogSigner {
    /// Signs a document as what it is.
    pub fn sign_statement(&self, kind: StatementKind, document: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.key().sign(&kind.message(document))
    }
}

/// Checks that the key of a log signed the document as this kind of statement.
pub fn verify_statement(
    kind: StatementKind,
    document: &[u8],
    signature: &[u8],
    key: &NoteVerifier,
) -> Result<()> {
    key.key
        .verify(&kind.message(document), signature)
        .map_err(|_| {
            AuditError::Broken(format!(
                "the signature of the {} is not by {}",
                kind.name(),
                key.name
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::signer;
    use super::*;
    use crate::crypto::{Checkpoint, SignedNote, sign_checkpoint};

    #[test]
    fn a5_a_statement_is_no_checkpoint_and_a_checkpoint_no_statement() {
        let signer = signer();
        let key = signer.verifier().clone();
        let checkpoint = Checkpoint {
            origin: key.name.clone(),
            size: 3,
            root: [5; 32],
        };
        let text = checkpoint.to_text();
        let kind = StatementKind::ExportManifest;
        let signature = signer.sign_statement(kind, text.as_bytes());
        assert!(verify_statement(kind, text.as_bytes(), &signature, &key).is_ok());
        // The signature of the statement does not carry over to the note of the same text ...
        assert!(key.key.verify(text.as_bytes(), &signature).is_err());
        // ... what was signed cannot be the text of a note ...
        let signed = String::from_utf8(kind.message(text.as_bytes())).expect("text");
        assert!(SignedNote::sign(&signed, &key.name, signer.key()).is_err());
        // ... and the note's signature is none of a statement.
        let note = sign_checkpoint(&checkpoint, signer.key()).expect("signs");
        let note = SignedNote::parse(note.as_bytes()).expect("reads");
        let foreign = &note.signatures[0].signature;
        assert!(verify_statement(kind, text.as_bytes(), foreign, &key).is_err());
        assert!(verify_statement(kind, b"other", &signature, &key).is_err());
    }
}
