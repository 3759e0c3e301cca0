//! `wordkeep notice`: custodians named, notices issued, letters made, reminders, answers, templates.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::{
    Appliance, CustodianLine, Letter, NewCustodian, NoticeLine, NoticeOrder, NoticeReport,
    NoticeStanding, REMIND_DAYS, Session, read_text, write_secret,
};
use crate::audit::Appended;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::cli::printer::Row;
use crate::domain::{CustodianId, HoldId, NoticeActKind, NoticeId, NoticeKind, NoticeLanguage};

/// Longest file with the text of a template, in bytes.
const TEXT_BYTES_MAX: u64 = 64 << 10;

const AFTER: &str = "Examples:
  $ wordkeep notice add HOLD \"Marta Dias\" --language pt --address marta@example.com --manager \"Rui Melo\"
  $ wordkeep notice issue HOLD --keep \"chats with Harbour Roasters, 2022 to 2024\" --contact \"Lea, legal, ext. 12\"
  $ wordkeep hold notices HOLD";
const ADD: &str = "Name somebody with a hold

Examples:
  $ wordkeep notice add HOLD \"Marta Dias\" --language pt --address marta@example.com
  $ wordkeep notice add HOLD \"Outside counsel\" --silent

Nothing is sent by this. Who is silent is known to counsel alone and is never sent anything.";
const ISSUE: &str = "Issue notices to everybody named with a hold

Examples:
  $ wordkeep notice issue HOLD --keep \"chats with Harbour Roasters\" --contact \"Lea, legal\"
  $ wordkeep notice issue HOLD --keep \"chats and photos\" --contact \"Lea, legal\" --remind-days 3

Each in their language. Who has these words already is left alone; changed words are a new version and
wait for a new answer. No mail is sent: `notice letter` makes the letters.";
const LETTER: &str = "Make the letter of a notice, with a new link

Examples:
  $ wordkeep notice letter NOTICE --origin https://archive.example.com --eml marta.eml
  $ wordkeep notice letter NOTICE --origin https://archive.example.com

The link opens the notice without a log-in, for thirty days; the one before is dead. --eml writes a draft
for a mail program; without it the letter is printed.";
const REMIND: &str = "Remind a custodian, with a new link

Examples:
  $ wordkeep notice remind NOTICE --origin https://archive.example.com --eml reminder.eml";
const ESCALATE: &str = "Tell the manager of a custodian

Examples:
  $ wordkeep notice escalate NOTICE --eml manager.eml";
const CONFIRM: &str = "Write down that a custodian confirmed a notice

Examples:
  $ wordkeep notice confirm NOTICE --reason \"signed on paper, 4 March, file 12\"";
const WITHDRAW: &str = "Call a notice back; its link is dead at once

Examples:
  $ wordkeep notice withdraw NOTICE --reason \"sent to the wrong Marta\"";
const OVERDUE: &str = "List the notices that wait for an answer too long

Examples:
  $ wordkeep notice overdue
  $ wordkeep notice overdue --jsonl";
const TEMPLATE: &str = "Show the template of a kind and language, or write its next version

Examples:
  $ wordkeep notice template hold pt
  $ wordkeep notice template hold pt --subject \"Conserve: {matter}\" --text aviso.txt

Kinds: hold, release, reminder, escalation. Languages: en, pt, es, de, ar. Fields in braces are filled in:
{matter}, {hold}, {keep}, {contact}; where somebody is reminded also {custodian} and {date}.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Name somebody with a hold
    #[command(long_about = ADD)]
    Add(Add),
    /// Issue notices to everybody named with a hold
    #[command(long_about = ISSUE)]
    Issue(Issue),
    /// Make the letter of a notice, with a new link
    #[command(long_about = LETTER)]
    Letter(Mail),
    /// Remind a custodian, with a new link
    #[command(long_about = REMIND)]
    Remind(Mail),
    /// Tell the manager of a custodian
    #[command(long_about = ESCALATE)]
    Escalate(Mail),
    /// Write down that a custodian confirmed a notice
    #[command(long_about = CONFIRM)]
    Confirm(Reasoned),
    /// Call a notice back
    #[command(long_about = WITHDRAW)]
    Withdraw(Reasoned),
    /// List the notices that wait for an answer too long
    #[command(long_about = OVERDUE)]
    Overdue,
    /// Show a template, or write its next version
    #[command(long_about = TEMPLATE)]
    Template(Template),
}

