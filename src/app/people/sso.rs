//! Signing in at the provider: the way there, the way back, and what becomes of who came.

use serde_json::{Map, Value};

use super::super::{AppError, Appliance, Result};
use super::users::{regrant, starting_grants};
use super::{Session, SignIn, WebSession};
use crate::audit::{Action, AuthStrength, Draft, EntryActor, Outcome};
use crate::auth::sso::{
    Attempt, BrowserKey, Callback, Expected, IdToken, SsoConfig, SsoPurpose, authorization_address,
    begin_attempt, exchange_code, login_of, role_of, take_attempt,
};
use crate::auth::{
    self, AuthError, SessionKey, SsoRefusal, create_unlocked_user, end_access, find_session,
    prove_session,
};
use crate::crypto::{Digest, hex, hmac_sha256};
use crate::domain::{Now, Right, Role, UserId};
use crate::store::{Rows, SsoBindingRow, UserRow, WriteTx};

/// Path of the way back, which a provider is told and must know.
pub const SSO_CALLBACK: &str = "/sso/callback";
/// Seconds that the clock of a provider may be behind ours when it says when somebody proved it.
const PROOF_LEEWAY_SECONDS: i64 = 60;

/// What the page of signing in says of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoOffer {
    /// Host of the provider.
    pub host: String,
    /// Whether passwords are refused, but for the emergency administrator.
    pub only: bool,
}

/// Why somebody is sent to the provider.
#[derive(Clone, Copy, Debug)]
pub enum SsoAsk<'a> {
    /// To sign in.
    SignIn,
    /// To prove once more who they are.
    StepUp(&'a Session),
    /// To see what the provider says of them; for whoever manages users.
    Test(&'a Session),
}

/// A browser is sent to the provider.
#[derive(Clone, Debug)]
pub struct SsoDeparture {
    /// Where to.
    pub location: String,
    /// What its cookie holds meanwhile.
    pub browser: BrowserKey,
}

/// What the provider says of somebody, and what would become of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedClaims {
    /// Everything in the token.
    pub claims: Map<String, Value>,
    /// The role their groups give.
    pub role: Option<Role>,
    /// Who they are here, if they are bound already.
    pub known_as: Option<String>,
    /// The login they would get.
    pub login: String,
}

/// What became of a browser that came back.
#[derive(Debug)]
pub enum SsoArrival {
    /// Signed in: the key for the cookie, the session, and the path to go on with.
    In(SessionKey, Box<WebSession>, String),
    /// Recognised: the session of this key opens when a second person confirms it.
    Waits(SessionKey),
    /// It was proved once more; the path to go on with.
    Proved(String),
    /// What the provider says, for the page of the test.
    Claims(Box<ReceivedClaims>),
    /// Refused, on the way for which it was begun.
    Refused(SsoPurpose, SsoRefusal),
}

/// A token that was checked, and who it means.
struct Proof {
    token: IdToken,
    config: SsoConfig,
    lookup: Digest,
}

impl Appliance {
    /// The provider, for the page of signing in; `None` without one.
    pub fn sso_offer(&self) -> Result<Option<SsoOffer>> {
        let rows = self.archive.store().read()?;
        let Some(row) = rows.sso_provider()? else {
            return Ok(None);
        };
        Ok(Some(SsoOffer {
            host: self.sso_config_in(&rows)?.host(),
            only: row.passwords_refused,
        }))
    }

    /// Sends a browser to the provider. `origin` is how the browser names us, without a path.
    ///
    /// # Errors
    /// [`SsoRefusal::NotConfigured`], [`SsoRefusal::Unreachable`], [`SsoRefusal::Metadata`].
    pub fn sso_depart(&self, ask: SsoAsk<'_>, back: &str, origin: &str) -> Result<SsoDeparture> {
        let purpose = match ask {
            SsoAsk::SignIn => SsoPurpose::SignIn,
            SsoAsk::StepUp(session) => SsoPurpose::StepUp(session.by),
            SsoAsk::Test(session) => {
                self.require(session, Right::ManageUsers, Action::ProviderTest)?;
                SsoPurpose::Test(session.by)
            }
        };
        let config = self.sso_config()?;
        let now = self.clock.now();
        let metadata = self.provider.metadata(&config, &self.outward, now)?;
        let (browser, secrets) = self.change(now, |tx| {
            let key = self.archive.derived_key("sso");
            Ok(begin_attempt(tx, &key, purpose, back, now, &*self.entropy)?)
        })?;
        let redirect = redirect(&config, origin);
        Ok(SsoDeparture {
            location: authorization_address(&config, &metadata, &secrets, purpose, &redirect),
            browser,
        })
    }

