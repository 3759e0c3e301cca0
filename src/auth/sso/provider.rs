//! What is known of the provider for a while: its description, and its keys.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::{AuthError, Result, SsoRefusal};
use super::keys::fetch_keys;
use super::metadata::discover;
use super::{Expected, Fetch, IdToken, KeySet, Metadata, SsoConfig, open_id_token};
use crate::domain::{Now, Timestamp};

/// Seconds a description counts.
const METADATA_SECONDS: i64 = 3_600;
/// Seconds keys count.
const KEYS_SECONDS: i64 = 3_600;
/// Seconds that pass at least before keys are asked for again because a token names one that is not
/// known: whoever makes names up does not make us ask.
pub const KEYS_AGAIN_SECONDS: i64 = 60;

/// What a provider said lately. One for a process; a change of the configuration empties it.
#[derive(Debug, Default)]
pub struct ProviderCache(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    issuer: String,
    metadata: Option<(Timestamp, Arc<Metadata>)>,
    keys: Option<(Timestamp, Arc<KeySet>)>,
    asked_again: Option<Timestamp>,
}

impl ProviderCache {
    /// The description of the provider, asked for where the last one is old.
    ///
    /// # Errors
    /// [`SsoRefusal::Unreachable`] or [`SsoRefusal::Metadata`].
    pub fn metadata(
        &self,
        config: &SsoConfig,
        fetch: &dyn Fetch,
        now: Now,
    ) -> Result<Arc<Metadata>> {
        let known = self.with(config, |known| {
            fresh(known.metadata.as_ref(), METADATA_SECONDS, now)
        });
        if let Some(metadata) = known {
            return Ok(metadata);
        }
        let metadata = Arc::new(discover(config, fetch)?);
        self.with(config, |known| {
            known.metadata = Some((now.compliance, Arc::clone(&metadata)));
        });
        Ok(metadata)
    }

    /// The keys of the provider, asked for where the last ones are old.
    ///
    /// # Errors
    /// [`SsoRefusal::Unreachable`] or [`SsoRefusal::Metadata`].
    pub fn keys(
        &self,
        config: &SsoConfig,
        metadata: &Metadata,
        fetch: &dyn Fetch,
        now: Now,
    ) -> Result<Arc<KeySet>> {
        let known = self.with(config, |known| {
            fresh(known.keys.as_ref(), KEYS_SECONDS, now)
        });
        match known {
            Some(keys) => Ok(keys),
            None => self.ask_keys(config, metadata, fetch, now),
        }
    }

    /// Checks a token. Where it names a key that is not known, the keys are asked for again, at most
    /// once a minute.
    ///
    /// # Errors
    /// As [`open_id_token`].
    pub fn open_token(
        &self,
        config: &SsoConfig,
        metadata: &Metadata,
        fetch: &dyn Fetch,
        token: &str,
        expected: &Expected<'_>,
        now: Now,
    ) -> Result<IdToken> {
        let keys = self.keys(config, metadata, fetch, now)?;
        match open_id_token(token, &keys, expected) {
            Err(AuthError::Sso(SsoRefusal::UnknownKey)) if self.may_ask_again(config, now) => {
                let keys = self.ask_keys(config, metadata, fetch, now)?;
                open_id_token(token, &keys, expected)
            }
            opened => opened,
        }
    }

    /// Forgets everything: the configuration changed.
    pub fn forget(&self) {
        *self.lock() = Known::default();
    }

    fn ask_keys(
        &self,
        config: &SsoConfig,
        metadata: &Metadata,
        fetch: &dyn Fetch,
        now: Now,
    ) -> Result<Arc<KeySet>> {
        let keys = Arc::new(fetch_keys(config, metadata, fetch)?);
        self.with(config, |known| {
            known.keys = Some((now.compliance, Arc::clone(&keys)));
        });
        Ok(keys)
    }

    fn may_ask_again(&self, config: &SsoConfig, now: Now) -> bool {
        self.with(config, |known| {
            let due = known
                .asked_again
                .is_none_or(|asked| is_old(asked, KEYS_AGAIN_SECONDS, now));
            if due {
                known.asked_again = Some(now.compliance);
            }
            due
        })
    }

    /// What is known of this issuer; what was known of another is forgotten. Nobody asks outside with
    /// the lock in hand.
    fn with<T>(&self, config: &SsoConfig, act: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.lock();
        if known.issuer != config.issuer {
            *known = Known {
                issuer: config.issuer.clone(),
                ..Known::default()
            };
        }
        act(&mut known)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fresh<T>(kept: Option<&(Timestamp, Arc<T>)>, seconds: i64, now: Now) -> Option<Arc<T>> {
    let (at, value) = kept?;
    (!is_old(*at, seconds, now)).then(|| Arc::clone(value))
}

fn is_old(at: Timestamp, seconds: i64, now: Now) -> bool {
    let age = now.compliance.0.saturating_sub(at.0);
    age >= seconds * Timestamp::MICROS_PER_SECOND
}