#[derive(Debug, Args)]
struct Add {
    /// The hold
    hold: HoldId,
    /// What people call them
    name: String,
    /// In which language they are written to: en, pt, es, de, ar
    #[arg(long, value_name = "TAG", default_value = "en", value_parser = language_of)]
    language: NoticeLanguage,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    address: String,
    /// Seat or handle
    #[arg(long, value_name = "TEXT", default_value = "")]
    seat: String,
    /// Who is told when reminders are of no use
    #[arg(long, value_name = "NAME", default_value = "")]
    manager: String,
    /// E-mail address of the manager
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    manager_address: String,
    /// Known to counsel alone: sent nothing
    #[arg(long)]
    silent: bool,
}

#[derive(Debug, Args)]
struct Issue {
    /// The hold
    hold: HoldId,
    /// What must be kept, in words that custodians understand
    #[arg(long, value_name = "TEXT")]
    keep: String,
    /// Whom to ask
    #[arg(long, value_name = "TEXT")]
    contact: String,
    /// Only to this custodian; may be repeated
    #[arg(long, value_name = "ID")]
    custodian: Vec<CustodianId>,
    /// Days without an answer after which a reminder is due
    #[arg(long, value_name = "DAYS", default_value_t = REMIND_DAYS)]
    remind_days: u16,
}

#[derive(Debug, Args)]
struct Mail {
    /// The notice
    id: NoticeId,
    /// How browsers name the server that answers, such as https://archive.example.com
    #[arg(long, value_name = "ADDRESS", default_value = "http://127.0.0.1:8471")]
    origin: String,
    /// Write a draft for a mail program to this file
    #[arg(long, value_name = "FILE")]
    eml: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Reasoned {
    /// The notice
    id: NoticeId,
    /// How it was confirmed, or why it is called back
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Args)]
struct Template {
    /// hold, release, reminder or escalation
    #[arg(value_parser = kind_of)]
    kind: NoticeKind,
    /// en, pt, es, de or ar
    #[arg(value_parser = language_of)]
    language: NoticeLanguage,
    /// Subject of the next version
    #[arg(long, value_name = "TEXT", requires = "text")]
    subject: Option<String>,
    /// File with the text of the next version
    #[arg(long, value_name = "FILE", requires = "subject")]
    text: Option<PathBuf>,
}

fn language_of(tag: &str) -> Result<NoticeLanguage, String> {
    NoticeLanguage::from_tag(tag).ok_or_else(|| "there are en, pt, es, de and ar".to_owned())
}

fn kind_of(name: &str) -> Result<NoticeKind, String> {
    NoticeKind::from_name(name)
        .ok_or_else(|| "there are hold, release, reminder and escalation".to_owned())
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let app: &Appliance = &appliance;
    match &typed.verb {
        Verb::Add(new) => add(context, app, &session, new),
        Verb::Issue(order) => issue(context, app, &session, order),
        Verb::Letter(mail) => write(context, mail, app.make_letter(&session, mail.id)?),
        Verb::Remind(mail) => write(context, mail, app.remind_notice(&session, mail.id)?),
        Verb::Escalate(mail) => write(context, mail, app.escalate_notice(&session, mail.id)?),
        Verb::Confirm(Reasoned { id, reason }) => {
            let entry = app.confirm_notice_for(&session, *id, reason)?;
            changed(
                context,
                &id.to_string(),
                "confirmation written down",
                &entry,
            )
        }
        Verb::Withdraw(Reasoned { id, reason }) => {
            let entry = app.withdraw_notice(&session, *id, reason)?;
            changed(
                context,
                &id.to_string(),
                "called back; its link is dead",
                &entry,
            )
        }
        Verb::Overdue => {
            let zone = zone_of(app.settings())?;
            let lines = app.overdue_notices(&session)?.into_iter();
            let rows = lines.map(|line| {
                let next = match line.notice.is_for_manager() {
                    true => "escalate",
                    false => "remind",
                };
                OverdueRow {
                    notice: line.notice.id.to_string(),
                    hold: line.hold_name,
                    custodian: line.custodian.name,
                    next,
                    issued: rfc3339(line.notice.issued),
                    issued_local: in_zone(line.notice.issued, zone),
                }
            });
            listed(context, rows)
        }
        Verb::Template(wanted) => template(context, app, &session, wanted),
    }
}

