//! `wordkeep conv`: conversations and what was said in them.

use std::io::{self, Write};

use chrono::TimeZone;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::listed::listed;
use crate::app::{
    ConversationLine, ConversationRequest, ConversationSlice, SLICE_MESSAGES_MAX, ShownMessage,
};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, line, lines, rfc3339, thousands};
use crate::cli::printer::{Row, Shape};
use crate::domain::{AttachmentState, ConversationId, MessageId, Presence};

const AFTER: &str = "Examples:
  $ wordkeep conv list
  $ wordkeep conv show cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE --from 2024-02-01 --to 2024-03-01";
const LIST: &str = "List the conversations you may see

Examples:
  $ wordkeep conv list
  $ wordkeep conv list --plain | cut -f 1,6

The latest first.";
const SHOW: &str = "Show a slice of a conversation

Examples:
  $ wordkeep conv show cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep conv show cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE --around msg_01JD2V7Q4M8W3K5T9R6X0ZB1CF
  $ wordkeep conv show cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE --from 2024-02-01 --to 2024-03-01 --jsonl

What was edited is shown with what it said before. A time with ~ comes from a source that named no
zone. The showing is written to the audit log first.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the conversations you may see
    #[command(long_about = LIST)]
    List,
    /// Show a slice of a conversation
    #[command(long_about = SHOW)]
    Show(Show),
}

#[derive(Debug, Args)]
struct Show {
    /// Id of the conversation
    id: ConversationId,
    /// The message to stand in the middle
    #[arg(long, value_name = "MSG", conflicts_with_all = ["from", "to"])]
    around: Option<MessageId>,
    /// From this day or time on
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this day or time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Show what a request for erasure restricted, too: for lawyers and records officers
    #[arg(long)]
    restricted: bool,
    /// Messages at most, on each side of --around or in all
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(SLICE_MESSAGES_MAX)))]
    limit: u32,
    /// Zone of the times, such as Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    id: String,
    title: String,
    app: &'static str,
    messages: u64,
    first: Option<String>,
    last: Option<String>,
    participants: Vec<String>,
    #[serde(skip)]
    last_local: String,
}

impl Listed {
    fn of(shown: &ConversationLine, zone: chrono_tz::Tz) -> Listed {
        Listed {
            id: shown.id.to_string(),
            title: shown.title.clone(),
            app: shown.app.name(),
            messages: shown.messages,
            first: shown.first.map(rfc3339),
            last: shown.last.map(rfc3339),
            participants: shown.participants.clone(),
            last_local: shown
                .last
                .map(|last| in_zone(last, zone))
                .unwrap_or_default(),
        }
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] =
        &["CONVERSATION", "APP", "MESSAGES", "LAST", "PEOPLE", "TITLE"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.app.to_owned(),
            self.messages.to_string(),
            self.last_local.clone(),
            self.participants.len().to_string(),
            self.title.clone(),
        ]
    }
}

#[derive(Serialize)]
struct Message {
    id: String,
    sent: String,
    local: String,
    time_assumed: bool,
    sender: Option<String>,
    body: String,
    edited: bool,
    deleted: bool,
    earlier: Vec<String>,
    attachments: Vec<(String, &'static str)>,
}

impl From<&ShownMessage> for Message {
    fn from(shown: &ShownMessage) -> Self {
        Message {
            id: shown.id.to_string(),
            sent: rfc3339(shown.sent),
            local: shown.local.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            time_assumed: is_assumed(shown),
            sender: shown.sender.clone(),
            body: shown.body.clone(),
            edited: shown.presence.has(Presence::EDITED),
            deleted: shown.presence.has(Presence::DELETED),
            earlier: shown.earlier.clone(),
            attachments: shown
                .attachments
                .iter()
                .map(|one| (one.name.clone(), state_name(&one.state)))
                .collect(),
        }
    }
}

fn is_assumed(shown: &ShownMessage) -> bool {
    shown.presence.has(Presence::ZONE_ASSUMED) || shown.presence.has(Presence::TIME_ASSUMED)
}

fn state_name(state: &AttachmentState) -> &'static str {
    match state {
        AttachmentState::Present { .. } => "kept",
        AttachmentState::Failed(_) => "unreadable",
        _ => "not in the export",
    }
}

