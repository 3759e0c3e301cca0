//! The provider of single sign-on: configured, shown, tried, taken away; and who is bound to it.

use zeroize::Zeroizing;

use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended};
use crate::auth::sso::SsoConfig;
use crate::auth::{AuthError, SsoRefusal, end_provider_sessions, user_named};
use crate::domain::{Now, Right, Role, Timestamp, UserNo};
use crate::store::{Rows, SsoBindingRow, SsoProviderRow, UserRow, WriteTx};

/// A provider as asked for.
#[derive(Clone, Debug)]
pub struct NewProvider {
    /// Everything about it.
    pub config: SsoConfig,
    /// Whether passwords are refused from now on, but for one administrator.
    pub only: bool,
    /// Login of that administrator; whoever configures it, where nobody is named.
    pub break_glass: Option<String>,
}

/// The provider as it is configured, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderLine {
    /// The issuer.
    pub issuer: String,
    /// How it knows us.
    pub client_id: String,
    /// Whether we prove it with a secret.
    pub has_secret: bool,
    /// The claim that lists the groups.
    pub claim: String,
    /// The address under which people open the archive, where it was given.
    pub address: Option<String>,
    /// Whether an authority of the house vouches for it.
    pub has_authority: bool,
    /// Groups to roles, in order.
    pub map: Vec<(String, Role)>,
    /// Whether passwords are refused.
    pub only: bool,
    /// Login of the emergency administrator, where passwords are refused.
    pub break_glass: Option<String>,
    /// How many people are bound to a provider.
    pub bound: u64,
    /// When it was configured.
    pub changed: Timestamp,
}

/// What trying the provider found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderCheck {
    /// Where browsers are sent.
    pub authorization: String,
    /// Where a code becomes a token.
    pub token: String,
    /// Where the keys lie.
    pub keys_at: String,
    /// Keys that can be used.
    pub keys: usize,
    /// What is asked for.
    pub scope: String,
    /// What should be looked at; nothing of it stands in the way.
    pub notes: Vec<String>,
}

