//! `wordkeep demo`: the tour of a made-up company, from its export files to the proof.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::serve::serve_house;
use super::{Ended, conv, demo_govern, export, search};
use crate::app::export::ExportReceipt;
use crate::app::import::ImportReceipt;
use crate::app::sample::MESSAGES_DEFAULT;
use crate::app::{
    AppError, DemoEvent, DemoRequest, SearchAnswer, VerifyReport, run_demo, stage_demo,
};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::meter::{Meter, Way};
use crate::cli::printable::{line, thousands};
use crate::http::{House, HouseOptions, ServeOptions};

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Try everything on a made-up company

Examples:
  $ wordkeep demo
  $ wordkeep demo --port 9000 --messages 100000 --seed 7
  $ wordkeep demo --tour

A made-up trading company is written as chat exports, imported, sealed, put on hold and let go by a
policy; then its pages are served to browsers on this computer, with one link for each role that signs
in once. With --tour the terminal is the stage: each step is shown with the words it was asked in, and
the end is the proof. Time passes by a clock of its own. Everything lies in a temporary directory with
keys of its own, which is removed at the end, also after Ctrl-C; with --dir it stays.";

/// Port of the demonstration; the next free one where it is taken.
const PORT_DEFAULT: u16 = 8470;

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Messages of the made-up company
    #[arg(long, value_name = "N", default_value_t = MESSAGES_DEFAULT)]
    messages: usize,
    /// The same seed makes the same company
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Show every step in the terminal instead, and end
    #[arg(long)]
    tour: bool,
    /// Port on this computer; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = PORT_DEFAULT, conflicts_with = "tour")]
    port: u16,
    /// Work here and leave everything behind
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Serves the company, or takes the tour.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let interrupt = Interrupt::listen()?;
    let meter = Meter::new(Way::Auto, context.is_lively, interrupt.clone());
    let request = DemoRequest {
        dir: typed.dir.clone(),
        messages: typed.messages,
        seed: typed.seed,
    };
    match typed.tour {
        true => tour(context, &request, &meter),
        false => show(context, &request, typed.port, &meter, &interrupt),
    }
}

/// The pages, until Ctrl-C.
fn show(
    context: &mut Context,
    request: &DemoRequest,
    port: u16,
    meter: &Meter,
    interrupt: &Interrupt,
) -> Ended {
    let staged = match stage_demo(request, meter) {
        Err(AppError::Interrupted(_)) if interrupt.asked() => return Ok(Exit::Interrupted),
        staged => staged?,
    };
    meter.clear();
    let options = HouseOptions {
        secure: false,
        demo: true,
    };
    let house = House::open(Arc::clone(&staged.appliance), options);
    let options = ServeOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        tls: None,
        insecure_http: false,
    };
    let ended = serve_house(
        context,
        &house,
        &options,
        interrupt,
        &mut |context, served| {
            let to = context.printer.sink();
            writeln!(to, "Demo data: a made-up company; nobody in it exists.")?;
            writeln!(to, "{} is ready; each link signs in once:", served.origin())?;
            for (role, _, link) in &staged.links {
                writeln!(to, "  {:<16} {}/enter#{link}", role.name(), served.origin())?;
            }
            writeln!(
                to,
                "Where a page asks for your password once more: {}",
                staged.password
            )?;
            writeln!(to, "Ctrl-C ends it, and everything is deleted.")?;
            Ok(to.flush()?)
        },
    );
    drop(house);
    drop(staged);
    ended
}

