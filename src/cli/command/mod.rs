//! One file per command: its help, its flags, the call, the print.

pub(super) mod admin;
pub(super) mod audit;
pub(super) mod backup;
mod certificate;
mod changed;
pub(super) mod check;
pub(super) mod clock;
pub(super) mod completions;
pub(super) mod conv;
pub(super) mod demo;
mod demo_govern;
pub(super) mod dispose;
pub(super) mod erasure;
pub(super) mod event;
pub(super) mod export;
pub(super) mod freeze;
pub(super) mod hold;
pub(super) mod import;
mod import_report;
pub(super) mod index;
pub(super) mod init;
pub(super) mod keys;
pub(super) mod label;
mod listed;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod man;
pub(super) mod matter;
pub(super) mod notice;
pub(super) mod openapi;
pub(super) mod password;
pub(super) mod policy;
pub(super) mod query;
pub(super) mod recovery;
pub(super) mod search;
pub(super) mod serve;
pub(super) mod sso;
pub(super) mod token;
pub(super) mod user;
pub(super) mod verify;
pub(super) mod why;

use super::context::Context;
use super::failure::{Exit, Failure};
use super::typed::Command;

/// How a command ends when it did what was asked.
pub(super) type Ended = Result<Exit, Failure>;

/// Runs one command.
pub(super) fn run(context: &mut Context, command: Command) -> Ended {
    match command {
        Command::Init(typed) => init::run(context, &typed),
        Command::Login(typed) => login::run(context, &typed),
        Command::Logout(_) => logout::run(context),
        Command::Import(typed) => import::run(context, typed),
        Command::Search(typed) => search::run(context, typed),
        Command::Query(typed) => query::run(context, typed),
        Command::Conv(typed) => conv::run(context, typed),
        Command::Audit(typed) => audit::run(context, typed),
        Command::Verify(typed) => verify::run(context, &typed),
        Command::Export(typed) => export::run(context, typed),
        Command::Index(typed) => index::run(context, &typed),
        Command::Backup(typed) => backup::run(context, &typed),
        Command::Keys(typed) => keys::run(context, &typed),
        Command::Check(_) => check::run(context),
        Command::Serve(typed) => serve::run(context, &typed),
        Command::Demo(typed) => demo::run(context, &typed),
        Command::Matter(typed) => matter::run(context, &typed),
        Command::Notice(typed) => notice::run(context, &typed),
        Command::Hold(typed) => hold::run(context, &typed),
        Command::Policy(typed) => policy::run(context, &typed),
        Command::Dispose(typed) => dispose::run(context, &typed),
        Command::Clock(typed) => clock::run(context, &typed),
        Command::Erasure(typed) => erasure::run(context, &typed),
        Command::Why(typed) => why::run(context, &typed),
        Command::Label(typed) => label::run(context, &typed),
        Command::Event(typed) => event::run(context, &typed),
        Command::Freeze(typed) => freeze::run(context, &typed),
        Command::User(typed) => user::run(context, &typed),
        Command::Token(typed) => token::run(context, &typed),
        Command::Password(typed) => password::run(context, &typed),
        Command::Sso(typed) => sso::run(context, &typed),
        Command::Admin(typed) => admin::run(context, &typed),
        Command::Completions(typed) => completions::run(context, &typed),
        Command::Openapi => openapi::run(context),
        Command::Man(typed) => man::run(context, &typed),
    }
}