impl Appliance {
    /// Configures the provider, in the place of the one before. Where passwords are refused from now
    /// on, whatever people are signed in with by password ends, but for what this session came by.
    ///
    /// # Errors
    /// [`AuthError::SsoConfig`] says what is wrong; [`AppError::Usage`] when the emergency
    /// administrator is none.
    pub fn set_provider(&self, session: &Session, new: &NewProvider) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        self.require_person(session, &Action::ConfigChange)?;
        new.config.check()?;
        let now = self.clock.now();
        let entry = self.change(now, |tx| {
            let was_only = tx.sso_provider()?.is_some_and(|row| row.passwords_refused);
            let break_glass = match new.only {
                true => Some(emergency(tx, session, new.break_glass.as_deref())?),
                false => None,
            };
            let texts = new.config.texts();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            tx.put_sso_provider(&SsoProviderRow {
                text_no: self.archive.seal_texts(tx, &texts)?,
                passwords_refused: new.only,
                break_glass,
                changed: now.compliance,
            })?;
            if new.only && !was_only {
                end_logins(tx, session)?;
            }
            let draft = self
                .draft(session, Action::ConfigChange)
                .word("what", "sso")
                .word("act", "set")
                .count("only", u64::from(new.only))
                .count("groups", new.config.map.0.len() as u64);
            self.log(tx, now, draft, Some(new.config.issuer.as_bytes()))
        })?;
        self.provider.forget();
        Ok(entry)
    }

    /// Takes the provider away: passwords are taken again, and the sessions it vouched for end. Who is
    /// bound to it stays so.
    ///
    /// # Errors
    /// [`SsoRefusal::NotConfigured`] when there is none.
    pub fn remove_provider(&self, session: &Session) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        self.require_person(session, &Action::ConfigChange)?;
        let now = self.clock.now();
        let entry = self.change(now, |tx| {
            if !tx.delete_sso_provider()? {
                return Err(AuthError::Sso(SsoRefusal::NotConfigured).into());
            }
            end_provider_sessions(tx)?;
            let draft = self.draft(session, Action::ConfigChange);
            let draft = draft.word("what", "sso").word("act", "remove");
            self.log(tx, now, draft, None)
        })?;
        self.provider.forget();
        Ok(entry)
    }

    /// The provider as it is configured, for those who manage users; `None` without one.
    pub fn provider_line(&self, session: &Session) -> Result<Option<ProviderLine>> {
        self.require(session, Right::ManageUsers, Action::ConfigChange)?;
        let rows = self.archive.store().read()?;
        let Some(row) = rows.sso_provider()? else {
            return Ok(None);
        };
        let config = self.sso_config_in(&rows)?;
        let break_glass = match row.break_glass {
            Some(no) => rows.user(no)?.map(|user| user.login),
            None => None,
        };
        Ok(Some(ProviderLine {
            issuer: config.issuer,
            client_id: config.client_id,
            has_secret: config.secret.is_some(),
            claim: config.claim,
            address: config.address,
            has_authority: config.authority.is_some(),
            map: config.map.0,
            only: row.passwords_refused,
            break_glass,
            bound: rows.sso_bindings()?,
            changed: row.changed,
        }))
    }

    /// Asks the provider about itself and for its keys, anew.
    ///
    /// # Errors
    /// [`SsoRefusal`] with what is wrong.
    pub fn check_provider(&self, session: &Session) -> Result<ProviderCheck> {
        self.require(session, Right::ManageUsers, Action::ProviderTest)?;
        let config = self.sso_config()?;
        let now = self.clock.now();
        self.provider.forget();
        let metadata = self.provider.metadata(&config, &self.outward, now)?;
        let keys = self.provider.keys(&config, &metadata, &self.outward, now)?;
        if keys.is_empty() {
            let why = "it shows no key that can be used".to_owned();
            return Err(AuthError::Sso(SsoRefusal::Metadata(why)).into());
        }
        let mut notes = metadata.notes.clone();
        if config.map.0.is_empty() {
            notes.push("no group gives a role: nobody new is let in".to_owned());
        }
        Ok(ProviderCheck {
            authorization: metadata.authorization.to_string(),
            token: metadata.token.to_string(),
            keys_at: metadata.keys.to_string(),
            keys: keys.len(),
            scope: metadata.scope.clone(),
            notes,
        })
    }

    /// Binds a user who was there before the provider to somebody at it: at the next sign-in there they
    /// are that user, in the role their groups give.
    ///
    /// # Errors
    /// [`AuthError::Unknown`]; [`AppError::Conflict`] when that somebody is another user already.
    pub fn bind_user(&self, session: &Session, login: &str, subject: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserBind)?;
        let config = self.sso_config()?;
        let lookup = self.sso_lookup(&config.issuer, subject);
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = user_named(tx, login)?;
            let bound = tx.sso_binding(&lookup)?;
            if bound.is_some_and(|bound| bound.user != user.no) {
                return Err(AppError::Conflict(
                    "this subject is another user already".to_owned(),
                ));
            }
            tx.put_sso_binding(&SsoBindingRow {
                lookup,
                user: user.no,
                since: now.compliance,
            })?;
            let draft = self
                .draft(session, Action::UserBind)
                .object(user.id)
                .word("way", "administrator");
            self.log(tx, now, draft, Some(subject.as_bytes()))
        })
    }

    /// The provider.
    ///
    /// # Errors
    /// [`SsoRefusal::NotConfigured`].
    pub(super) fn sso_config(&self) -> Result<SsoConfig> {
        self.sso_config_in(&*self.archive.store().read()?)
    }

    pub(super) fn sso_config_in(&self, rows: &Rows) -> Result<SsoConfig> {
        let row = rows.sso_provider()?;
        let row = row.ok_or(AuthError::Sso(SsoRefusal::NotConfigured))?;
        let texts = Zeroizing::new(self.archive.open_texts(rows, row.text_no)?);
        SsoConfig::from_texts(texts.to_vec()).ok_or_else(|| {
            AppError::Integrity("the configuration of single sign-on cannot be read".to_owned())
        })
    }

    /// Whether somebody may come by password. Where only the provider signs people in, one
    /// administrator may, and everybody else is refused alike, whatever they typed.
    pub(super) fn by_password(
        &self,
        rows: &Rows,
        recognised: std::result::Result<UserRow, AuthError>,
    ) -> std::result::Result<UserRow, AuthError> {
        let provider = rows.sso_provider()?;
        let Some(provider) = provider.filter(|provider| provider.passwords_refused) else {
            return recognised;
        };
        match recognised {
            Ok(user) if is_emergency(&user, provider.break_glass) => Ok(user),
            Ok(_) | Err(AuthError::Refused) => Err(AuthError::ProviderOnly),
            Err(other) => Err(other),
        }
    }

    /// Makes an administrator the emergency one, where passwords are refused: whoever has the host made
    /// them, or gave them a password, to come in by.
    pub(super) fn make_emergency(&self, tx: &WriteTx<'_>, user: UserNo, now: Now) -> Result<()> {
        let provider = tx.sso_provider()?;
        if let Some(provider) = provider.filter(|provider| provider.passwords_refused) {
            tx.put_sso_provider(&SsoProviderRow {
                break_glass: Some(user),
                changed: now.compliance,
                ..provider
            })?;
        }
        Ok(())
    }
}

fn is_emergency(user: &UserRow, named: Option<UserNo>) -> bool {
    named == Some(user.no) && user.role == Role::Administrator && !user.disabled
}

/// The administrator who comes by password when the provider fails.
fn emergency(tx: &WriteTx<'_>, session: &Session, login: Option<&str>) -> Result<UserNo> {
    let user = match login {
        Some(login) => user_named(tx, login)?,
        None => tx.user(session.actor.no)?.ok_or(AuthError::Session)?,
    };
    match is_emergency(&user, Some(user.no)) {
        true => Ok(user.no),
        false => Err(AppError::Usage(format!(
            "\"{}\" is no administrator who may sign in: name one with --break-glass",
            user.login
        ))),
    }
}

/// Ends what people are signed in with; tokens of programs stay.
fn end_logins(tx: &WriteTx<'_>, session: &Session) -> Result<()> {
    for user in tx.users()? {
        tx.delete_web_sessions(user.no, Some(&session.by))?;
        tx.delete_logins(user.no, Some(&session.by))?;
    }
    Ok(())
}
