//! `wordkeep erasure`: requests of people that their data be erased, item by item.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::{
    AppError, NewRequest, RequestAct, RequestCounts, RequestDecision, RequestItem, RequestLine,
};
use crate::cli::context::{Context, zone_of};
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, line, rfc3339, thousands};
use crate::cli::printer::Row;
use crate::domain::{Ground, MessageId, RequestId};

const AFTER: &str = "Examples:
  $ wordkeep erasure add --person \"João Nunes\" --reason \"his letter of 3 March\"
  $ wordkeep erasure show ers_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep erasure list";
const ADD: &str = "Record a person's request that their data be erased

Examples:
  $ wordkeep erasure add --person \"João Nunes\" --received 2026-03-03 --reason \"his letter\"
  $ wordkeep erasure add --message msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"names her child\"

Everything the person wrote is on it, and each message stands in one way from then on. What nothing
keeps goes with the next list (wordkeep dispose plan), through approvals and recall like all others. What
a hold or a duty to keep protects is restricted: hidden from ordinary search, shown with --restricted to
lawyers and records officers, and on its way again by itself when the hold or the duty ends. The person
is to be answered within a month.";
const LIST: &str = "List the requests, with how their messages stand

Examples:
  $ wordkeep erasure list";
const SHOW: &str = "Show a request, message by message

Examples:
  $ wordkeep erasure show ers_01JD2V7Q4M8W3K5T9R6X0ZB1CE";
const DECIDE: &str = "Decide on messages of a request

Examples:
  $ wordkeep erasure decide ers_01JD2V7Q4M8W3K5T9R6X0ZB1CE --act refuse --ground b --reason \"tax law\"
  $ wordkeep erasure decide ers_01JD2V7Q4M8W3K5T9R6X0ZB1CE --act resume --reason \"claim settled\"

refuse: they stay as they were. restrict: they stay and are hidden. resume: the rules decide again. The
ground is b (art. 17(3)(b), a legal obligation) or e (art. 17(3)(e), legal claims). Without --message it
is about all that are not gone yet.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct AddTyped {
    /// Who asks, by name, handle or id; may be repeated
    #[arg(long, value_name = "NAME")]
    person: Vec<String>,
    /// A further message it is about; may be repeated
    #[arg(long, value_name = "MSG")]
    message: Vec<MessageId>,
    /// When they asked, where not today
    #[arg(long, value_name = "DATE")]
    received: Option<String>,
    /// Reference of the letter
    #[arg(long, value_name = "TEXT", default_value = "")]
    reference: String,
    /// What they ask for
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Args)]
struct DecideTyped {
    /// The request
    id: RequestId,
    /// What is decided
    #[arg(long)]
    act: ActTyped,
    /// On which ground they stay
    #[arg(long)]
    ground: Option<GroundTyped>,
    /// A message it is about; may be repeated
    #[arg(long, value_name = "MSG")]
    message: Vec<MessageId>,
    /// When to look again
    #[arg(long, value_name = "DATE")]
    review: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ActTyped {
    Refuse,
    Restrict,
    Resume,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroundTyped {
    B,
    E,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Record a request
    #[command(long_about = ADD)]
    Add(AddTyped),
    /// List the requests
    #[command(long_about = LIST)]
    List,
    /// Show a request, message by message
    #[command(long_about = SHOW)]
    Show {
        /// The request
        id: RequestId,
    },
    /// Decide on messages of a request
    #[command(long_about = DECIDE)]
    Decide(DecideTyped),
}

#[derive(Serialize)]
struct RequestShown {
    id: String,
    who: String,
    reference: String,
    received: String,
    answer_by: String,
    due: u64,
    erased: u64,
    restricted: u64,
    refused: u64,
    review: Option<String>,
    #[serde(skip)]
    answer_local: String,
}

impl RequestShown {
    fn of(request: &RequestLine, zone: chrono_tz::Tz) -> RequestShown {
        let RequestCounts {
            due,
            erased,
            restricted,
            refused,
        } = request.counts;
        RequestShown {
            id: request.id.to_string(),
            who: request.who.clone(),
            reference: request.reference.clone(),
            received: rfc3339(request.received),
            answer_by: rfc3339(request.answer_by),
            due,
            erased,
            restricted,
            refused,
            review: request.review.map(rfc3339),
            answer_local: in_zone(request.answer_by, zone),
        }
    }
}

impl Row for RequestShown {
    const HEADINGS: &'static [&'static str] = &[
        "REQUEST",
        "WHO",
        "ANSWER BY",
        "DUE",
        "ERASED",
        "RESTRICTED",
        "REFUSED",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.who.clone(),
            self.answer_local.clone(),
            thousands(self.due),
            thousands(self.erased),
            thousands(self.restricted),
            thousands(self.refused),
        ]
    }
}

