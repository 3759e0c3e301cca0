//! Floor 9: commands and their printed shape.
//!
//! Purpose: reads what was typed, calls one use-case of `app`, prints what it answered.
//!
//! Two stages: `typed` is what stands on the command line; `context` is what it means. One file per
//! command holds its help text, its flags, the call and the print.
//!
//! Invariants:
//! - Standard output carries the result and nothing else; talk goes to standard error.
//! - No secret comes in a flag or through the environment.
//! - Text that people wrote reaches a terminal without control characters.
//! - `failure` is the one place where an error becomes an exit code.
//!
//! Must not know: how any use-case is done, where bytes are kept, how anything is sealed.

mod command;
mod context;
mod failure;
mod instants;
mod interrupt;
mod meter;
mod printable;
mod printer;
mod secrets;
mod typed;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use self::context::Context;
use self::failure::Exit;
use self::typed::Typed;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()) as u8)
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let typed = match Typed::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return told_by_parser(&error),
    };
    let mut context = match Context::new(&typed.common) {
        Ok(context) => context,
        Err(failure) => return failure.tell(),
    };
    match command::run(&mut context, typed.command) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

/// Help and version are answers; everything else the parser says is a wrong use.
fn told_by_parser(error: &clap::Error) -> Exit {
    // Nothing is left to do where standard error is closed.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

/// The whole command line as `clap` knows it, for completions and manual pages.
fn definition() -> clap::Command {
    Typed::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn every_command_begins_its_help_with_examples() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let leaf = !command.has_subcommands() || command.get_name() == "import";
            let help = match leaf {
                true => command.get_long_about(),
                false => command.get_after_help(),
            };
            let help = help.map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{path} has no examples");
            assert!(help.contains("$ wordkeep"), "{path} shows no command");
            for below in command.get_subcommands() {
                look(below, &path);
            }
        }
        look(&definition(), "");
    }

    #[test]
    fn only_the_agreed_letters_are_short_flags() {
        fn look(command: &clap::Command) {
            for argument in command.get_arguments() {
                if let Some(letter) = argument.get_short() {
                    assert!("hVqvonfy".contains(letter), "-{letter}");
                }
            }
            command.get_subcommands().for_each(look);
        }
        look(&definition());
    }
}
