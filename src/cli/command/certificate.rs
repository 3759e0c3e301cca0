//! `wordkeep verify CERTIFICATE`: does a certificate hold, and was a message in its run?

use std::io::{self, Read, Write};
use std::path::Path;

use super::{Ended, verify};
use crate::app::{AppError, CertificateReport, verify_certificate_file};
use crate::audit::Verdict;
use crate::cli::context::Context;
use crate::cli::printable::{line, rfc3339, thousands};
use crate::cli::printer::Shape;
use crate::domain::Timestamp;
use crate::retention::{Answer, Certificate};

/// Whether a file begins as a certificate does, and not as an export.
pub(super) fn is_one(path: &Path) -> Result<bool, AppError> {
    let mut first = [0];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut first));
    match read {
        Ok(_) => Ok(&first == b"{"),
        Err(error) => Err(AppError::Io(format!("{}: {error}", path.display()))),
    }
}

/// Verifies a certificate without any key; `item` is a keyed identity that is asked for.
pub(super) fn verify(
    context: &mut Context,
    path: &Path,
    known: &verify::KnownBefore,
    item: Option<&str>,
) -> Ended {
    let request = known.request(0)?;
    let pins = context.settings()?.pins();
    let report = verify_certificate_file(path, &pins, &request, item)?;
    match context.printer.shape() {
        Shape::Json | Shape::JsonLines => context.printer.one(&report, |_| Ok(()))?,
        Shape::Human | Shape::Plain => write_report(context.printer.sink(), &report)?,
    }
    verify::conclude(context, &report.notes, report.verdict, report.exit_code)
}

fn write_report(to: &mut dyn Write, report: &CertificateReport) -> io::Result<()> {
    let mark = match report.verdict {
        Verdict::Sound => "✓ certificate sound",
        Verdict::Unanchored => "✓ certificate holds within itself",
        Verdict::Broken | Verdict::Unreadable => "✗ certificate broken",
    };
    match &report.certificate {
        None => writeln!(to, "{mark}")?,
        Some(certificate) => write_certificate(to, mark, certificate)?,
    }
    for problem in &report.problems {
        writeln!(to, "  {}", line(problem))?;
    }
    match &report.answer {
        None => Ok(()),
        Some(answer) => write_answer(to, answer),
    }
}

fn write_certificate(to: &mut dyn Write, mark: &str, certificate: &Certificate) -> io::Result<()> {
    let batch = &certificate.batch;
    writeln!(
        to,
        "{mark}: number {} of {}",
        certificate.number,
        line(&certificate.origin)
    )?;
    let decided = batch.decided.map_or_else(
        || "nothing was destroyed".to_owned(),
        |at| format!("decided {}", rfc3339(Timestamp(at))),
    );
    writeln!(
        to,
        "  list {}: {} messages destroyed, {} stayed; {decided}",
        batch.number,
        thousands(batch.erased),
        thousands(certificate.exceptions.len() as u64)
    )?;
    for one in &certificate.authority {
        writeln!(
            to,
            "  {} by {} version {} ({} from {}, lock {}) {}",
            thousands(one.items),
            line(&one.policy),
            one.version,
            line(&one.period),
            line(&one.trigger),
            line(&one.lock),
            line(&one.citation)
        )?;
    }
    writeln!(to, "  asked for by {}", line(&batch.requested_by))?;
    for one in &certificate.approvals {
        let at = rfc3339(Timestamp(one.at));
        writeln!(to, "  approved by {} {at}", line(&one.by))?;
    }
    writeln!(
        to,
        "  audit entry {} in {}",
        thousands(certificate.log.index),
        line(&certificate.log.key)
    )
}

/// The answer as people read it.
pub(super) fn write_answer(to: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    match &answer.item {
        Some(item) => writeln!(
            to,
            "✓ {} was destroyed in this run: item {} of {}, {} hashes to the root {}",
            answer.id,
            thousands(item.index + 1),
            thousands(answer.items),
            item.path.len(),
            answer.items_root
        ),
        None => {
            writeln!(
                to,
                "✓ {} was not in this run of {} items with the root {}",
                answer.id,
                thousands(answer.items),
                answer.items_root
            )?;
            let sides = [("after ", &answer.before), ("before", &answer.after)];
            for (side, proved) in sides {
                match proved {
                    Some(proved) => writeln!(
                        to,
                        "  it would stand {side} item {}: {}",
                        thousands(proved.index + 1),
                        proved.id
                    )?,
                    None => writeln!(to, "  no item stands there {side}")?,
                }
            }
            Ok(())
        }
    }
}
