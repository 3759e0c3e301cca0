//! The opened product: archive, clock and settings; every use-case is a method of it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::clock::{self, Clock, HostClock, SystemClock};
use super::entropy::SystemEntropy;
use super::{AppError, Result, Settings};
use crate::archive::{Archive, EraseContext, Milestones, NewVault, SLICE_ITEMS, Vault};
use crate::audit::{Action, Appended, AuthStrength, Draft, EntryActor, LogEnd, Outcome};
use crate::auth::{self, LoginCost, NewUser, Token, actor_of_token};
use crate::crypto::{
    Entropy, SealObserver, Secret, StretchCost, WatchedEntropy, hex, random_bytes,
};
use crate::domain::{Actor, Now, Right, Role, Scope};
use crate::search::NameIndex;
use crate::store::{GrantKind, WriteTx};

/// Somebody recognised, with how surely.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// How they were recognised.
    pub strength: AuthStrength,
    /// Whether they asked to see what a request for erasure restricted; their role must carry the
    /// right, and their entries say it.
    pub restricted: bool,
}

/// The opened product.
pub struct Appliance {
    pub(super) archive: Archive,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Opened names, with the number of imports they were read after.
    names: RwLock<Option<(u64, Arc<NameIndex>)>>,
    /// One import at a time: it is the single writer of messages.
    pub(super) importing: Mutex<()>,
    /// What opening had to mend, in words.
    pub(super) notices: Vec<String>,
    /// Why nothing but reading is allowed.
    pub(super) quarantine: Option<String>,
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
        let appliance = Self::start(vault, settings, entropy, witnesses.clock)?;
        let now = appliance.clock.now();
        appliance.change(now, |tx| {
            let system = EntryActor::system();
            appliance.log(
                tx,
                now,
                Draft::new(system.clone(), Action::StoreCreate, "init"),
                None,
            )?;
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
            let draft = Draft::new(system, Action::UserAdd, "init")
                .object(administrator.id)
                .word("role", Role::Administrator.name());
            appliance.log(tx, now, draft, None)
        })?;
        appliance.sign_log()?;
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
        drop(rows);
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock::new(random_bytes(&*entropy))));
        Ok(Appliance {
            archive,
            clock: Clock::resumed(clock, kept, last.t_c),
            settings,
            entropy,
            names: RwLock::new(None),
            importing: Mutex::new(()),
            notices: Vec::new(),
            quarantine: None,
        })
    }

    /// The archive, for tests and benches.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The settings it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The present.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Recognises the owner of a token.
    pub fn session_of_token(&self, token: &Token) -> Result<Session> {
        let rows = self.archive.store().read()?;
        let actor = actor_of_token(&rows, token, self.clock.now().compliance)?;
        Ok(Session {
            actor,
            strength: AuthStrength::Token,
            restricted: false,
        })
    }

    /// Logs in and issues a token for `days`. Refused log-ins are logged too.
    pub fn log_in(&self, login: &str, password: &str, days: u32) -> Result<(Session, Token)> {
        let recognised = {
            let rows = self.archive.store().read()?;
            auth::log_in(&rows, login, password, &*self.entropy)
        };
        let now = self.clock.now();
        let actor = match recognised {
            Ok(actor) => actor,
            Err(error) => {
                self.change(now, |tx| {
                    let mut actor = EntryActor::system();
                    actor.auth_strength = AuthStrength::Host;
                    let draft =
                        Draft::new(actor, Action::Login, self.request()).result(Outcome::Refused);
                    self.log(tx, now, draft, Some(login.as_bytes()))
                })?;
                return Err(error.into());
            }
        };
        let session = Session {
            actor,
            strength: AuthStrength::Password,
            restricted: false,
        };
        let token = self.change(now, |tx| {
            let no = session.actor.no;
            let token = auth::issue_token(tx, no, now.compliance, days, &*self.entropy)?;
            self.log(tx, now, self.draft(&session, Action::Login), None)?;
            Ok(token)
        })?;
        Ok((session, token))
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
        let Err(refused) = auth::require(&session.actor, right) else {
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
            login: None,
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

    /// Adds a user. Lawyers and records officers see everything unless `conversations` narrows it;
    /// managers see what is named.
    pub fn add_user(
        &self,
        session: &Session,
        login: &str,
        role: Role,
        password: &str,
        conversations: &[crate::domain::ConversationId],
    ) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserAdd)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut grants = Vec::new();
            for id in conversations {
                let row = tx
                    .conversation_by_id(*id)?
                    .ok_or_else(|| AppError::NotFound(id.to_string()))?;
                grants.push((GrantKind::Conversation, row.no.0));
            }
            let sees_all = matches!(role, Role::Lawyer | Role::RecordsOfficer);
            if grants.is_empty() && sees_all {
                grants.push((GrantKind::Everything, 0));
            }
            let user = auth::create_user(
                tx,
                &NewUser {
                    login,
                    role,
                    password,
                    grants: &grants,
                },
                LoginCost::default(),
                &*self.entropy,
                now.compliance,
            )?;
            let draft = self
                .draft(session, Action::UserAdd)
                .object(user.id)
                .word("role", role.name());
            self.log(tx, now, draft, Some(login.as_bytes()))
        })
    }

    /// Gives a user another role.
    pub fn set_role(&self, session: &Session, login: &str, role: Role) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserRole)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::set_role(tx, login, role)?;
            let draft = self
                .draft(session, Action::UserRole)
                .object(user.id)
                .word("role", role.name());
            self.log(tx, now, draft, None)
        })
    }

    /// Ends a user's access.
    pub fn disable_user(&self, session: &Session, login: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserDisable)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::disable_user(tx, login)?;
            self.log(
                tx,
                now,
                self.draft(session, Action::UserDisable).object(user.id),
                None,
            )
        })
    }

    /// Every user, for those who manage them.
    pub fn users(&self, session: &Session) -> Result<Vec<crate::store::UserRow>> {
        self.require(session, Right::ManageUsers, Action::UserAdd)?;
        Ok(self.archive.store().read()?.users()?)
    }
}
