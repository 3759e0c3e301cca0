//! The use-case "log out": the token dies in the record first, then its file.

use std::fs;
use std::io;
use std::path::Path;

use super::{AppError, Appliance, Result, Session};
use crate::audit::{Action, Appended};

impl Appliance {
    /// Ends every log-in of this person at the command line, leaves their programs alone, and removes the file of the token at hand.
    pub fn log_out(&self, session: &Session, token_file: &Path) -> Result<Appended> {
        self.require_person(session, &Action::Logout)?;
        let now = self.clock.now();
        let appended = self.change(now, |tx| {
            tx.delete_logins(session.actor.no, None)?;
            self.log(tx, now, self.draft(session, Action::Logout), None)
        })?;
        match fs::remove_file(token_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(AppError::file(token_file, &error))
            }
            _ => Ok(appended),
        }
    }
}