fn add(context: &mut Context, app: &Appliance, session: &Session, new: &Add) -> Ended {
    let custodian = NewCustodian {
        name: new.name.clone(),
        language: new.language,
        address: new.address.clone(),
        seat: new.seat.clone(),
        manager: new.manager.clone(),
        manager_address: new.manager_address.clone(),
        silent: new.silent,
    };
    let (id, entry) = app.add_custodian(session, new.hold, &custodian)?;
    let told = match new.silent {
        true => "named; silent: nothing is ever sent to them",
        false => "named; nothing was sent yet",
    };
    changed(context, &id.to_string(), told, &entry)
}

fn issue(context: &mut Context, app: &Appliance, session: &Session, order: &Issue) -> Ended {
    let issued = app.issue_notices(
        session,
        &NoticeOrder {
            hold: order.hold,
            custodians: order.custodian.clone(),
            keep: order.keep.clone(),
            contact: order.contact.clone(),
            remind_days: order.remind_days,
        },
    )?;
    let shown = IssuedShown {
        issued: issued.issued.iter().map(ToString::to_string).collect(),
        current: issued.current,
        silent: issued.silent,
        audit: issued.audit.map(|entry| entry.seq.0),
    };
    context.printer.one(&shown, |to| {
        for id in &shown.issued {
            writeln!(to, "{id}")?;
        }
        let audit = shown.audit.map(|audit| format!("   audit #{audit}"));
        writeln!(
            to,
            "✓ {} issued · {} had these words · {} silent{}",
            shown.issued.len(),
            shown.current,
            shown.silent,
            audit.unwrap_or_default()
        )
    })?;
    Ok(Exit::Done)
}

/// Prints a letter, or writes it as a draft for a mail program.
fn write(context: &mut Context, mail: &Mail, made: (Letter, Appended)) -> Ended {
    let (letter, entry) = made;
    let origin = mail.origin.trim_end_matches('/');
    if let Some(path) = &mail.eml {
        write_secret(path, &letter.eml(origin))?;
        let told = format!("letter written to {}", path.display());
        return changed(context, &mail.id.to_string(), &told, &entry);
    }
    let shown = LetterShown {
        to: &letter.to,
        address: &letter.address,
        subject: &letter.subject,
        text: letter.text(origin),
        link: letter.link(origin),
        audit: entry.seq.0,
    };
    context.printer.one(&shown, |to| {
        writeln!(to, "To: {} {}", line(shown.to), line(shown.address))?;
        writeln!(to, "Subject: {}\n", line(shown.subject))?;
        for row in shown.text.lines() {
            writeln!(to, "{}", line(row))?;
        }
        Ok(())
    })?;
    context.say(&format!("audit #{}", shown.audit));
    Ok(Exit::Done)
}

fn template(context: &mut Context, app: &Appliance, session: &Session, wanted: &Template) -> Ended {
    if let (Some(subject), Some(text)) = (&wanted.subject, &wanted.text) {
        let body = read_text(text, TEXT_BYTES_MAX)?;
        let (version, entry) =
            app.write_notice_template(session, wanted.kind, wanted.language, subject, &body)?;
        let name = format!("{} {}", wanted.kind.name(), wanted.language.tag());
        return changed(context, &name, &format!("has version {version}"), &entry);
    }
    let templates = app.notice_templates(session)?;
    let found = templates
        .iter()
        .find(|one| one.kind == wanted.kind && one.language == wanted.language);
    let Some(found) = found else {
        return Ok(Exit::NotFound);
    };
    let shown = TemplateShown {
        kind: found.kind.name(),
        language: found.language.tag(),
        version: found.version,
        subject: &found.subject,
        body: &found.body,
        text: &found.hash,
    };
    context.printer.one(&shown, |to| {
        writeln!(
            to,
            "version {}\nSubject: {}\n",
            shown.version,
            line(shown.subject)
        )?;
        shown
            .body
            .lines()
            .try_for_each(|row| writeln!(to, "{}", line(row)))
    })?;
    Ok(Exit::Done)
}

/// How the notices of a hold stand: `wordkeep hold notices`.
pub(super) fn report(
    context: &mut Context,
    app: &Appliance,
    session: &Session,
    hold: HoldId,
) -> Ended {
    let zone = zone_of(app.settings())?;
    let report = app.notice_report(session, hold)?;
    let local = |at| in_zone(at, zone);
    let rows: Vec<CustodianRow> = report
        .custodians
        .iter()
        .map(|line| CustodianRow::of(line, &local))
        .collect();
    context.printer.list(&rows)?;
    context.say(&told(&report));
    Ok(Exit::Done)
}

