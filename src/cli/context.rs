//! What the common flags mean: where things are, who asks, how it is printed.

use std::io::{self, IsTerminal};
use std::ops::Deref;
use std::path::PathBuf;

use chrono_tz::Tz;

use super::failure::Failure;
use super::meter::Counter;
use super::printer::{Printer, Shape, aside};
use super::secrets::{self, SecretSource};
use super::typed::Common;
use crate::app::{AppError, Appliance, Given, Session, Settings, read_text};
use crate::audit::LogEnd;
use crate::auth::{AuthError, Token};

/// Longest token file, in bytes.
const TOKEN_BYTES_MAX: u64 = 4_096;

/// What every command is given.
pub(super) struct Context {
    given: Given,
    pub(super) secret: SecretSource,
    token_file: Option<PathBuf>,
    /// Whether people may be asked.
    pub(super) may_ask: bool,
    /// Nothing but results and errors.
    pub(super) is_quiet: bool,
    /// More than usual.
    pub(super) is_verbose: bool,
    /// Whether the talk may be coloured and move.
    pub(super) is_lively: bool,
    pub(super) printer: Printer,
}

impl Context {
    /// Checks the common flags.
    pub(super) fn new(common: &Common) -> Result<Context, Failure> {
        let shape = match (common.json, common.jsonl, common.plain) {
            (true, _, _) => Shape::Json,
            (_, true, _) => Shape::JsonLines,
            (_, _, true) => Shape::Plain,
            _ => Shape::Human,
        };
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = !common.no_color && !set("NO_COLOR") && !is_dumb;
        Ok(Context {
            given: Given {
                data: common.data.clone(),
                keys_dir: common.keys_dir.clone(),
                unlock_key: common.unlock_key.clone(),
                zone: None,
                config: common.config.clone(),
            },
            secret: SecretSource {
                file: common.passphrase_file.clone(),
                descriptor: common.passphrase_fd,
            },
            token_file: common.token_file.clone(),
            may_ask: !common.no_input && io::stdin().is_terminal(),
            is_quiet: common.quiet,
            is_verbose: common.verbose,
            is_lively: colour && !common.quiet && io::stderr().is_terminal(),
            printer: Printer::open(shape, common.output.as_deref(), common.force, colour)?,
        })
    }

    /// Shows and reads dates in this zone, where one was given.
    pub(super) fn set_zone(&mut self, zone: Option<String>) {
        self.given.zone = zone;
    }

    /// Where things are.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let mut settings = Settings::decide(&self.given, |name| std::env::var(name).ok())?;
        if let Some(file) = &self.token_file {
            settings.token.clone_from(file);
        }
        Ok(settings)
    }

    /// Opens the product.
    pub(super) fn open(&self) -> Result<Opened, Failure> {
        let settings = self.settings()?;
        let secret = self.secret.open(&settings, self.may_ask)?;
        let appliance = Appliance::open(settings, &secret)?;
        for notice in appliance.notices() {
            self.warn(notice);
        }
        Ok(Opened(appliance))
    }

    /// Opens the product and recognises the owner of the token.
    pub(super) fn open_session(&self) -> Result<(Opened, Session), Failure> {
        let settings = self.settings()?;
        // Told before the keys are touched: who is not logged in need not type a passphrase.
        if !settings.token.exists() {
            return Err(AuthError::Token.into());
        }
        let text = read_text(&settings.token, TOKEN_BYTES_MAX)?;
        let token: Token = text.parse()?;
        let appliance = self.open()?;
        let session = appliance.session_of_token(&token)?;
        Ok((appliance, session))
    }

    /// Shows how long work goes on.
    pub(super) fn counter(&self) -> Counter {
        Counter::new(self.is_lively)
    }

    /// Says something on standard error, unless told to be quiet.
    pub(super) fn say(&self, text: &str) {
        if !self.is_quiet {
            aside(text);
        }
    }

    /// A warning on standard error.
    pub(super) fn warn(&self, text: &str) {
        aside(format_args!("warning: {text}"));
    }

    /// A password from a file, or typed.
    pub(super) fn password(
        &self,
        file: Option<&PathBuf>,
        whose: &str,
        is_new: bool,
    ) -> Result<secrets::Text, Failure> {
        secrets::password(file, whose, is_new, self.may_ask)
    }
}

/// An opened appliance that is closed in order when the command ends, however it ends.
pub(super) struct Opened(Appliance);

impl Deref for Opened {
    type Target = Appliance;
    fn deref(&self) -> &Appliance {
        &self.0
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // What was done is durable already; only the published log is behind.
        if let Err(error) = self.0.close() {
            aside(format_args!(
                "warning: the log was not signed at the end: {error}"
            ));
        }
    }
}

/// The zone of the settings.
pub(super) fn zone_of(settings: &Settings) -> Result<Tz, Failure> {
    settings.zone.parse().map_err(|_| {
        let zone = &settings.zone;
        AppError::Usage(format!(
            "\"{zone}\" is not a time zone; write a name such as Europe/Lisbon"
        ))
        .into()
    })
}

/// The number of the last audit entry. This process owns the data directory, so nobody else can
/// have appended since.
pub(super) fn last_entry(appliance: &Appliance) -> Result<u64, Failure> {
    let store = appliance.archive().store();
    let rows = store.read().map_err(AppError::from)?;
    let end = LogEnd::read(&rows).map_err(|error| AppError::Integrity(error.to_string()))?;
    Ok(end.edge.size().saturating_sub(1))
}
