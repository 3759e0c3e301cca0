//! The opened product: archive, clock and settings; every use-case is a method of it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::clock::{self, Clock, HostClock, SystemClock};
use super::entropy::SystemEntropy;
use super::snapshot::Pictures;
use super::{AppError, Result, Session, Settings, Workspace};
use crate::archive::{Archive, EraseContext, Milestones, NewVault, SLICE_ITEMS, Vault};
use crate::audit::{Action, Appended, Draft, EntryActor, LogEnd, Outcome};
use crate::auth::sso::ProviderCache;
use crate::auth::{self, LoginCost, NewUser};
use crate::capture::Outward;
use crate::crypto::{
    Entropy, SealObserver, Secret, StretchCost, WatchedEntropy, hex, random_bytes,
};
use crate::domain::{Now, Right, Role, Scope};
use crate::search::NameIndex;
use crate::store::WriteTx;

/// The opened product.
pub struct Appliance {
    pub(super) archive: Archive,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Opened names, with the number of imports they were read after.
    names: RwLock<Option<(u64, Arc<NameIndex>)>>,
    /// States that pages of searches are cut from.
    pub(super) pictures: Mutex<Pictures>,
    /// What is the same for everybody in the house.
    workspace: RwLock<Workspace>,
    /// One import at a time: it is the single writer of messages.
    pub(super) importing: Mutex<()>,
    /// What opening had to mend, in words.
    pub(super) notices: Vec<String>,
    /// Why nothing but reading is allowed.
    pub(super) quarantine: Option<String>,
    /// The way out; nothing uses it before somebody configured whom to ask.
    pub(super) outward: Outward,
    /// What the provider of single sign-on said lately.
    pub(super) provider: ProviderCache,
}

/// Who watches an appliance from inside; nobody, outside tests.
#[derive(Clone, Default)]
pub struct Witnesses {
    /// Hears of the points the archive reaches.
    pub milestones: Option<Arc<dyn Milestones>>,
    /// Stands in for the clocks of the host.
    pub clock: Option<Arc<dyn HostClock>>,
    /// Hears of every seal.
    pub seals: Option<Arc<dyn SealObserver>>,
}

/// What `init` makes.
pub struct NewAppliance<'a> {
    /// The first secret.
    pub secret: &'a Secret,
    /// What people call its slot.
    pub label: &'a str,
    /// Login of the first administrator.
    pub administrator: &'a str,
    /// Password of the first administrator.
    pub password: &'a str,
    /// Cost of stretching a passphrase.
    pub cost: StretchCost,
}

/// What a data directory is made with.
pub(super) struct NewHouse<'a> {
    /// The first secret.
    pub(super) secret: &'a Secret,
    /// What people call its slot.
    pub(super) label: &'a str,
    /// Cost of stretching a passphrase.
    pub(super) cost: StretchCost,
}

impl Appliance {
    /// Makes the data directory and its first administrator, in one go.
    pub fn create(settings: Settings, new: &NewAppliance<'_>) -> Result<Appliance> {
        Self::create_watched(settings, new, Witnesses::default())
    }

    /// Like [`Appliance::create`], by the clock of a witness: for demonstrations and tests.
    pub fn create_watched(
        settings: Settings,
        new: &NewAppliance<'_>,
        witnesses: Witnesses,
    ) -> Result<Appliance> {
        // A directory without an administrator would be of no use to anybody.
        auth::check_new_user(new.administrator, new.password)?;
        let house = NewHouse {
            secret: new.secret,
            label: new.label,
            cost: new.cost,
        };
        let appliance = Self::create_house(settings, &house, witnesses.clock)?;
        let now = appliance.clock.now();
        appliance.change(now, |tx| {
            let administrator = auth::create_user(
                tx,
                &NewUser {
                    login: new.administrator,
                    role: Role::Administrator,
                    password: new.password,
                    grants: &[],
                },
                LoginCost::default(),
                &*appliance.entropy,
                now.compliance,
            )?;
            let draft = Draft::new(EntryActor::system(), Action::UserAdd, "init")
                .object(administrator.id)
                .word("role", Role::Administrator.name());
            appliance.log(tx, now, draft, None)
        })?;
        appliance.sign_log()?;
        Ok(appliance)
    }