#[derive(Serialize)]
struct ItemShown {
    message: Option<String>,
    outcome: &'static str,
    ground: Option<&'static str>,
    review: Option<String>,
    since: String,
    reason: String,
    #[serde(skip)]
    review_local: String,
}

impl ItemShown {
    fn of(item: &RequestItem, zone: chrono_tz::Tz) -> ItemShown {
        ItemShown {
            message: item.message.map(|id| id.to_string()),
            outcome: item.outcome.name(),
            ground: item.ground.map(Ground::article),
            review: item.review.map(rfc3339),
            since: rfc3339(item.decided),
            reason: item.reason.clone(),
            review_local: item
                .review
                .map_or_else(|| "-".to_owned(), |at| in_zone(at, zone)),
        }
    }
}

impl Row for ItemShown {
    const HEADINGS: &'static [&'static str] =
        &["MESSAGE", "OUTCOME", "GROUND", "LOOK AGAIN", "REASON"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.message.clone().unwrap_or_else(|| "(gone)".to_owned()),
            self.outcome.to_owned(),
            self.ground.unwrap_or("-").to_owned(),
            self.review_local.clone(),
            self.reason.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    match &typed.verb {
        Verb::Add(typed) => {
            let received = match &typed.received {
                Some(text) => Some(instant(text, zone)?),
                None => None,
            };
            if typed.person.is_empty() && typed.message.is_empty() {
                return Err(AppError::Usage(
                    "say who asks, with --person, or which messages, with --message".to_owned(),
                )
                .into());
            }
            let new = NewRequest {
                people: typed.person.clone(),
                messages: typed.message.clone(),
                received,
                reference: typed.reference.clone(),
                reason: typed.reason.clone(),
            };
            let (request, entry) = appliance.add_request(&session, &new)?;
            let told = format!(
                "recorded: {}; answer by {}",
                told_of(request.counts),
                in_zone(request.answer_by, zone)
            );
            changed(context, &request.id.to_string(), &told, &entry)
        }
        Verb::List => {
            let requests = appliance.requests(&session)?;
            let rows = requests
                .iter()
                .map(|request| RequestShown::of(request, zone));
            listed(context, rows)
        }
        Verb::Show { id } => {
            let (request, items) = appliance.show_request(&session, *id)?;
            let counts = told_of(request.counts);
            context.say(&format!("{}: {counts}", line(&request.who)));
            let rows = items.iter().map(|item| ItemShown::of(item, zone));
            listed(context, rows)
        }
        Verb::Decide(typed) => {
            let review = match &typed.review {
                Some(text) => Some(instant(text, zone)?),
                None => None,
            };
            let decision = RequestDecision {
                act: act_of(typed)?,
                messages: typed.message.clone(),
                review,
                reason: typed.reason.clone(),
            };
            let (request, entry) = appliance.decide_request(&session, typed.id, &decision)?;
            let told = format!("stands: {}", told_of(request.counts));
            changed(context, &request.id.to_string(), &told, &entry)
        }
    }
}

fn act_of(typed: &DecideTyped) -> Result<RequestAct, AppError> {
    let ground = match typed.ground {
        Some(GroundTyped::B) => Some(Ground::LegalObligation),
        Some(GroundTyped::E) => Some(Ground::LegalClaims(None)),
        None => None,
    };
    match (typed.act, ground) {
        (ActTyped::Refuse, Some(ground)) => Ok(RequestAct::Refuse(ground)),
        (ActTyped::Restrict, Some(ground)) => Ok(RequestAct::Restrict(ground)),
        (ActTyped::Resume, None) => Ok(RequestAct::Resume),
        (ActTyped::Resume, Some(_)) => Err(AppError::Usage(
            "a ground is given for what stays: leave --ground out to resume".to_owned(),
        )),
        (_, None) => Err(AppError::Usage(
            "say on which ground they stay: --ground b (legal obligation) or e (legal claims)"
                .to_owned(),
        )),
    }
}

fn told_of(counts: RequestCounts) -> String {
    let parts = [
        (counts.due, "due"),
        (counts.erased, "erased"),
        (counts.restricted, "restricted"),
        (counts.refused, "refused"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", thousands(*count)))
        .collect();
    told.join(", ")
}
