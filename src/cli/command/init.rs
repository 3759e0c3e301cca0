//! `wordkeep init`: data directory, keys and the first administrator.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Ended;
use crate::app::{AppError, Appliance, NewAppliance, Settings, SystemEntropy, write_secret};
use crate::cli::context::{Context, last_entry};
use crate::cli::failure::{Exit, Failure};
use crate::cli::printable::line;
use crate::cli::secrets;
use crate::crypto::{KEY_LEN, Secret, StretchCost, random_bytes};

/// What the help says at length.
pub(in crate::cli) const LONG: &str =
    "Create the data directory, its keys and the first administrator

Examples:
  $ wordkeep init --administrator ana
  $ wordkeep init --administrator ana --passphrase
  $ wordkeep init --administrator ana --password-file first.txt --data /srv/wordkeep \\
        --unlock-key /etc/wordkeep/unlock.key --no-input

The data is encrypted from its first byte. What opens it is an unlock key, a file of random bytes
outside the data directory that only you may read; or, with --passphrase, --passphrase-file or
--passphrase-fd, a passphrase. Without either of them nobody can ever read the data again.

The administrator adds users and keeps the appliance running, and reads no message. A fresh
installation never deletes anything.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Log-in of the first administrator
    #[arg(long, value_name = "LOGIN")]
    administrator: Option<String>,
    /// Read the administrator's password from the first line of a file (- for standard input)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Open the data with a passphrase that is asked for, instead of an unlock key
    #[arg(long)]
    passphrase: bool,
}

#[derive(Serialize)]
struct Made {
    data: PathBuf,
    unlock_key: Option<PathBuf>,
    administrator: String,
    audit: u64,
}

/// Makes everything.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let settings = context.settings()?;
    refuse_existing(&settings)?;
    let login = match &typed.administrator {
        Some(login) => login.clone(),
        None if context.may_ask => secrets::ask("log-in of the first administrator: ")?,
        None => {
            let text = "who is the first administrator? give --administrator LOGIN";
            return Err(AppError::Usage(text.to_owned()).into());
        }
    };
    let password = context.password(typed.password_file.as_ref(), &login, true)?;
    let (secret, label) = first_secret(context, &settings, typed.passphrase)?;
    let key = (label == "unlock key").then(|| settings.unlock_key.clone());
    let data = settings.data.clone();
    let appliance = Appliance::create(
        settings,
        &NewAppliance {
            secret: &secret,
            label,
            administrator: &login,
            password: &password,
            cost: StretchCost::SLOT,
        },
    )?;
    let made = Made {
        data,
        unlock_key: key,
        administrator: login,
        audit: last_entry(&appliance)?,
    };
    print(context, &made)
}

pub(super) fn refuse_existing(settings: &Settings) -> Result<(), Failure> {
    let data = &settings.data;
    let is_used = std::fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some());
    if is_used {
        let data = data.display();
        let text = format!("{data} is not empty; choose another directory with --data");
        return Err(AppError::Conflict(text).into());
    }
    let key = std::path::absolute(&settings.unlock_key).unwrap_or_default();
    let inside = std::path::absolute(data).is_ok_and(|data| key.starts_with(data));
    if inside {
        let text = "the unlock key must lie outside the data directory: who copies the directory \
                    would have both; choose another place with --unlock-key";
        return Err(AppError::Configuration(text.to_owned()).into());
    }
    Ok(())
}

/// What opens a new data directory, and what people call it.
pub(super) fn first_secret(
    context: &Context,
    settings: &Settings,
    asks: bool,
) -> Result<(Secret, &'static str), Failure> {
    Ok(match passphrase(context, asks)? {
        Some(passphrase) => (Secret::passphrase(&passphrase), "first passphrase"),
        None => (unlock_key(settings)?, "unlock key"),
    })
}

fn passphrase(context: &Context, asks: bool) -> Result<Option<secrets::Text>, Failure> {
    match context.secret.named()? {
        Some(passphrase) => Ok(Some(passphrase)),
        None if !asks => Ok(None),
        None if context.may_ask => {
            secrets::typed_twice("new passphrase that opens the data: ").map(Some)
        }
        None => {
            let text = "nobody can be asked for a passphrase; give --passphrase-file FILE";
            Err(AppError::Usage(text.to_owned()).into())
        }
    }
}

/// Directories that a restart empties, and credentials of a service with them.
const FLEETING: [&str; 2] = ["/run", "/dev/shm"];

/// The key file at its place: made, or the one that is there already. None is made where the next
/// restart would lose it, and everything that was sealed with it.
fn unlock_key(settings: &Settings) -> Result<Secret, Failure> {
    let path = &settings.unlock_key;
    if !path.exists() {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let lies = folder.unwrap_or(Path::new(".")).canonicalize();
        let lies = lies.unwrap_or_else(|_| path.clone());
        if FLEETING.iter().any(|place| lies.starts_with(place)) {
            let path = path.display();
            let text = format!(
                "there is no unlock key at {path}, and one made there would be lost with the next \
                 restart; make it first with systemd-creds encrypt, as the head of the unit \
                 wordkeep.service shows, or name a lasting place with --unlock-key"
            );
            return Err(AppError::Configuration(text).into());
        }
        let bytes = Zeroizing::new(random_bytes::<KEY_LEN>(&SystemEntropy));
        write_secret(path, &bytes[..])?;
    }
    secrets::key_file(path)
}

fn same_disk(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|meta| meta.dev());
    matches!((device(one), device(other)), (Ok(one), Ok(other)) if one == other)
}

/// Warns when who steals one disk has both.
pub(super) fn warn_same_disk(context: &Context, key: &Path, data: &Path) {
    if same_disk(key, data) {
        context.warn(
            "the unlock key is on the same disk as the data: who steals the disk has both; better \
             keep it on another disk, or use a passphrase",
        );
    }
}

fn print(context: &mut Context, made: &Made) -> Ended {
    context.printer.one(made, |to| {
        writeln!(to, "✓ data directory: {}", made.data.display())?;
        match &made.unlock_key {
            Some(key) => writeln!(
                to,
                "✓ unlock key: {} (0600), outside the data directory",
                key.display()
            )?,
            None => writeln!(to, "✓ opened by: your passphrase")?,
        }
        writeln!(to, "✓ database, search index and audit log are ready")?;
        writeln!(
            to,
            "✓ first administrator: {}   audit #{}",
            line(&made.administrator),
            made.audit
        )
    })?;
    match &made.unlock_key {
        Some(key) => {
            warn_same_disk(context, key, &made.data);
            context.say("keep a copy of the unlock key in a safe place: without it nobody can read the data");
        }
        None => context.say("without the passphrase nobody can ever read the data again"),
    }
    context.say(&format!(
        "next: wordkeep login {}",
        line(&made.administrator)
    ));
    Ok(Exit::Done)
}