    /// Makes the data directory and the first entry of its log, without a user.
    pub(super) fn create_house(
        settings: Settings,
        new: &NewHouse<'_>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Appliance> {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let vault = Vault::create(
            &NewVault {
                root: &settings.data,
                keys: settings.keys_dir.as_deref(),
                secret: new.secret,
                label: new.label,
                cost: new.cost,
            },
            Arc::clone(&entropy),
            clock::wall(),
        )?;
        let appliance = Self::start(vault, settings, entropy, clock)?;
        let now = appliance.clock.now();
        appliance.change(now, |tx| {
            let draft = Draft::new(EntryActor::system(), Action::StoreCreate, "init");
            appliance.log(tx, now, draft, None)
        })?;
        Ok(appliance)
    }

    /// Opens the data directory with a secret of any slot, replays what a crash left behind and
    /// rebuilds what of the index did not open (`notices` tells). An older copy is opened in
    /// quarantine: for reading alone.
    pub fn open(settings: Settings, secret: &Secret) -> Result<Appliance> {
        Self::open_watched(settings, secret, Witnesses::default())
    }

    /// Like [`Appliance::open`], with witnesses of what is sealed and of the points that are
    /// reached: for tests of the protocols.
    pub fn open_watched(
        settings: Settings,
        secret: &Secret,
        witnesses: Witnesses,
    ) -> Result<Appliance> {
        let entropy: Arc<dyn Entropy> = match witnesses.seals {
            None => Arc::new(SystemEntropy),
            Some(seals) => Arc::new(WatchedEntropy::new(Arc::new(SystemEntropy), seals)),
        };
        let mut vault = Vault::open(
            &settings.data,
            settings.keys_dir.as_deref(),
            secret,
            Arc::clone(&entropy),
            clock::wall(),
        )?;
        if let Some(milestones) = witnesses.milestones {
            vault.milestones = milestones;
        }
        let mut appliance = Self::start(vault, settings, entropy, witnesses.clock)?;
        appliance.enter_quarantine()?;
        if appliance.quarantine.is_some() {
            return Ok(appliance);
        }
        appliance.keep_clock()?;
        for (part, why) in appliance.archive.refused_parts() {
            appliance
                .notices
                .push(format!("index part {part} was rebuilt: {why}"));
        }
        appliance.archive.repair_index(appliance.clock.now())?;
        appliance.archive.replay_outbox(appliance.clock.now())?;
        appliance.finish_purges()?;
        appliance.close_interrupted_imports()?;
        appliance.close_interrupted_backups()?;
        appliance.close_interrupted_exports()?;
        appliance.cut_jobs_off()?;
        appliance.cut_acts_off()?;
        appliance.advance_requests()?;
        Ok(appliance)
    }

    /// Finishes what a purge decided before it was cut off.
    fn finish_purges(&mut self) -> Result<()> {
        let now = || self.clock.now();
        let context = EraseContext {
            actor: EntryActor::system(),
            request: self.request(),
            now: &now,
            backups: &self.archive,
            slice_items: SLICE_ITEMS,
        };
        for one in self.archive.resume_erasures(&context)? {
            self.notices.push(format!(
                "purge {} was cut off: what it had decided is finished, {} messages wait for it to \
                 go on",
                one.batch, one.waiting
            ));
        }
        Ok(())
    }

    /// What opening had to mend, in words; empty as a rule.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Ends in order: signs and publishes the log, empties the write-ahead log.
    pub fn close(&self) -> Result<()> {
        if self.quarantine.is_none() {
            self.keep_clock()?;
            self.sign_log()?;
        }
        Ok(self.archive.store().checkpoint()?)
    }

    pub(super) fn start(
        vault: Vault,
        settings: Settings,
        entropy: Arc<dyn Entropy>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Appliance> {
        let archive = Archive::open(vault, settings.archive)?;
        let rows = archive.store().read()?;
        let last = LogEnd::read(&rows).map_err(|error| AppError::Integrity(error.to_string()))?;
        let kept = rows.clock()?;
        let workspace = Workspace::read(&rows)?;
        drop(rows);
        let mut settings = settings;
        if let Some(zone) = workspace.zone.as_ref().filter(|_| !settings.zone_named) {
            settings.zone.clone_from(zone);
        }
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock::new(random_bytes(&*entropy))));
        Ok(Appliance {
            archive,
            clock: Clock::resumed(clock, kept, last.t_c),
            settings,
            entropy,
            names: RwLock::new(None),
            pictures: Mutex::default(),
            workspace: RwLock::new(workspace),
            importing: Mutex::new(()),
            notices: Vec::new(),
            quarantine: None,
            outward: Outward::default(),
            provider: ProviderCache::default(),
        })
    }

    /// Keeps what a long-running process must keep: compliance time, notices that nobody
    /// answered, and the log signed and published. To be called about once a minute.
    pub fn tend(&self) -> Result<()> {
        if self.quarantine.is_none() {
            self.keep_clock()?;
            self.mark_notices_due()?;
            self.sign_log()?;
        }
        Ok(())
    }

    /// The archive, for tests and benches.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn kept_workspace(&self) -> Workspace {
        let kept = self.workspace.read();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_workspace(&self, workspace: Workspace) {
        let mut kept = self
            .workspace
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *kept = workspace;
    }

    /// The present.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// What the session may see, as granted now. What a request for erasure restricted is shown to
    /// those who may see it and asked to.
    pub(super) fn scope(&self, session: &Session) -> Result<Scope> {
        if session.restricted {
            self.require(session, Right::ReadRestricted, Action::ContentView)?;
            let rows = self.archive.store().read()?;
            return Ok(auth::scope_with_restricted(&rows, &session.actor)?);
        }
        Ok(auth::scope_of(
            &*self.archive.store().read()?,
            &session.actor,
        )?)
    }

    /// Checks a right; a refusal is logged before it is told.
    pub(super) fn require(&self, session: &Session, right: Right, action: Action) -> Result<()> {
        let Err(refused) = auth::require(&session.actor, right, &action) else {
            return self.refuse_in_quarantine(right);
        };
        let now = self.clock.now();
        self.change(now, |tx| {
            let draft = self.draft(session, action).result(Outcome::Refused);
            self.log(tx, now, draft, None)
        })?;
        Err(refused.into())
    }

    /// Whether a session may pass where a right is needed, before any use-case is called. A refusal
    /// is logged before it is told.
    ///
    /// # Errors
    /// When the role does not carry the right, or nothing but reading is allowed now.
    pub fn enter(&self, session: &Session, right: Right) -> Result<()> {
        self.require(session, right, Action::AccessAsk)
    }

    /// An id that ties the entries of one request together.
    pub(super) fn request(&self) -> String {
        hex(&random_bytes::<8>(&*self.entropy))
    }

    /// An entry by this session about an act.
    pub(super) fn draft(&self, session: &Session, action: Action) -> Draft {
        let actor = EntryActor {
            id: session.actor.id.to_string(),
            role: Some(session.actor.role),
            login: session.login.clone(),
            auth_strength: session.strength,
        };
        let draft = Draft::new(actor, action, self.request());
        match session.restricted {
            true => draft.word("restricted", "shown"),
            false => draft,
        }
    }

    /// Appends an entry in the caller's transaction.
    pub(super) fn log(
        &self,
        tx: &WriteTx<'_>,
        now: Now,
        draft: Draft,
        payload: Option<&[u8]>,
    ) -> Result<Appended> {
        Ok(self.archive.log(tx, now, draft, payload)?)
    }

    /// Runs `act` in one transaction. An error undoes everything.
    pub(super) fn change<T>(
        &self,
        now: Now,
        act: impl FnOnce(&WriteTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut failure = None;
        let done = self.archive.write(now, |tx| match act(tx) {
            Ok(value) => Ok(value),
            Err(error) => {
                failure = Some(error);
                Err(crate::archive::ArchiveError::Malformed("undone on purpose"))
            }
        });
        match (done, failure) {
            (_, Some(error)) => Err(error),
            (done, None) => Ok(done?),
        }
    }

    /// Kept names, if no import came since.
    pub(super) fn kept_names(&self, imports: u64) -> Option<Arc<NameIndex>> {
        let kept = self.names.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .filter(|(of, _)| *of == imports)
            .map(|(_, names)| Arc::clone(names))
    }

    /// Keeps names that were opened after so many imports.
    pub(super) fn keep_names(&self, imports: u64, names: &Arc<NameIndex>) {
        let mut kept = self.names.write().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((imports, Arc::clone(names)));
    }

    /// Forgets the opened names: they changed.
    pub(super) fn names_changed(&self) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
