//! The use-case "look at what a request restricted": for one act, with a reason, logged before.

use super::super::{Appliance, Result, Session};
use super::words;
use crate::audit::Action;
use crate::domain::Right;

impl Appliance {
    /// The session of the same person that is also shown what a request for erasure restricted. The
    /// reason is in the log before anything is shown, and every entry of that session says it.
    ///
    /// # Errors
    /// For who may not look at it; when the reason is missing.
    pub fn look_at_restricted(
        &self,
        session: &Session,
        object: &str,
        reason: &str,
    ) -> Result<Session> {
        self.require(session, Right::ReadRestricted, Action::ContentView)?;
        let reason = words::reason(reason)?;
        let looking = Session {
            restricted: true,
            ..session.clone()
        };
        let now = self.clock.now();
        let draft = self.draft(&looking, Action::ContentView).object(object);
        self.change(now, |tx| {
            self.log(tx, now, draft, Some(reason.as_bytes())).map(drop)
        })?;
        Ok(looking)
    }
}
