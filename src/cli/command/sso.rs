//! `wordkeep sso`: the provider of single sign-on, configured, shown, tried and taken away.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use crate::app::{Appliance, NewProvider, ProviderCheck, ProviderLine, Session, read_text};
use crate::auth::sso::{RoleMap, SsoConfig};
use crate::auth::{AuthError, SsoRefusal};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::cli::secrets::first_line;
use crate::domain::Role;

/// Longest file of authorities, in bytes.
const AUTHORITY_BYTES_MAX: u64 = 256 << 10;

const AFTER: &str = "Examples:
  $ wordkeep sso set --issuer https://id.example/realms/house --client-id wordkeep \\
      --client-secret-file secret.txt --map legal=lawyer --map records=records-officer
  $ wordkeep sso test
  $ wordkeep sso show";
const SET: &str = "Configure the provider, in the place of the one before

Examples:
  $ wordkeep sso set --issuer https://id.example --client-id wordkeep --map legal=lawyer
  $ wordkeep sso set --issuer https://id.example --client-id wordkeep --map legal=lawyer \\
      --claim realm_access.roles --client-secret-file secret.txt --only --break-glass ana

Register the address of the archive with /sso/callback behind it at the provider. Groups are read from
the claim; the first --map that fits gives the role, at every sign-in anew. Who has no such group is not
let in, and whoever comes first with one becomes a user. With --only passwords are refused, but for one
administrator (--break-glass, or whoever runs this), and what people are logged in with ends.";
const SHOW: &str = "Show the provider

Examples:
  $ wordkeep sso show
  $ wordkeep sso show --json

The secret is not shown.";
const TEST: &str = "Ask the provider about itself and for its keys

Examples:
  $ wordkeep sso test

Says what is wrong. Whether the groups of a person arrive is tried in a browser: Users, Single sign-on,
Test.";
const REMOVE: &str = "Take the provider away

Examples:
  $ wordkeep sso remove

Passwords are taken again, and the sessions it vouched for end. Users stay; an administrator gives those
who never had a password one with: wordkeep user reset-password.";
const BIND: &str = "Bind a user to somebody at the provider

Examples:
  $ wordkeep sso bind lea --subject 248289761001

For users who were there before the provider: who comes with this subject (the claim \"sub\") is that user
from the next sign-in on. A name or an address alone never is.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Configure the provider
    #[command(long_about = SET)]
    Set(Box<Set>),
    /// Show the provider
    #[command(long_about = SHOW)]
    Show,
    /// Ask the provider about itself and for its keys
    #[command(long_about = TEST)]
    Test,
    /// Take the provider away
    #[command(long_about = REMOVE)]
    Remove,
    /// Bind a user to somebody at the provider
    #[command(long_about = BIND)]
    Bind {
        /// Log-in name
        login: String,
        /// Their subject at the provider
        #[arg(long, value_name = "SUB")]
        subject: String,
    },
}

#[derive(Debug, Args)]
struct Set {
    /// Address of the issuer, word for word as the provider says it
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// How the provider knows this archive
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Read the client secret from the first line of a file (- for standard input)
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Claim that lists the groups
    #[arg(long, value_name = "NAME", default_value = "groups")]
    claim: String,
    /// A group and the role it gives; may be repeated, the first that fits counts
    #[arg(long, value_name = "GROUP=ROLE", value_parser = mapped)]
    map: Vec<(String, Role)>,
    /// Address under which people open the archive, where a proxy stands before it
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    /// PEM of an authority of the house that vouches for the provider
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Refuse passwords, but of the emergency administrator
    #[arg(long)]
    only: bool,
    /// The emergency administrator; without it whoever runs this
    #[arg(long, value_name = "LOGIN", requires = "only")]
    break_glass: Option<String>,
}

