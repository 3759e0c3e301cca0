//! `wordkeep token`: tokens for programs.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use crate::app::{ApiTokenLine, NewApiToken};
use crate::auth::TOKEN_DAYS_MAX;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::cli::printer::Row;
use crate::domain::{ApiScope, TokenId};

/// Days a token lives unless said otherwise.
const DAYS_DEFAULT: u32 = 90;

const AFTER: &str = "Examples:
  $ wordkeep token create --name \"monthly report\" --scope search:read --days 365
  $ wordkeep token list
  $ wordkeep token revoke tok_01JD2V7Q4M8W3K5T9R6X0ZB1CE";
const CREATE: &str = "Make a token for a program

Examples:
  $ wordkeep token create --name \"monthly report\" --scope search:read --days 365
  $ wordkeep token create --name uploader --scope import:write --output uploader.token

The token is printed once and kept nowhere. It acts in your name and does what its scopes name and
you may, never more. It ends with its days, and at once with your password, your role or your access.";
const LIST: &str = "List your tokens

Examples:
  $ wordkeep token list
  $ wordkeep token list --json";
const REVOKE: &str = "End a token

Examples:
  $ wordkeep token revoke tok_01JD2V7Q4M8W3K5T9R6X0ZB1CE

At once: the next request with it is refused.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token
    #[command(long_about = CREATE)]
    Create {
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        name: String,
        /// What it may do; may be repeated
        #[arg(long, value_name = "SCOPE", required = true, value_parser = scope_parser())]
        scope: Vec<ApiScope>,
        /// Days until it ends, at most 365
        #[arg(long, value_name = "N", default_value_t = DAYS_DEFAULT,
              value_parser = clap::value_parser!(u32).range(1..=i64::from(TOKEN_DAYS_MAX)))]
        days: u32,
    },
    /// List your tokens
    #[command(long_about = LIST)]
    List,
    /// End a token
    #[command(long_about = REVOKE)]
    Revoke {
        /// Its id
        id: TokenId,
    },
}

fn scope_parser() -> impl TypedValueParser<Value = ApiScope> {
    PossibleValuesParser::new(ApiScope::ALL.map(ApiScope::name))
        .try_map(|name| name.parse::<ApiScope>())
}

#[derive(Serialize)]
struct Made {
    token: String,
    #[serde(flatten)]
    about: TokenLine,
    audit: u64,
}

#[derive(Serialize)]
struct TokenLine {
    id: String,
    name: String,
    scopes: Vec<&'static str>,
    created: String,
    expires: String,
    last_used: Option<String>,
    #[serde(skip)]
    local: [String; 2],
}

impl Row for TokenLine {
    const HEADINGS: &'static [&'static str] = &["NAME", "SCOPES", "ENDS", "LAST USED", "ID"];
    fn cells(&self) -> Vec<String> {
        let [ends, used] = self.local.clone();
        vec![
            line(&self.name),
            self.scopes.join(" "),
            ends,
            used,
            self.id.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let shown = |token: ApiTokenLine| TokenLine {
        id: token.id.to_string(),
        scopes: token.scopes.iter().map(|scope| scope.name()).collect(),
        created: rfc3339(token.created),
        expires: rfc3339(token.expires),
        last_used: token.last_used.map(rfc3339),
        local: [
            in_zone(token.expires, zone),
            token
                .last_used
                .map_or_else(|| "never".to_owned(), |used| in_zone(used, zone)),
        ],
        name: token.name,
    };
    match &typed.verb {
        Verb::Create { name, scope, days } => {
            let new = NewApiToken {
                name: name.clone(),
                scopes: scope.clone(),
                days: *days,
            };
            let (token, about, entry) = appliance.create_api_token(&session, &new)?;
            let made = Made {
                token: token.to_string(),
                about: shown(about),
                audit: entry.seq.0,
            };
            context
                .printer
                .one(&made, |to| writeln!(to, "{}", made.token))?;
            context.say(&format!(
                "{} ends {}; it is shown this once   audit #{}",
                made.about.id, made.about.local[0], made.audit
            ));
            Ok(Exit::Done)
        }
        Verb::List => {
            let tokens = appliance.api_tokens(&session)?;
            let rows: Vec<TokenLine> = tokens.into_iter().map(shown).collect();
            context.printer.list(&rows)?;
            Ok(Exit::Done)
        }
        Verb::Revoke { id } => {
            let entry = appliance.revoke_api_token(&session, *id)?;
            changed(context, &id.to_string(), "is revoked", &entry)
        }
    }
}
