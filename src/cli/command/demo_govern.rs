//! What the tour prints of holds, policies and the lawful end of old messages.

use std::io::{self, Write};

use super::demo::heading;
use crate::app::import::ImportReceipt;
use crate::app::{
    AppError, BatchLine, DemoEvent, HoldExtent, NewHold, NewPolicy, Planned, PolicyChanged,
    SearchAnswer, Simulated,
};
use crate::archive::Erased;
use crate::cli::printable::{line, thousands};
use crate::domain::BatchNo;
use crate::retention::Certificate;

/// Prints the events of this half of the tour; the others are not for it.
pub(super) fn tell(to: &mut dyn Write, event: &DemoEvent<'_>) -> io::Result<()> {
    match event {
        DemoEvent::Held(hold, query, extent) => held(to, hold, query, extent),
        DemoEvent::NotEnabled(policy, refused) => not_enabled(to, policy, refused),
        DemoEvent::Simulated(found) => simulated(to, found),
        DemoEvent::Enabled(changed) => enabled(to, changed),
        DemoEvent::Passed(days) => passed(to, *days),
        DemoEvent::Listed(planned) => listed(to, planned),
        DemoEvent::NotApproved(refused) => not_approved(to, refused),
        DemoEvent::Approved(batch) => approved(to, batch),
        DemoEvent::Destroyed(batch, erased) => destroyed(to, *batch, erased),
        DemoEvent::Left(answer) => left(to, answer),
        DemoEvent::Certified(certificate, refused) => certified(to, certificate, refused),
        DemoEvent::CameAgain(receipts) => came_again(to, receipts),
        _ => Ok(()),
    }
}

fn held(to: &mut dyn Write, hold: &NewHold, query: &str, extent: &HoldExtent) -> io::Result<()> {
    heading(to, "Hold what a claim will need")?;
    writeln!(
        to,
        "$ wordkeep hold add '{}' --matter {} --query '{query}' \\\n    --reason '{}'",
        hold.name, hold.matter, hold.reason
    )?;
    writeln!(
        to,
        "{} messages are protected, and whatever comes later and matches",
        thousands(extent.messages)
    )
}

fn not_enabled(to: &mut dyn Write, policy: &NewPolicy, refused: &AppError) -> io::Result<()> {
    heading(to, "A policy that lets old messages go")?;
    writeln!(
        to,
        "$ wordkeep policy add '{}' --scope '{}' --action {} --period {} \\\n    --citation '{}' --reason '{}'",
        policy.name,
        policy.scope,
        policy.action.name(),
        policy.period,
        policy.citation,
        policy.reason
    )?;
    writeln!(to, "a draft. Enabled at once it is refused: {refused}")
}

fn simulated(to: &mut dyn Write, simulated: &Simulated) -> io::Result<()> {
    let found = &simulated.found;
    writeln!(to, "$ wordkeep policy simulate {}", simulated.policy)?;
    writeln!(
        to,
        "of {} messages {} would go, {} stay because they are held",
        thousands(found.records),
        thousands(found.eligible),
        thousands(found.blocked.held)
    )
}

fn enabled(to: &mut dyn Write, _: &PolicyChanged) -> io::Result<()> {
    writeln!(
        to,
        "with that simulation it is enabled; nothing goes by itself"
    )
}

fn passed(to: &mut dyn Write, days: i64) -> io::Result<()> {
    writeln!(
        to,
        "\n... {days} days pass; the tour has a clock of its own"
    )
}

fn listed(to: &mut dyn Write, planned: &Planned) -> io::Result<()> {
    heading(to, "Disposition")?;
    writeln!(to, "$ wordkeep dispose plan")?;
    writeln!(
        to,
        "list {}: {} messages are due, {} more are due and held; it needs {} approvals",
        planned.batch,
        thousands(planned.items),
        thousands(planned.held),
        planned.reviewers
    )
}

fn not_approved(to: &mut dyn Write, refused: &AppError) -> io::Result<()> {
    writeln!(to, "the officer who asked for it approves it: {refused}")
}

fn approved(to: &mut dyn Write, batch: &BatchLine) -> io::Result<()> {
    writeln!(
        to,
        "another officer and the lawyer approve it: {} of {}; it can be called off for seven days",
        batch.approvals.0, batch.approvals.1
    )
}

fn destroyed(to: &mut dyn Write, batch: BatchNo, erased: &Erased) -> io::Result<()> {
    writeln!(to, "$ wordkeep dispose run {batch} --confirm {batch}")?;
    writeln!(
        to,
        "{} messages destroyed with {} keys and {} files, {} stayed; traces found afterwards: {}",
        thousands(erased.erased.len() as u64),
        thousands(erased.keys_destroyed.len() as u64),
        thousands(erased.blobs),
        thousands(erased.dropped.len() as u64),
        erased.residue.scan_hits
    )
}

fn left(to: &mut dyn Write, answer: &SearchAnswer) -> io::Result<()> {
    writeln!(
        to,
        "of that year {} are left: those on hold",
        thousands(answer.answer.total)
    )
}

fn certified(to: &mut dyn Write, certificate: &Certificate, refused: &AppError) -> io::Result<()> {
    heading(to, "The certificate")?;
    writeln!(
        to,
        "certificate {}: {} items, {} approvals, keyhold {} -> {}; its signature holds, which takes \
         the key of the log and nothing else",
        certificate.number,
        thousands(certificate.items.len() as u64),
        certificate.approvals.len(),
        certificate.method.generation_before,
        certificate.method.generation_after
    )?;
    writeln!(to, "with one digit changed: {}", line(&refused.to_string()))
}

fn came_again(to: &mut dyn Write, receipts: &[ImportReceipt]) -> io::Result<()> {
    let sum = |of: fn(&ImportReceipt) -> u64| receipts.iter().map(of).sum::<u64>();
    heading(to, "Import all of it once more")?;
    writeln!(
        to,
        "{} new, {} already known, {} left out because they were disposed of",
        thousands(sum(|receipt| receipt.counts.fresh)),
        thousands(sum(|receipt| receipt.counts.known)),
        thousands(sum(|receipt| receipt.counts.disposed))
    )
}