fn told(report: &NoticeReport) -> String {
    format!(
        "{}: {} confirmed · {} pending · {} overdue",
        line(&report.hold_name),
        report.count(NoticeStanding::Acknowledged),
        report.count(NoticeStanding::Pending),
        report.count(NoticeStanding::Overdue)
    )
}

#[derive(Serialize)]
struct IssuedShown {
    issued: Vec<String>,
    current: usize,
    silent: usize,
    audit: Option<u64>,
}

#[derive(Serialize)]
struct LetterShown<'a> {
    to: &'a str,
    address: &'a str,
    subject: &'a str,
    text: String,
    link: Option<String>,
    audit: u64,
}

#[derive(Serialize)]
struct TemplateShown<'a> {
    kind: &'a str,
    language: &'a str,
    version: u32,
    subject: &'a str,
    body: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct OverdueRow {
    notice: String,
    hold: String,
    custodian: String,
    next: &'static str,
    issued: String,
    #[serde(skip)]
    issued_local: String,
}

impl Row for OverdueRow {
    const HEADINGS: &'static [&'static str] = &["NOTICE", "NEXT", "SENT", "HOLD", "CUSTODIAN"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.notice.clone(),
            self.next.to_owned(),
            self.issued_local.clone(),
            self.hold.clone(),
            self.custodian.clone(),
        ]
    }
}

#[derive(Serialize)]
struct CustodianRow {
    custodian: String,
    name: String,
    language: &'static str,
    silent: bool,
    seat: String,
    notice: Option<String>,
    version: Option<u32>,
    /// Digest of the words that were sent.
    text: Option<String>,
    state: &'static str,
    sent: Option<String>,
    acknowledged: Option<String>,
    /// Who wrote it down; absent when the custodian confirmed it.
    acknowledged_by: Option<String>,
    reason: Option<String>,
    reminded: Option<String>,
    escalated: Option<String>,
    #[serde(skip)]
    shown: [String; 4],
}

impl CustodianRow {
    fn of(line: &CustodianLine, local: &dyn Fn(crate::domain::Timestamp) -> String) -> Self {
        let current = line.current();
        let last = |kind| {
            current
                .and_then(|notice| notice.last(kind))
                .map(|act| act.at)
        };
        let answer = current.and_then(NoticeLine::answer);
        let (reminded, escalated) = (
            last(NoticeActKind::Reminded),
            last(NoticeActKind::Escalated),
        );
        let show = |at: Option<crate::domain::Timestamp>| at.map_or_else(|| "-".to_owned(), local);
        let shown = [
            show(current.map(|notice| notice.issued)),
            show(answer.map(|act| act.at)),
            show(reminded),
            show(escalated),
        ];
        CustodianRow {
            custodian: line.id.to_string(),
            name: line.name.clone(),
            language: line.language.tag(),
            silent: line.silent,
            seat: line.seat.clone(),
            notice: current.map(|notice| notice.id.to_string()),
            version: current.map(|notice| notice.text.version),
            text: current.map(|notice| notice.text.hash.clone()),
            state: match current {
                _ if line.silent => "silent",
                None => "none",
                Some(notice) => notice.standing.name(),
            },
            sent: current.map(|notice| rfc3339(notice.issued)),
            acknowledged: answer.map(|act| rfc3339(act.at)),
            acknowledged_by: answer.and_then(|act| act.by.clone()),
            reason: answer
                .map(|act| act.reason.clone())
                .filter(|reason| !reason.is_empty()),
            reminded: reminded.map(rfc3339),
            escalated: escalated.map(rfc3339),
            shown,
        }
    }
}

impl Row for CustodianRow {
    const HEADINGS: &'static [&'static str] = &[
        "NOTICE",
        "TEXT",
        "STATE",
        "SENT",
        "CONFIRMED",
        "REMINDED",
        "ESCALATED",
        "CUSTODIAN",
    ];
    fn cells(&self) -> Vec<String> {
        let [sent, confirmed, reminded, escalated] = self.shown.clone();
        let version = self
            .version
            .map(|version| format!("v{version} {}", self.language));
        vec![
            self.notice.clone().unwrap_or_else(|| "-".to_owned()),
            version.unwrap_or_else(|| "-".to_owned()),
            self.state.to_owned(),
            sent,
            confirmed,
            reminded,
            escalated,
            self.name.clone(),
        ]
    }
}
