//! What was typed: the flags every command knows, and the commands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::command::{
    admin, audit, backup, check, clock, completions, conv, demo, dispose, erasure, event, export,
    freeze, hold, import, index, init, keys, label, login, logout, man, matter, notice, openapi,
    password, policy, query, search, serve, sso, token, user, verify, why,
};

const ABOUT: &str = "Keeps every word a company gives and gets in chat, encrypted, searchable and \
                     provable";
const AFTER: &str = "Examples:
  $ wordkeep init --administrator ana
  $ wordkeep import ~/exports/nordwind.zip --tz Europe/Lisbon

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 finished with
rejected items or a negative answer, 2 wrong use or query, 3 configuration or key, 4 not permitted,
5 blocked by a hold or policy, 6 integrity failure, 7 not found, 8 conflict or locked, 9 network,
10 disk or file, 130 interrupted with everything saved.";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "wordkeep",
    version,
    about = ABOUT,
    after_help = AFTER,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Typed {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Take the tour: a made-up company imported, searched and proven
    #[command(long_about = demo::LONG)]
    Demo(demo::Typed),
    /// Serve the archive to browsers
    #[command(long_about = serve::LONG)]
    Serve(serve::Typed),
    /// Create the data directory, its keys and the first administrator
    #[command(long_about = init::LONG)]
    Init(init::Typed),
    /// Log in and keep a token for the commands that follow
    #[command(long_about = login::LONG)]
    Login(login::Typed),
    /// End the log-in
    #[command(long_about = logout::LONG)]
    Logout(logout::Typed),
    /// Bring chat exports in; list imports and what they rejected
    #[command(long_about = import::LONG)]
    Import(import::Typed),
    /// Find messages
    #[command(long_about = search::LONG)]
    Search(search::Typed),
    /// Say how a query is read
    Query(query::Typed),
    /// List conversations and show what was said in them
    Conv(conv::Typed),
    /// Give messages out in a file that proves itself; verify such a file
    Export(export::Typed),
    /// Open, list and close matters
    Matter(matter::Typed),
    /// Place legal holds; count, list and release them
    Hold(hold::Typed),
    /// Tell people to keep what a hold names; reminders, answers, templates
    Notice(notice::Typed),
    /// Write, simulate, enable and end retention policies
    Policy(policy::Typed),
    /// Review and destroy what is due; certificates
    Dispose(dispose::Typed),
    /// Record people's requests for erasure; decide on them item by item
    Erasure(erasure::Typed),
    /// Say why a message is still here
    #[command(long_about = why::LONG)]
    Why(why::Typed),
    /// Make labels and put them on records
    Label(label::Typed),
    /// Record what starts periods, such as somebody leaving
    Event(event::Typed),
    /// Stop all destruction; two people let it go on
    Freeze(freeze::Typed),
    /// Show compliance time; two people say that time has passed
    Clock(clock::Typed),
    /// Read, prove, sign and export the audit log
    Audit(audit::Typed),
    /// Prove that everything is as it was kept
    #[command(long_about = verify::LONG)]
    Verify(verify::Typed),
    /// Rebuild, compare and measure the search index
    Index(index::Typed),
    /// Make, check and restore backups
    Backup(backup::Typed),
    /// Show and change what opens the data
    Keys(keys::Typed),
    /// Check configuration, keys, disk, clock, permissions, index and log
    #[command(long_about = check::LONG)]
    Check(check::Typed),
    /// Add, list and end users; say what they see
    User(user::Typed),
    /// Make, list and end tokens for programs
    Token(token::Typed),
    /// Change your own password
    #[command(long_about = password::LONG)]
    Password(password::Typed),
    /// Let people sign in at a provider (OpenID Connect)
    Sso(sso::Typed),
    /// The emergency door: administrators made and let in again from the host
    Admin(admin::Typed),
    /// Print completions for a shell
    #[command(long_about = completions::LONG)]
    Completions(completions::Typed),
    /// Print the description of the API
    #[command(long_about = openapi::LONG)]
    Openapi,
    /// Write the manual pages
    #[command(long_about = man::LONG)]
    Man(man::Typed),
}

/// Flags that every command knows. Precedence: flag, then WORDKEEP_* variable, then configuration
/// file, then default.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// Data directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Directory of the key files, where not inside the data directory
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub(super) keys_dir: Option<PathBuf>,
    /// File of the unlock key
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) unlock_key: Option<PathBuf>,
    /// Read the passphrase that opens the data from a file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) passphrase_file: Option<PathBuf>,
    /// Read it from an open file descriptor
    #[arg(
        long,
        global = true,
        value_name = "N",
        conflicts_with = "passphrase_file",
        hide_short_help = true
    )]
    pub(super) passphrase_fd: Option<u32>,
    /// File of the log-in token
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) token_file: Option<PathBuf>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(super) config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true, conflicts_with_all = ["jsonl", "plain"])]
    pub(super) json: bool,
    /// Print one JSON document per line
    #[arg(long, global = true, conflicts_with = "plain", hide_short_help = true)]
    pub(super) jsonl: bool,
    /// Print tab-separated values without a heading
    #[arg(long, global = true)]
    pub(super) plain: bool,
    /// Write the result to a file instead of standard output; never replaces one without --force
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        hide_short_help = true
    )]
    pub(super) output: Option<PathBuf>,
    /// Let --output replace a file
    #[arg(short, long, global = true, hide_short_help = true)]
    pub(super) force: bool,
    /// Never ask; fail where something would be asked
    #[arg(long, global = true)]
    pub(super) no_input: bool,
    /// No colour
    #[arg(long, global = true, hide_short_help = true)]
    pub(super) no_color: bool,
    /// Say nothing but the result and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more
    #[arg(short, long, global = true, hide_short_help = true)]
    pub(super) verbose: bool,
}
