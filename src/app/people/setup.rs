//! The first administrator: a token shown on the host, claimed once by whoever holds it.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::super::appliance::NewHouse;
use super::super::{AppError, Appliance, Result, Settings, replace_secret};
use crate::audit::{Action, Appended, Draft, EntryActor, Outcome};
use crate::auth::{self, AuthError, SetupToken};
use crate::crypto::{Secret, StretchCost};
use crate::domain::{Right, Role};

/// File of the setup token in the data directory.
const SETUP_FILE: &str = "setup-token";

impl Appliance {
    /// Makes the data directory without an administrator: whoever holds the setup token claims it.
    pub fn create_unclaimed(
        settings: Settings,
        secret: &Secret,
        label: &str,
        cost: StretchCost,
    ) -> Result<Appliance> {
        let house = NewHouse {
            secret,
            label,
            cost,
        };
        let appliance = Self::create_house(settings, &house, None)?;
        appliance.sign_log()?;
        Ok(appliance)
    }

    /// Whether the house waits for its first administrator.
    pub fn setup_open(&self) -> Result<bool> {
        Ok(auth::setup_open(&*self.archive.store().read()?)?)
    }

    /// Makes a setup token that ends in thirty minutes, in the place of an elder; `None` once there is
    /// an administrator. It is written to a file that only the owner of the data may read, too.
    pub fn new_setup_token(&self) -> Result<Option<SetupToken>> {
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let now = self.clock.now();
        if !self.setup_open()? {
            self.remove_setup_file()?;
            return Ok(None);
        }
        let token = self.change(now, |tx| {
            let token = auth::offer_setup(tx, now, &*self.entropy)?;
            if token.is_some() {
                let draft = Draft::new(EntryActor::system(), Action::SetupOffer, self.request());
                self.log(tx, now, draft, None)?;
            }
            Ok(token)
        })?;
        if let Some(token) = &token {
            replace_secret(&self.setup_file(), format!("{token}\n").as_bytes())?;
        }
        Ok(token)
    }

    /// Compares the token, uses it up and makes the first administrator, in one transaction: of many
    /// who try at once one succeeds. A login or password that does not do leaves the token alone.
    ///
    /// # Errors
    /// [`AuthError::Setup`] when the token is wrong, used or expired, or there is an administrator.
    pub fn claim_setup(&self, token: &str, login: &str, password: &str) -> Result<Appended> {
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let now = self.clock.now();
        // Whoever holds no token learns nothing of what would be a login.
        let checked = auth::check_setup(&*self.archive.store().read()?, token, now);
        if checked.is_ok() {
            auth::check_new_user(login, password)?;
        }
        let system = EntryActor::system;
        let claimed = match checked {
            Err(refused) => Err(AppError::from(refused)),
            Ok(()) => self.change(now, |tx| {
                let entropy = &*self.entropy;
                let who = auth::claim_setup(tx, token, login, password, now, entropy)?;
                let draft = Draft::new(system(), Action::UserAdd, self.request())
                    .object(who.id)
                    .word("role", Role::Administrator.name())
                    .word("way", "setup");
                self.log(tx, now, draft, Some(login.as_bytes()))
            }),
        };
        match claimed {
            Ok(entry) => {
                self.remove_setup_file()?;
                self.sign_log()?;
                Ok(entry)
            }
            Err(AppError::Auth(AuthError::Setup)) => {
                self.change(now, |tx| {
                    let draft = Draft::new(system(), Action::UserAdd, self.request())
                        .word("way", "setup")
                        .result(Outcome::Refused);
                    self.log(tx, now, draft, None)
                })?;
                Err(AuthError::Setup.into())
            }
            Err(error) => Err(error),
        }
    }

    fn setup_file(&self) -> PathBuf {
        self.settings.data.join(SETUP_FILE)
    }

    fn remove_setup_file(&self) -> Result<()> {
        let path = self.setup_file();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(AppError::file(path, &error))
            }
            _ => Ok(()),
        }
    }
}