    /// Takes a browser back from the provider. Its state is used up first, whatever comes of it.
    ///
    /// # Errors
    /// When the record or the machine fails; a refusal is an answer, and is logged before it is told.
    pub fn sso_arrive(
        &self,
        back: &Callback,
        browser: Option<&BrowserKey>,
        origin: &str,
    ) -> Result<SsoArrival> {
        let now = self.clock.now();
        let taken = self.change(now, |tx| {
            let key = self.archive.derived_key("sso");
            match take_attempt(tx, &key, &back.state, browser, now) {
                Err(AuthError::Sso(refusal)) => Ok(Err(refusal)),
                taken => Ok(Ok(taken?)),
            }
        })?;
        let attempt = match taken {
            Ok(attempt) => attempt,
            Err(refusal) => return self.sso_refused(SsoPurpose::SignIn, None, refusal),
        };
        match self.arrived(back, &attempt, origin) {
            Err(AppError::Auth(AuthError::Sso(refusal))) => {
                self.sso_refused(attempt.purpose, None, refusal)
            }
            Err(AppError::Auth(AuthError::LastAdministrator)) => {
                self.sso_refused(attempt.purpose, None, SsoRefusal::LastAdministrator)
            }
            done => done,
        }
    }

    fn arrived(&self, back: &Callback, attempt: &Attempt, origin: &str) -> Result<SsoArrival> {
        let proof = self.prove(back, attempt, origin)?;
        match attempt.purpose {
            SsoPurpose::SignIn => self.sso_sign_in(&proof, attempt),
            SsoPurpose::StepUp(session) => self.sso_step_up(&proof, attempt, &session),
            SsoPurpose::Test(session) => self.sso_shown(&proof, &session),
        }
    }

    /// The code becomes a token, and the token is checked.
    fn prove(&self, back: &Callback, attempt: &Attempt, origin: &str) -> Result<Proof> {
        let config = self.sso_config()?;
        let (provider, outward, secrets) = (&self.provider, &self.outward, &attempt.secrets);
        let metadata = provider.metadata(&config, outward, self.clock.now())?;
        let redirect = redirect(&config, origin);
        let token = exchange_code(&config, &metadata, outward, back, secrets, &redirect)?;
        // Asking took its time.
        let now = self.clock.now();
        let expected = Expected {
            issuer: &config.issuer,
            client_id: &config.client_id,
            nonce: &secrets.nonce,
            now: now.wall,
        };
        let token = provider.open_token(&config, &metadata, outward, &token, &expected, now)?;
        let lookup = self.sso_lookup(&config.issuer, &token.subject);
        Ok(Proof {
            token,
            config,
            lookup,
        })
    }

    fn sso_sign_in(&self, proof: &Proof, attempt: &Attempt) -> Result<SsoArrival> {
        let now = self.clock.now();
        let done = self.change(now, |tx| {
            let user = match self.sso_user(tx, proof, now)? {
                Ok(user) => user,
                Err(refused) => return Ok(Err(refused)),
            };
            Ok(Ok(self.begin(tx, &user, AuthStrength::Provider, now)?))
        })?;
        match done {
            Ok(SignIn::In(key, web)) => {
                Ok(SsoArrival::In(key, Box::new(web), attempt.back.clone()))
            }
            Ok(SignIn::Waits(key)) => Ok(SsoArrival::Waits(key)),
            // A provider asks for its own second factor.
            Ok(SignIn::CodeNeeded) => Err(AuthError::Refused.into()),
            Err((user, refusal)) => self.sso_refused(attempt.purpose, user, refusal),
        }
    }

    /// The user somebody at the provider is, in the role their groups give now; made on the first day.
    fn sso_user(
        &self,
        tx: &WriteTx<'_>,
        proof: &Proof,
        now: Now,
    ) -> Result<std::result::Result<UserRow, (Option<UserId>, SsoRefusal)>> {
        let role = role_of(&proof.config, &proof.token.claims);
        let Some(mut user) = self.sso_bound(tx, &proof.lookup)? else {
            let Some(role) = role else {
                return Ok(Err((None, SsoRefusal::NoRole)));
            };
            return match self.sso_new_user(tx, proof, role, now) {
                Err(AppError::Auth(AuthError::Taken(_))) => Ok(Err((None, SsoRefusal::Taken))),
                made => made.map(Ok),
            };
        };
        if user.disabled {
            return Ok(Err((Some(user.id), SsoRefusal::Disabled)));
        }
        let Some(role) = role else {
            // What they are signed in with elsewhere rested on the role too.
            end_access(tx, user.no, None)?;
            return Ok(Err((Some(user.id), SsoRefusal::NoRole)));
        };
        if user.role != role {
            self.refuse_in_quarantine(Right::ManageUsers)?;
            user = auth::set_role(tx, &user.login, role)?;
            regrant(tx, &user)?;
            let draft = self.provider_draft(Action::UserRole).object(user.id);
            self.log(tx, now, draft.word("role", role.name()), None)?;
        }
        Ok(Ok(user))
    }

    fn sso_bound(&self, rows: &Rows, lookup: &Digest) -> Result<Option<UserRow>> {
        match rows.sso_binding(lookup)? {
            Some(binding) => Ok(rows.user(binding.user)?),
            None => Ok(None),
        }
    }

