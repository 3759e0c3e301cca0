//! The use-cases of the workspace: whose it is, in which zone it counts, and made-up data to try it with.

use super::demo::{Workplace, write_exports};
use super::import::SilentProgress;
use super::sample::{MESSAGES_DEFAULT, generate};
use super::search::zone;
use super::{AppError, Appliance, Grant, Result, Session};
use crate::archive::Archive;
use crate::audit::{Action, Appended};
use crate::auth::{LinkToken, SessionKey};
use crate::crypto::{hex, random_bytes};
use crate::domain::{Right, Role};
use crate::store::Rows;

/// Most characters of the name of an organisation.
const ORGANISATION_CHARS_MAX: usize = 120;
/// Seed of the sample: that of the demonstration.
const SAMPLE_SEED: u64 = 1;
/// Login of the reader of the sample. They see its conversations and nothing else.
pub const SAMPLE_READER: &str = "sample-reader";

/// Names of the facts in the record.
const ORGANISATION: &str = "workspace.organisation";
const ZONE: &str = "workspace.zone";
const SAMPLE: &str = "workspace.sample";

/// What is the same for everybody in the house.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workspace {
    /// Whose archive it is; empty until somebody said so.
    pub organisation: String,
    /// The zone that was chosen in the house, where one was.
    pub zone: Option<String>,
    /// Made-up data was loaded: pages say so.
    pub sample: bool,
}

impl Workspace {
    pub(super) fn read(rows: &Rows) -> Result<Workspace> {
        let text = |name| -> Result<Option<String>> {
            let value = rows.fact(name)?;
            Ok(value.and_then(|bytes| String::from_utf8(bytes).ok()))
        };
        Ok(Workspace {
            organisation: text(ORGANISATION)?.unwrap_or_default(),
            zone: text(ZONE)?,
            sample: rows.fact(SAMPLE)?.is_some(),
        })
    }
}

impl Appliance {
    /// What is the same for everybody in the house.
    pub fn workspace(&self) -> Workspace {
        self.kept_workspace()
    }

    /// The zone in which dates are shown and read: what the start of the program named, else what was
    /// chosen in the house.
    pub fn zone_name(&self) -> String {
        let settings = &self.settings;
        let chosen = self.kept_workspace().zone;
        match chosen.filter(|_| !settings.zone_named) {
            Some(zone) => zone,
            None => settings.zone.clone(),
        }
    }

    /// Says whose archive it is, and in which zone it counts. It counts from the next request on.
    ///
    /// # Errors
    /// For who does not manage the house; when the zone is none, or another was named at the start of
    /// the program.
    pub fn name_workspace(
        &self,
        session: &Session,
        organisation: &str,
        zone_name: &str,
    ) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        let organisation = organisation.trim();
        let long = organisation.chars().count() > ORGANISATION_CHARS_MAX;
        if long || organisation.chars().any(char::is_control) {
            return Err(AppError::Usage(format!(
                "the name of the organisation is one line of at most {ORGANISATION_CHARS_MAX} characters"
            )));
        }
        let chosen = zone(zone_name.trim())?.name();
        if self.settings.zone_named && chosen != self.settings.zone {
            return Err(AppError::Usage(format!(
                "the zone {} was named when the program was started; change it there",
                self.settings.zone
            )));
        }
        let now = self.clock.now();
        let appended = self.change(now, |tx| {
            tx.put_fact(ORGANISATION, organisation.as_bytes())?;
            tx.put_fact(ZONE, chosen.as_bytes())?;
            let draft = self.draft(session, Action::ConfigChange);
            let draft = draft.word("what", "workspace").word("zone", chosen);
            self.log(tx, now, draft, Some(organisation.as_bytes()))
        })?;
        self.read_workspace(&self.archive)?;
        Ok(appended)
    }

    /// Whether made-up data may be loaded: only into an archive that has none of its own.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn may_load_sample(&self) -> Result<bool> {
        let rows = self.archive.store().read()?;
        Ok(rows.imports()?.is_empty())
    }

    /// Imports the chats of a made-up company, through the same door as any other, and adds a reader who
    /// sees them and nothing else. From then on every page says that made-up data is here.
    ///
    /// # Errors
    /// For who does not manage the house; when something was imported already.
    pub fn load_sample(
        &self,
        session: &Session,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        if !self.may_load_sample()? {
            return Err(AppError::Conflict(
                "there are messages here already; sample data and your own are never mixed"
                    .to_owned(),
            ));
        }
        let now = self.clock.now();
        let appended = self.change(now, |tx| {
            tx.put_fact(SAMPLE, b"loaded")?;
            let draft = self
                .draft(session, Action::ConfigChange)
                .word("what", "sample");
            self.log(tx, now, draft, None)
        })?;
        self.read_workspace(&self.archive)?;
        let place = Workplace::temporary(&*self.entropy);
        let sample = generate(SAMPLE_SEED, MESSAGES_DEFAULT);
        let exports = write_exports(&sample, place.root())?;
        for (done, export) in (0..).zip(&exports) {
            tell(done, exports.len() as u64);
            self.import(session, export, &SilentProgress)?;
        }
        self.hire_reader(session)?;
        Ok(appended)
    }

    /// Whoever looks at the sample: their password is known to nobody, they enter by links.
    fn hire_reader(&self, session: &Session) -> Result<()> {
        let password = hex(&random_bytes::<16>(&*self.entropy));
        self.add_user(session, SAMPLE_READER, Role::Manager, &password, &[])?;
        let rows = self.archive.store().read()?;
        let seen: Vec<Grant> = rows
            .conversations()?
            .iter()
            .map(|row| Grant::Conversation(row.id))
            .collect();
        drop(rows);
        self.set_grants(session, SAMPLE_READER, &seen).map(drop)
    }

    /// Lets whoever manages the house look at the sample with the eyes of its reader.
    ///
    /// # Errors
    /// For who does not manage the house; when no sample was loaded.
    pub fn look_at_sample(&self, session: &Session) -> Result<SessionKey> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        if !self.kept_workspace().sample {
            return Err(AppError::NotFound("sample data".to_owned()));
        }
        let link: LinkToken = self.sign_in_link(SAMPLE_READER)?;
        Ok(self.open_link(&link.to_string())?.0)
    }

    fn read_workspace(&self, archive: &Archive) -> Result<()> {
        let workspace = Workspace::read(&*archive.store().read()?)?;
        self.keep_workspace(workspace);
        Ok(())
    }
}