#[derive(Serialize)]
struct Slice {
    conversation: Listed,
    zone: String,
    messages: Vec<Message>,
    more_before: bool,
    more_after: bool,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    match typed.verb {
        Verb::List => list(context),
        Verb::Show(typed) => show(context, typed),
    }
}

fn list(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let found = appliance.conversations(&session)?;
    let rows = found.iter().map(|one| Listed::of(one, zone));
    listed(context, rows)
}

fn show(context: &mut Context, typed: Show) -> Ended {
    context.set_zone(typed.tz.clone());
    let zone = zone_of(&context.settings()?)?;
    let read = |text: &Option<String>| text.as_deref().map(|text| instant(text, zone)).transpose();
    let request = ConversationRequest {
        id: typed.id,
        around: typed.around,
        since: read(&typed.from)?,
        until: read(&typed.to)?,
        limit: typed.limit,
        zone: typed.tz.clone(),
    };
    let (appliance, mut session) = context.open_session()?;
    session.restricted = typed.restricted;
    let slice = appliance.conversation(&session, &request)?;
    match context.printer.shape() {
        Shape::JsonLines => {
            for message in &slice.messages {
                context.printer.one(&Message::from(message), |_| Ok(()))?;
            }
        }
        Shape::Plain => {
            for shown in &slice.messages {
                let sender = line(shown.sender.as_deref().unwrap_or_default());
                let (id, sent, body) = (shown.id, rfc3339(shown.sent), line(&shown.body));
                writeln!(context.printer.sink(), "{id}\t{sent}\t{sender}\t{body}")?;
            }
        }
        Shape::Json | Shape::Human => {
            let wire = Slice {
                conversation: Listed::of(&slice.conversation, slice.zone),
                zone: slice.zone.name().to_owned(),
                messages: slice.messages.iter().map(Message::from).collect(),
                more_before: slice.more_before,
                more_after: slice.more_after,
                audit: slice.audit.0,
            };
            context.printer.one(&wire, |to| write_slice(to, &slice))?;
        }
    }
    context.printer.flush()?;
    context.say(&format!("audit #{}", slice.audit.0));
    Ok(Exit::Done)
}

/// The slice as people read it.
pub(super) fn write_slice(to: &mut dyn Write, slice: &ConversationSlice) -> io::Result<()> {
    let head = &slice.conversation;
    let people: Vec<String> = head.participants.iter().map(|name| line(name)).collect();
    writeln!(
        to,
        "{}  {}  {}",
        line(&head.title),
        head.app.name(),
        head.id
    )?;
    let (count, zone) = (thousands(head.messages), slice.zone.name());
    writeln!(
        to,
        "{count} messages · {} · times in {zone}",
        people.join(", ")
    )?;
    if slice.more_before {
        writeln!(to, "... earlier messages")?;
    }
    let mut day = None;
    for shown in &slice.messages {
        if day != Some(shown.local.date()) {
            day = Some(shown.local.date());
            writeln!(to, "\n{}", shown.local.format("%A %Y-%m-%d"))?;
        }
        write_message(to, shown, slice.zone)?;
    }
    if slice.more_after {
        writeln!(to, "... later messages")?;
    }
    Ok(())
}

fn write_message(to: &mut dyn Write, shown: &ShownMessage, zone: chrono_tz::Tz) -> io::Result<()> {
    let mark = if is_assumed(shown) { "~" } else { "" };
    let instant = chrono::DateTime::from_timestamp_micros(shown.sent.0).unwrap_or_default();
    let offset = zone
        .from_utc_datetime(&instant.naive_utc())
        .format("%:z")
        .to_string();
    let sender = line(shown.sender.as_deref().unwrap_or("(notice)"));
    let mut facts = String::new();
    for (fact, text) in [
        (Presence::EDITED, " [edited]"),
        (Presence::DELETED, " [deleted]"),
    ] {
        if shown.presence.has(fact) {
            facts.push_str(text);
        }
    }
    let time = shown.local.format("%H:%M:%S");
    writeln!(to, "{mark}{time} {offset}  {sender}{facts}  {}", shown.id)?;
    for text in lines(&shown.body).lines() {
        writeln!(to, "    {text}")?;
    }
    for earlier in &shown.earlier {
        writeln!(to, "    before: {}", line(earlier))?;
    }
    for one in &shown.attachments {
        writeln!(
            to,
            "    file: {} ({})",
            line(&one.name),
            state_name(&one.state)
        )?;
    }
    Ok(())
}
