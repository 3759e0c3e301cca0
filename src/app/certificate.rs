//! Does a certificate hold? From its bytes alone: no data directory, no secret, no network.

use std::path::Path;

use serde::Serialize;

use super::files::read_bytes;
use super::pins::PinBoard;
use super::verify::{VerifyRequest, parse_key};
use super::{AppError, Result};
use crate::audit::{Action, Entry, InclusionProof, StatementKind, Verdict, verify_statement};
use crate::crypto::{Checkpoint, Digest, NoteVerifier, from_hex};
use crate::domain::EntryNo;
use crate::retention::{Answer, Certificate};

/// Longest certificate that is read, in bytes: some ten million items.
const CERTIFICATE_BYTES_MAX: u64 = 4 << 30;

/// The answer of the verifier of certificates.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateReport {
    /// The verdict: sound where the key was known from before, unanchored where the certificate
    /// itself named it.
    pub verdict: Verdict,
    /// The exit code of the verdict.
    pub exit_code: u8,
    /// Whether the key was given or remembered from before.
    pub known_before: bool,
    /// Checkpoints from outside that agree with the log of the certificate.
    pub anchors: u64,
    /// What was asked about, where something was and the certificate holds.
    pub answer: Option<Answer>,
    /// What the certificate says; `None` when it cannot be read.
    pub certificate: Option<Certificate>,
    /// What does not hold.
    pub problems: Vec<String>,
    /// What could not be compared, in words.
    pub notes: Vec<String>,
}

/// Verifies a certificate: form, signature, order and root of its items, the entry of the run in the
/// audit log and its proof. `item` is a keyed identity that is asked for; `pins` is where this
/// computer remembers logs; nothing is written there.
///
/// # Errors
/// When the file cannot be read, or `item` or what is known of the log is not well-formed.
pub fn verify_certificate_file(
    path: &Path,
    pins: &Path,
    request: &VerifyRequest,
    item: Option<&str>,
) -> Result<CertificateReport> {
    let bytes = read_bytes(path, CERTIFICATE_BYTES_MAX)?;
    let document = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let given = request.key.as_deref().map(parse_key).transpose()?;
    let mut report = CertificateReport {
        verdict: Verdict::Broken,
        exit_code: 0,
        known_before: false,
        anchors: 0,
        answer: None,
        certificate: None,
        problems: Vec::new(),
        notes: Vec::new(),
    };
    match Certificate::read(document) {
        Err(what) => report.problems.push(what),
        Ok(certificate) => {
            let board = PinBoard::new(pins);
            report.judge(document, &certificate, given, &board, request)?;
            if let (Some(item), true) = (item, report.problems.is_empty()) {
                report.answer = Some(certificate.answer(item).map_err(AppError::Usage)?);
            }
            report.certificate = Some(certificate);
        }
    }
    report.verdict = match (report.problems.is_empty(), report.known_before) {
        (false, _) => Verdict::Broken,
        (true, true) => Verdict::Sound,
        (true, false) if report.anchors > 0 => Verdict::Sound,
        (true, false) => Verdict::Unanchored,
    };
    report.exit_code = report.verdict.exit_code();
    Ok(report)
}