fn mapped(text: &str) -> Result<(String, Role), String> {
    let (group, name) = text.rsplit_once('=').ok_or("write GROUP=ROLE")?;
    let roles = || Role::ALL.map(Role::name).join(", ");
    match Role::from_name(name) {
        Some(role) if !group.is_empty() => Ok((group.to_owned(), role)),
        Some(_) => Err("write GROUP=ROLE".to_owned()),
        None => Err(format!("the role is one of: {}", roles())),
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    match &typed.verb {
        Verb::Set(typed) => set(context, &appliance, &session, typed),
        Verb::Show => show(context, &appliance, &session),
        Verb::Test => test(context, &appliance, &session),
        Verb::Remove => {
            let entry = appliance.remove_provider(&session)?;
            changed(context, "single sign-on", "has no provider", &entry)
        }
        Verb::Bind { login, subject } => {
            let entry = appliance.bind_user(&session, login, subject)?;
            changed(context, login, "is bound to the provider", &entry)
        }
    }
}

fn set(context: &mut Context, appliance: &Appliance, session: &Session, typed: &Set) -> Ended {
    let secret = typed.client_secret_file.as_deref().map(first_line);
    let authority = typed.ca_file.as_deref();
    let authority = authority.map(|file| read_text(file, AUTHORITY_BYTES_MAX));
    let new = NewProvider {
        config: SsoConfig {
            issuer: typed.issuer.clone(),
            client_id: typed.client_id.clone(),
            secret: secret.transpose()?,
            claim: typed.claim.clone(),
            address: typed.address.clone(),
            authority: authority.transpose()?,
            map: RoleMap(typed.map.clone()),
        },
        only: typed.only,
        break_glass: typed.break_glass.clone(),
    };
    let entry = appliance.set_provider(session, &new)?;
    if typed.map.is_empty() {
        context.warn("no group gives a role: nobody new is let in; name some with --map");
    }
    changed(context, &new.config.host(), "is the provider", &entry)
}

#[derive(Serialize)]
struct Shown {
    issuer: String,
    client_id: String,
    has_secret: bool,
    claim: String,
    address: Option<String>,
    has_authority: bool,
    map: Vec<Mapped>,
    only: bool,
    break_glass: Option<String>,
    bound: u64,
    changed: String,
}

#[derive(Serialize)]
struct Mapped {
    group: String,
    role: &'static str,
}

fn show(context: &mut Context, appliance: &Appliance, session: &Session) -> Ended {
    let provider = appliance.provider_line(session)?;
    let provider = provider.ok_or(AuthError::Sso(SsoRefusal::NotConfigured))?;
    let zone = zone_of(appliance.settings())?;
    let since = in_zone(provider.changed, zone);
    let shown = shown(provider);
    context.printer.one(&shown, |to| {
        writeln!(to, "issuer     {}", line(&shown.issuer))?;
        let secret = if shown.has_secret {
            "with a secret"
        } else {
            "without a secret"
        };
        writeln!(to, "client     {}   {secret}", line(&shown.client_id))?;
        if let Some(address) = &shown.address {
            writeln!(to, "address    {}", line(address))?;
        }
        writeln!(to, "claim      {}", line(&shown.claim))?;
        for one in &shown.map {
            writeln!(to, "group      {} = {}", line(&one.group), one.role)?;
        }
        match (&shown.break_glass, shown.only) {
            (Some(login), true) => writeln!(to, "passwords  refused, but of {}", line(login))?,
            (None, true) => writeln!(to, "passwords  refused")?,
            (_, false) => writeln!(to, "passwords  taken")?,
        }
        writeln!(to, "bound      {}", shown.bound)?;
        writeln!(to, "since      {since}")
    })?;
    Ok(Exit::Done)
}

fn shown(provider: ProviderLine) -> Shown {
    let map = provider.map.into_iter();
    Shown {
        issuer: provider.issuer,
        client_id: provider.client_id,
        has_secret: provider.has_secret,
        claim: provider.claim,
        address: provider.address,
        has_authority: provider.has_authority,
        map: map
            .map(|(group, role)| Mapped {
                group,
                role: role.name(),
            })
            .collect(),
        only: provider.only,
        break_glass: provider.break_glass,
        bound: provider.bound,
        changed: rfc3339(provider.changed),
    }
}

#[derive(Serialize)]
struct Tested {
    authorization: String,
    token: String,
    keys_at: String,
    keys: usize,
    scope: String,
    notes: Vec<String>,
}

fn test(context: &mut Context, appliance: &Appliance, session: &Session) -> Ended {
    let found = appliance.check_provider(session)?;
    let tested = tested(found);
    context.printer.one(&tested, |to| {
        writeln!(to, "✓ browsers go to  {}", line(&tested.authorization))?;
        writeln!(to, "✓ codes go to     {}", line(&tested.token))?;
        writeln!(
            to,
            "✓ keys            {}   {} of use",
            line(&tested.keys_at),
            tested.keys
        )?;
        writeln!(to, "✓ asked for       {}", line(&tested.scope))?;
        for note in &tested.notes {
            writeln!(to, "  note: {}", line(note))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn tested(found: ProviderCheck) -> Tested {
    Tested {
        authorization: found.authorization,
        token: found.token,
        keys_at: found.keys_at,
        keys: found.keys,
        scope: found.scope,
        notes: found.notes,
    }
}
