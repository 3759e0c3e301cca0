//! `wordkeep label`: make labels, put them on records, take them off.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::LabelOn;
use crate::cli::context::Context;
use crate::cli::printable::rfc3339;
use crate::cli::printer::Row;
use crate::domain::{ConversationId, MessageId};

const AFTER: &str = "Examples:
  $ wordkeep label create Contract
  $ wordkeep label add Contract --conversation cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep label list";
const CREATE: &str = "Make a label

Examples:
  $ wordkeep label create Contract

Policies may apply to the records that carry a label; they then stand before all others.";
const ADD: &str = "Put a label on a message or a conversation

Examples:
  $ wordkeep label add Contract --message msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE

It takes the place of the label they carry. A label on a message stands before that of its
conversation.";
const REMOVE: &str = "Take the label off a message or a conversation

Examples:
  $ wordkeep label remove --conversation cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"not a contract\"

What a compliance lock earned under the label stays.";
const LIST: &str = "List the labels with how much carries them

Examples:
  $ wordkeep label list";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a label
    #[command(long_about = CREATE)]
    Create {
        /// What people call it
        name: String,
    },
    /// Put a label on records
    #[command(long_about = ADD)]
    Add {
        /// Name or id of the label
        label: String,
        #[command(flatten)]
        on: On,
        /// On a message that a request for erasure restricted, too: for records officers, with a reason
        #[arg(long, requires = "reason")]
        restricted: bool,
        /// Why, where it is restricted
        #[arg(long, value_name = "TEXT", requires = "restricted")]
        reason: Option<String>,
    },
    /// Take the label off records
    #[command(long_about = REMOVE)]
    Remove {
        #[command(flatten)]
        on: On,
        /// From a message that a request for erasure restricted, too: for records officers
        #[arg(long)]
        restricted: bool,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the labels
    #[command(long_about = LIST)]
    List,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct On {
    /// A message
    #[arg(long, value_name = "ID")]
    message: Option<MessageId>,
    /// A conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<ConversationId>,
}

impl On {
    /// The one that was given; the group of flags takes care of exactly one.
    fn target(&self) -> LabelOn {
        match (self.message, self.conversation) {
            (Some(id), _) => LabelOn::Message(id),
            (_, id) => LabelOn::Conversation(id.unwrap_or(ConversationId(0))),
        }
    }
}

#[derive(Serialize)]
struct LabelRow {
    id: String,
    name: String,
    created: String,
    messages: u64,
    conversations: u64,
}

impl Row for LabelRow {
    const HEADINGS: &'static [&'static str] = &["LABEL", "MESSAGES", "CONVERSATIONS", "NAME"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.messages.to_string(),
            self.conversations.to_string(),
            self.name.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, mut session) = context.open_session()?;
    match &typed.verb {
        Verb::Create { name } => {
            let (id, entry) = appliance.create_label(&session, name)?;
            changed(context, &id.to_string(), "made", &entry)
        }
        Verb::Add {
            label, on, reason, ..
        } => {
            let on = on.target();
            if let Some(reason) = reason {
                session = appliance.look_at_restricted(&session, &on.to_string(), reason)?;
            }
            let entry = appliance.apply_label(&session, label, on)?;
            let told = format!("carries the label {label}");
            changed(context, &on.to_string(), &told, &entry)
        }
        Verb::Remove {
            on,
            restricted,
            reason,
        } => {
            let on = on.target();
            if *restricted {
                session = appliance.look_at_restricted(&session, &on.to_string(), reason)?;
            }
            let entry = appliance.remove_label(&session, on, reason)?;
            changed(
                context,
                &on.to_string(),
                "carries no label of its own",
                &entry,
            )
        }
        Verb::List => {
            let labels = appliance.labels(&session)?.into_iter();
            let rows = labels.map(|label| LabelRow {
                id: label.id.to_string(),
                name: label.name,
                created: rfc3339(label.created),
                messages: label.messages,
                conversations: label.conversations,
            });
            listed(context, rows)
        }
    }
}
