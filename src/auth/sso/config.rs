//! Which provider, known to it as what, and which of its groups gives which role.

use std::fmt;

use zeroize::Zeroizing;

use super::super::{AuthError, Result};
use super::Address;
use crate::domain::Role;

/// Longest client id, name of a claim, name of a group: in bytes.
const WORD_BYTES_MAX: usize = 256;
/// Longest client secret, in bytes.
const SECRET_BYTES_MAX: usize = 4_096;
/// Longest file of authorities, in bytes.
const AUTHORITY_BYTES_MAX: usize = 256 << 10;
/// Most groups that give a role.
const MAP_MAX: usize = 200;
/// Texts before the map.
const TEXTS: usize = 6;

/// Which groups give which role; the first that fits, in order, counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMap(pub Vec<(String, Role)>);

/// A provider, as somebody configured it. Debug output hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SsoConfig {
    /// The issuer, word for word as its tokens say it.
    pub issuer: String,
    /// How the provider knows us.
    pub client_id: String,
    /// What we prove it with; without one the code is bound to us by PKCE alone.
    pub secret: Option<Zeroizing<String>>,
    /// The claim that lists the groups: a name, or names of objects in each other with dots.
    pub claim: String,
    /// The address under which people open the archive, where browsers do not say it (a proxy).
    pub address: Option<String>,
    /// PEM of an authority of the house that vouches for the provider.
    pub authority: Option<String>,
    /// Groups to roles.
    pub map: RoleMap,
}

impl fmt::Debug for SsoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SsoConfig")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

impl SsoConfig {
    /// Checks what somebody wrote.
    ///
    /// # Errors
    /// [`AuthError::SsoConfig`] says what is wrong.
    pub fn check(&self) -> Result<()> {
        let wrong = |why: &str| Err(AuthError::SsoConfig(why.to_owned()));
        let typed = |text: &str| Address::typed(text).map_err(AuthError::SsoConfig);
        let issuer = typed(&self.issuer)?;
        if issuer.path().contains('?') {
            return wrong("an issuer has no question mark");
        }
        if let Some(address) = &self.address {
            let read = typed(address)?;
            if read.path() != "/" || address.ends_with('/') {
                return wrong("the address ends with the host: https://archive.example");
            }
        }
        if !is_word(&self.client_id) {
            return wrong("a client id has 1 to 256 bytes and no control characters");
        }
        if !is_word(&self.claim) {
            return wrong("the claim has 1 to 256 bytes and no control characters");
        }
        if self.map.0.len() > MAP_MAX || !self.map.0.iter().all(|(group, _)| is_word(group)) {
            return wrong("at most 200 groups give a role; a group has 1 to 256 bytes");
        }
        let secret = self.secret.as_ref().map_or(1, |secret| secret.len());
        if !(1..=SECRET_BYTES_MAX).contains(&secret) {
            return wrong("the client secret is empty, or beyond 4,096 bytes");
        }
        match self.authority.as_ref().map_or(0, String::len) > AUTHORITY_BYTES_MAX {
            true => wrong("the file of authorities is beyond 256 KiB"),
            false => Ok(()),
        }
    }

    /// What is kept of it, sealed.
    pub fn texts(&self) -> Zeroizing<Vec<String>> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let secret = self.secret.as_ref().map(|secret| secret.as_str());
        let mut texts = vec![
            self.issuer.clone(),
            self.client_id.clone(),
            secret.unwrap_or_default().to_owned(),
            self.claim.clone(),
            or_empty(&self.address),
            or_empty(&self.authority),
        ];
        for (group, role) in &self.map.0 {
            texts.extend([group.clone(), role.name().to_owned()]);
        }
        Zeroizing::new(texts)
    }

    /// Reads what [`SsoConfig::texts`] gave; `None` for anything else.
    pub fn from_texts(texts: Vec<String>) -> Option<SsoConfig> {
        let mut texts = texts.into_iter();
        let head: Vec<String> = texts.by_ref().take(TEXTS).collect();
        let [issuer, client_id, secret, claim, address, authority] = head.try_into().ok()?;
        let some = |text: String| (!text.is_empty()).then_some(text);
        let mut map = Vec::new();
        while let Some(group) = texts.next() {
            map.push((group, Role::from_name(&texts.next()?)?));
        }
        Some(SsoConfig {
            issuer,
            client_id,
            secret: some(secret).map(Zeroizing::new),
            claim,
            address: some(address),
            authority: some(authority),
            map: RoleMap(map),
        })
    }

    /// Host of the issuer, as buttons name it.
    pub fn host(&self) -> String {
        let address = Address::read(&self.issuer);
        address.map_or_else(|_| self.issuer.clone(), |one| one.authority().to_owned())
    }
}

fn is_word(text: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> SsoConfig {
        SsoConfig {
            issuer: "https://id.example/realms/a".to_owned(),
            client_id: "wordkeep".to_owned(),
            secret: Some(Zeroizing::new("hush".to_owned())),
            claim: "groups".to_owned(),
            address: None,
            authority: None,
            map: RoleMap(vec![("legal".to_owned(), Role::Lawyer)]),
        }
    }

    #[test]
    fn m3_what_is_kept_reads_back_and_the_secret_stays_hidden() {
        let mut config = config();
        let read = |config: &SsoConfig| SsoConfig::from_texts(config.texts().to_vec());
        assert_eq!(read(&config).as_ref(), Some(&config));
        config.secret = None;
        config.address = Some("https://archive.example".to_owned());
        assert_eq!(read(&config).as_ref(), Some(&config));
        assert_eq!(config.host(), "id.example");
        assert!(!format!("{:?}", self::tests::config()).contains("hush"));
        assert!(SsoConfig::from_texts(vec![String::new(); 7]).is_none());
    }

    #[test]
    fn m3_a_wrong_configuration_is_told() {
        config().check().unwrap();
        for (change, said) in [
            (
                (|one| one.issuer = "http://id.example".to_owned()) as fn(&mut SsoConfig),
                "https",
            ),
            (
                |one| one.issuer = "https://id.example/?a".to_owned(),
                "question",
            ),
            (|one| one.client_id.clear(), "client id"),
            (|one| one.claim = "a\nb".to_owned(), "claim"),
            (
                |one| one.address = Some("https://a.example/x".to_owned()),
                "host",
            ),
            (|one| one.secret = Some(Zeroizing::default()), "secret"),
            (|one| one.map.0[0].0.clear(), "group"),
        ] {
            let mut wrong = config();
            change(&mut wrong);
            let told = wrong.check().unwrap_err().to_string();
            assert!(told.contains(said), "{told}");
        }
    }
}