impl CertificateReport {
    fn judge(
        &mut self,
        document: &[u8],
        certificate: &Certificate,
        given: Option<NoteVerifier>,
        board: &PinBoard,
        request: &VerifyRequest,
    ) -> Result<()> {
        let said = &certificate.log.key;
        let stated = NoteVerifier::from_vkey(said)
            .ok()
            .filter(|key| key.to_vkey() == *said);
        if stated.is_none() {
            self.problems
                .push("log.key is not the key of a log".to_owned());
        }
        let origin = given.as_ref().or(stated.as_ref()).map(|key| &key.name);
        let pinned = match origin {
            Some(origin) => board.read(origin)?,
            None => None,
        };
        let mut anchors: Vec<(Checkpoint, bool)> = Vec::new();
        for text in &request.anchors {
            let anchor = Checkpoint::parse(text).map_err(|error| {
                AppError::Usage(format!("an anchor is three lines, as printed: {error}"))
            })?;
            anchors.push((anchor, true));
        }
        anchors.extend(pinned.as_ref().map(|pin| (pin.checkpoint.clone(), false)));
        let trusted = given.or(pinned.map(|pin| pin.key));
        self.known_before = trusted.is_some();
        if let (Some(trusted), Some(stated)) = (&trusted, &stated)
            && trusted != stated
        {
            let what = "it names another key than the one that was known before";
            self.problems.push(what.to_owned());
        }
        let Some(key) = trusted.or(stated) else {
            return Ok(());
        };
        match verify_certificate(document, &key).and_then(|_| checkpoint_of(certificate, &key)) {
            Ok(checkpoint) => self.compare(&checkpoint, &anchors),
            Err(AppError::Integrity(what)) => self.problems.push(what),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Compares with checkpoints that were kept elsewhere; those of other sizes say nothing here.
    fn compare(&mut self, checkpoint: &Checkpoint, anchors: &[(Checkpoint, bool)]) {
        for (anchor, was_given) in anchors {
            if anchor.origin != checkpoint.origin {
                self.problems.push("an anchor is of another log".to_owned());
            } else if anchor.size != checkpoint.size {
                if *was_given {
                    self.notes.push(format!(
                        "the checkpoint of {} entries cannot be compared with that of {} in the \
                         certificate; the log itself can: wordkeep audit verify",
                        anchor.size, checkpoint.size
                    ));
                }
            } else if anchor.root == checkpoint.root {
                self.anchors += 1;
            } else {
                let what =
                    "a checkpoint that was kept elsewhere has the same size and another root";
                self.problems.push(what.to_owned());
            }
        }
    }
}

/// Verifies a certificate against the key of a log: nothing else is needed.
///
/// # Errors
/// `Integrity` with what is wrong: the form, the signature, the items, or the entry in the log.
pub fn verify_certificate(document: &[u8], key: &NoteVerifier) -> Result<Certificate> {
    let broken = |what: &str| AppError::Integrity(what.to_owned());
    let certificate = Certificate::read(document).map_err(AppError::Integrity)?;
    let signature = certificate.signature.as_deref().and_then(from_hex);
    let signature = signature.ok_or_else(|| broken("the certificate is not signed"))?;
    let unsigned = certificate
        .unsigned()
        .map_err(|error| AppError::Integrity(error.to_string()))?;
    verify_statement(StatementKind::Certificate, &unsigned, &signature, key)
        .map_err(|error| AppError::Integrity(error.to_string()))?;
    certificate.check().map_err(AppError::Integrity)?;
    let checkpoint = checkpoint_of(&certificate, key)?;
    if checkpoint.origin != certificate.origin || certificate.log.key != key.to_vkey() {
        return Err(broken("the certificate names another log than its proof"));
    }
    let entry = Entry::parse(certificate.log.entry.as_bytes()).map_err(AppError::Integrity)?;
    let (draft, batch) = (&entry.draft, &certificate.batch);
    let agrees = [
        ("the act", draft.action == Action::EraseOutcome),
        ("the place", entry.seq.0 == certificate.log.index),
        (
            "the list",
            draft.objects == [format!("batch-{}", batch.number)],
        ),
        (
            "the number",
            draft.number("certificate") == Some(certificate.number),
        ),
        ("the count", draft.number("erased") == Some(batch.erased)),
        (
            "the root of the items",
            draft.fact_word("items_root") == Some(&batch.items_root),
        ),
        ("the time", certificate.clock.compliance >= entry.t_c.0),
    ];
    match agrees.iter().find(|(_, agrees)| !agrees) {
        None => Ok(certificate),
        Some((what, _)) => Err(AppError::Integrity(format!(
            "{what} in the log is not what the certificate says"
        ))),
    }
}

/// Checks that the entry is in the log that the key signed, and gives the checkpoint.
fn checkpoint_of(certificate: &Certificate, key: &NoteVerifier) -> Result<Checkpoint> {
    let log = &certificate.log;
    let digest = |text: &String| -> Option<Digest> { from_hex(text)?.try_into().ok() };
    let path: Option<Vec<Digest>> = log.path.iter().map(digest).collect();
    let proof = InclusionProof {
        seq: EntryNo(log.index),
        path: path.ok_or_else(|| {
            AppError::Integrity("the proof of the entry is not made of hashes".to_owned())
        })?,
        note: log.checkpoint.clone(),
    };
    proof
        .verify(log.entry.as_bytes(), key)
        .map_err(|error| AppError::Integrity(error.to_string()))
}
