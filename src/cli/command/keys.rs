//! `wordkeep keys`: what opens the data, and a new generation for all keys.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Ended;
use crate::app::{AppError, SystemEntropy, write_secret};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::printable::{line, thousands};
use crate::cli::secrets;
use crate::crypto::{KEY_LEN, Secret, SlotKind, StretchCost, random_bytes};

const AFTER: &str = "Examples:
  $ wordkeep keys status
  $ wordkeep keys add --label 'recovery letter in the safe' --new-key-file /media/usb/recovery.key";
const STATUS: &str = "Show what opens the data, and how many keys there are

Examples:
  $ wordkeep keys status

Any one of the slots opens the data, as with an encrypted disk. No key is shown.";
const ADD: &str = "Add a passphrase or key file that opens the data

Examples:
  $ wordkeep keys add --label 'board member' --new-passphrase-file letter.txt
  $ wordkeep keys add --label 'recovery letter in the safe' --new-key-file /media/usb/recovery.key

A key file is made of random bytes at the place named, only readable for you; one that is there is
used. Without either flag a passphrase is asked for. One that opens the data already is needed too.";
const REMOVE: &str = "Remove a slot

Examples:
  $ wordkeep keys status
  $ wordkeep keys remove 2

What belongs to the slot opens the data no longer. The last slot stays.";
const ROTATE: &str = "Wrap every key anew

Examples:
  $ wordkeep keys rotate

A new generation of the keyhold wraps all keys, and the old one is overwritten. Takes moments, for
any size of archive.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what opens the data, and how many keys there are
    #[command(long_about = STATUS)]
    Status,
    /// Add a passphrase or key file that opens the data
    #[command(long_about = ADD)]
    Add {
        /// What people call it
        #[arg(long, value_name = "TEXT")]
        label: String,
        /// Read the new passphrase from the first line of a file
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        /// The key file to make, or to use if it is there
        #[arg(long, value_name = "FILE", conflicts_with = "new_passphrase_file")]
        new_key_file: Option<PathBuf>,
    },
    /// Remove a slot
    #[command(long_about = REMOVE)]
    Remove {
        /// Number of the slot
        slot: u32,
    },
    /// Wrap every key anew
    #[command(long_about = ROTATE)]
    Rotate,
    /// Make and test the key that opens the escrow of backups
    Recovery(super::recovery::Typed),
}

#[derive(Serialize)]
struct Slot {
    slot: u32,
    kind: &'static str,
    label: String,
}

#[derive(Serialize)]
struct Status {
    slots: Vec<Slot>,
    generation: u64,
    keys: u64,
    wraps: u64,
    wraps_max: u64,
}

#[derive(Serialize)]
struct Changed {
    change: String,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    if let Verb::Recovery(typed) = &typed.verb {
        return super::recovery::run(context, typed);
    }
    let (appliance, session) = context.open_session()?;
    if matches!(typed.verb, Verb::Status) {
        let status = appliance.key_status(&session)?;
        return print_status(
            context,
            &Status {
                slots: status
                    .slots
                    .into_iter()
                    .map(|slot| Slot {
                        slot: slot.number,
                        kind: kind_name(slot.kind),
                        label: slot.label,
                    })
                    .collect(),
                generation: status.generation,
                keys: status.keys.values().sum(),
                wraps: status.wraps,
                wraps_max: status.wraps_max,
            },
        );
    }
    // Who changes ways in shows one again.
    let secret = context.secret.open(appliance.settings(), context.may_ask)?;
    let (change, appended) = match &typed.verb {
        Verb::Status | Verb::Recovery(_) => return Ok(Exit::Done),
        Verb::Add {
            label,
            new_passphrase_file,
            new_key_file,
        } => {
            let new = new_secret(
                context,
                new_passphrase_file.as_deref(),
                new_key_file.as_deref(),
            )?;
            let cost = StretchCost::SLOT;
            let (number, appended) = appliance.add_slot(&session, &secret, &new, label, &cost)?;
            (format!("slot {number} added: {}", line(label)), appended)
        }
        Verb::Remove { slot } => {
            let appended = appliance.remove_slot(&session, &secret, *slot)?;
            (format!("slot {slot} removed"), appended)
        }
        Verb::Rotate => {
            let (rotated, appended) = appliance.rotate_keys(&session, &secret)?;
            let keys = thousands(rotated.keys);
            (
                format!(
                    "{keys} keys wrapped under generation {}",
                    rotated.generation
                ),
                appended,
            )
        }
    };
    let done = Changed {
        change,
        audit: appended.seq.0,
    };
    context.printer.one(&done, |to| {
        writeln!(to, "✓ {}   audit #{}", done.change, done.audit)
    })?;
    Ok(Exit::Done)
}

fn kind_name(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Passphrase => "passphrase",
        SlotKind::KeyFile => "key file",
        SlotKind::Credential => "credential",
    }
}

fn new_secret(
    context: &Context,
    passphrase: Option<&Path>,
    key_file: Option<&Path>,
) -> Result<Secret, Failure> {
    match (passphrase, key_file) {
        (Some(path), _) => Ok(Secret::passphrase(&secrets::first_line(path)?)),
        (None, Some(path)) => {
            if !path.exists() {
                let bytes = Zeroizing::new(random_bytes::<KEY_LEN>(&SystemEntropy));
                write_secret(path, &bytes[..])?;
            }
            secrets::key_file(path)
        }
        (None, None) if context.may_ask => Ok(Secret::passphrase(&secrets::typed_twice(
            "new passphrase: ",
        )?)),
        (None, None) => {
            let text = "nobody can be asked for a passphrase; give --new-passphrase-file FILE or \
                        --new-key-file FILE";
            Err(AppError::Usage(text.to_owned()).into())
        }
    }
}

fn print_status(context: &mut Context, status: &Status) -> Ended {
    context.printer.one(status, |to| {
        for slot in &status.slots {
            writeln!(
                to,
                "slot {}  {}  {}",
                slot.slot,
                slot.kind,
                line(&slot.label)
            )?;
        }
        writeln!(
            to,
            "generation {} · {} keys",
            status.generation,
            thousands(status.keys)
        )?;
        let (wraps, most) = (thousands(status.wraps), thousands(status.wraps_max));
        writeln!(to, "{wraps} of {most} wraps until a rotation is due")
    })?;
    Ok(Exit::Done)
}