    fn sso_new_user(
        &self,
        tx: &WriteTx<'_>,
        proof: &Proof,
        role: Role,
        now: Now,
    ) -> Result<UserRow> {
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let login = login_of(&proof.token.claims, &hex(&proof.lookup));
        let grants = starting_grants(role);
        let entropy = &*self.entropy;
        let made = create_unlocked_user(tx, &login, role, grants, entropy, now.compliance)?;
        tx.put_sso_binding(&SsoBindingRow {
            lookup: proof.lookup,
            user: made.no,
            since: now.compliance,
        })?;
        let added = self.provider_draft(Action::UserAdd).object(made.id);
        let added = added.word("role", role.name());
        self.log(tx, now, added, Some(login.as_bytes()))?;
        let bound = self.provider_draft(Action::UserBind).object(made.id);
        self.log(tx, now, bound, None)?;
        let user = tx.user(made.no)?;
        user.ok_or_else(|| AppError::NotFound(made.id.to_string()))
    }

    /// Takes the proof of somebody who is signed in: theirs, and of after they were asked.
    fn sso_step_up(
        &self,
        proof: &Proof,
        attempt: &Attempt,
        session: &Digest,
    ) -> Result<SsoArrival> {
        let began = attempt.began.wall.seconds() - PROOF_LEEWAY_SECONDS;
        if proof.token.auth_time.is_none_or(|proved| proved < began) {
            return Err(AuthError::Sso(SsoRefusal::NotFresh).into());
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            let found = find_session(tx, session, now)?;
            let user = self.sso_bound(tx, &proof.lookup)?;
            if user.as_ref() != Some(&found.user) {
                return Err(AuthError::Sso(SsoRefusal::OtherPerson).into());
            }
            prove_session(tx, session, AuthStrength::Provider, now)?;
            let web = self.web_in(tx, session, now)?;
            let draft = self.draft(&web.session, Action::LoginProve);
            self.log(tx, now, draft.object(found.user.id), None)
        })?;
        Ok(SsoArrival::Proved(attempt.back.clone()))
    }

    /// Shows what the provider says, to whoever asked and still may; nobody is signed in by it.
    fn sso_shown(&self, proof: &Proof, session: &Digest) -> Result<SsoArrival> {
        let now = self.clock.now();
        let (session, known_as) = {
            let rows = self.archive.store().read()?;
            let found = find_session(&rows, session, now)?;
            let known_as = self.sso_bound(&rows, &proof.lookup)?;
            (self.web_of(&rows, &found)?.session, known_as)
        };
        self.require(&session, Right::ManageUsers, Action::ProviderTest)?;
        let claims = &proof.token.claims;
        self.change(now, |tx| {
            let draft = self.draft(&session, Action::ProviderTest);
            self.log(tx, now, draft.count("claims", claims.len() as u64), None)
        })?;
        Ok(SsoArrival::Claims(Box::new(ReceivedClaims {
            claims: claims.clone(),
            role: role_of(&proof.config, claims),
            known_as: known_as.map(|user| user.login),
            login: login_of(claims, &hex(&proof.lookup)),
        })))
    }

    /// Logs that somebody who came from the provider was not let in, with the class of the reason.
    fn sso_refused(
        &self,
        purpose: SsoPurpose,
        user: Option<UserId>,
        refusal: SsoRefusal,
    ) -> Result<SsoArrival> {
        let now = self.clock.now();
        self.change(now, |tx| {
            let action = match purpose {
                SsoPurpose::SignIn => Action::Login,
                SsoPurpose::StepUp(_) => Action::LoginProve,
                SsoPurpose::Test(_) => Action::ProviderTest,
            };
            let mut draft = self.provider_draft(action).result(Outcome::Refused);
            draft.reason_code = Some(refusal.class().to_owned());
            if let Some(user) = user {
                draft = draft.object(user);
            }
            self.log(tx, now, draft, None)
        })?;
        Ok(SsoArrival::Refused(purpose, refusal))
    }

    /// Who somebody at a provider is, as the record knows them.
    pub(super) fn sso_lookup(&self, issuer: &str, subject: &str) -> Digest {
        let key = self.archive.derived_key("sso-subject");
        let length = (issuer.len() as u64).to_be_bytes();
        hmac_sha256(
            key.expose(),
            &[&length, issuer.as_bytes(), subject.as_bytes()],
        )
    }

    fn provider_draft(&self, action: Action) -> Draft {
        let mut actor = EntryActor::system();
        actor.auth_strength = AuthStrength::Provider;
        Draft::new(actor, action, self.request()).word("way", "sso")
    }
}

/// Where the provider sends browsers back to.
fn redirect(config: &SsoConfig, origin: &str) -> String {
    let origin = config.address.as_deref().unwrap_or(origin);
    format!("{origin}{SSO_CALLBACK}")
}