fn tour(context: &mut Context, request: &DemoRequest, meter: &Meter) -> Ended {
    let coloured = context.printer.is_coloured();
    let mut trouble: Option<io::Error> = None;
    let to = context.printer.sink();
    run_demo(request, meter, &mut |event| {
        meter.clear();
        if let Err(error) = tell(to, &event, coloured).and_then(|()| to.flush()) {
            trouble.get_or_insert(error);
        }
    })?;
    match trouble {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}

pub(super) fn heading(to: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(to, "\n== {text}")
}

fn tell(to: &mut dyn Write, event: &DemoEvent<'_>, coloured: bool) -> io::Result<()> {
    match event {
        DemoEvent::Begins(root, temporary) => {
            writeln!(to, "Demo data: a made-up company; nobody in it exists.")?;
            match temporary {
                true => writeln!(
                    to,
                    "Working in {}; it is removed at the end.",
                    root.display()
                ),
                false => writeln!(to, "Working in {}; it stays.", root.display()),
            }
        }
        DemoEvent::Created(data) => {
            heading(to, "Create")?;
            write!(
                to,
                "data directory {}\n\
                 a random unlock key, an encrypted record, an empty signed log\n\
                 an administrator, a lawyer, two records officers and a manager\n",
                data.display()
            )
        }
        DemoEvent::Exports(files, messages) => {
            heading(to, "Import")?;
            let messages = thousands(*messages as u64);
            writeln!(
                to,
                "{files} export files of WhatsApp and others, {messages} messages:"
            )
        }
        DemoEvent::Imported(receipt) => tell_import(to, receipt),
        DemoEvent::ImportedAgain(receipts) => {
            let fresh: u64 = receipts.iter().map(|receipt| receipt.counts.fresh).sum();
            let known: u64 = receipts.iter().map(|receipt| receipt.counts.known).sum();
            heading(to, "Import all of it again")?;
            writeln!(
                to,
                "{} new, {} already known",
                thousands(fresh),
                thousands(known)
            )
        }
        DemoEvent::Answered(step, answer) => tell_answer(to, step.what, answer, coloured),
        DemoEvent::InContext(slice) => {
            writeln!(to, "in its conversation:")?;
            conv::write_slice(to, slice)
        }
        DemoEvent::Refused(refused) => {
            heading(to, "The administrator tries the same search")?;
            writeln!(to, "refused, and the refusal is in the log: {refused}")
        }
        DemoEvent::Exported(receipt) => tell_export(to, receipt),
        DemoEvent::ExportVerified(report) => {
            writeln!(
                to,
                "and what anybody says of it who has that file and the key:"
            )?;
            export::write_report(to, report)
        }
        DemoEvent::Verified(report) => tell_proof(to, report),
        DemoEvent::Removed => {
            writeln!(
                to,
                "\nEverything was removed. With your own chats: wordkeep init"
            )
        }
        event => demo_govern::tell(to, event),
    }
}

fn tell_import(to: &mut dyn Write, receipt: &ImportReceipt) -> io::Result<()> {
    let counts = &receipt.counts;
    write!(
        to,
        "  {:<44} {:>7} new",
        line(&receipt.name),
        thousands(counts.fresh)
    )?;
    if counts.rejected > 0 {
        write!(to, " · {} rejected, kept verbatim", counts.rejected)?;
    }
    let reason = receipt
        .summaries
        .iter()
        .flat_map(|(_, summary)| &summary.orders)
        .map(|order| format!("{}: {}", order.order.name(), order.reason))
        .next();
    if let Some(reason) = reason {
        write!(to, " · {}", line(&reason))?;
    }
    writeln!(to)
}

fn tell_answer(
    to: &mut dyn Write,
    what: &str,
    answer: &SearchAnswer,
    coloured: bool,
) -> io::Result<()> {
    heading(to, what)?;
    writeln!(to, "$ wordkeep search '{}'", answer.reading.text)?;
    writeln!(to, "Read as: {}", line(&answer.reading.read_as))?;
    search::write_human(to, answer, coloured)?;
    let mark = &answer.answer.watermark;
    writeln!(
        to,
        "{} in all, complete through {} of {}; audit #{}",
        thousands(answer.answer.total),
        thousands(mark.through),
        thousands(mark.of),
        answer.audit.0
    )
}

fn tell_export(to: &mut dyn Write, receipt: &ExportReceipt) -> io::Result<()> {
    let about = &receipt.manifest;
    heading(to, "Evidence out")?;
    writeln!(
        to,
        "$ wordkeep export create --query '{}' --context {} --matter {} \\\n    --reason '{}' --out {}",
        about.query.typed,
        about.context,
        about.matter.as_deref().unwrap_or_default(),
        about.reason,
        receipt.path.display()
    )?;
    export::write_receipt(to, receipt)
}

fn tell_proof(to: &mut dyn Write, report: &VerifyReport) -> io::Result<()> {
    heading(to, "Verify")?;
    writeln!(
        to,
        "log of {} entries, every leaf, root and signature checked: {:?}",
        thousands(report.log.entries),
        report.log.verdict
    )?;
    if let Some(record) = &report.record {
        writeln!(
            to,
            "by the log {} messages must be here, {} are; {} sealed rows and {} attachments opened; \
             the index holds {} messages",
            thousands(record.logged),
            thousands(record.live),
            thousands(record.content.rows),
            thousands(record.content.blobs),
            thousands(record.index.messages)
        )?;
        for problem in record.problems() {
            writeln!(to, "problem: {}", line(&problem))?;
        }
    }
    Ok(())
}
