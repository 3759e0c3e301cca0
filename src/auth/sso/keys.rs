//! The public keys of a provider (RFC 7517): those that sign, of the kinds we check.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::super::{AuthError, Result, SsoRefusal};
use super::metadata::{DOCUMENT_BYTES_MAX, FINE};
use super::{Fetch, Metadata, Outgoing, SsoConfig};
use crate::crypto::{JwsAlgorithm, JwsKey};

/// Most keys of a provider that are looked at.
const KEYS_MAX: usize = 64;

/// The keys of a provider.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<(Option<String>, JwsKey)>);

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys that are not for signatures, or of other kinds, are passed over.
    ///
    /// # Errors
    /// [`SsoRefusal::Metadata`] when it is none, or has too many keys.
    pub fn read(document: &[u8]) -> Result<KeySet> {
        let wrong = |why: String| AuthError::Sso(SsoRefusal::Metadata(why));
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| wrong(format!("its keys cannot be read: {error}")))?;
        if document.keys.len() > KEYS_MAX {
            return Err(wrong(format!("it has more than {KEYS_MAX} keys")));
        }
        let keys = document.keys.into_iter();
        Ok(KeySet(keys.filter_map(read_key).collect()))
    }

    /// How many can be used.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none can be used.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key a token names, for its algorithm: by name, or the only one where it names none. Whether
    /// the name is known at all is for the caller to ask elsewhere.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: JwsAlgorithm) -> Option<&JwsKey> {
        let mut fitting = self.0.iter().filter(|(name, key)| {
            key.algorithm() == algorithm && kid.is_none_or(|kid| name.as_deref() == Some(kid))
        });
        match (fitting.next(), fitting.next()) {
            (Some((_, key)), None) => Some(key),
            _ => None,
        }
    }
}

/// Asks a provider for its keys.
pub(super) fn fetch_keys(
    config: &SsoConfig,
    metadata: &Metadata,
    fetch: &dyn Fetch,
) -> Result<KeySet> {
    let answer = fetch.fetch(&Outgoing {
        address: &metadata.keys,
        form: None,
        authorization: None,
        authority: config.authority.as_deref(),
        bytes_max: DOCUMENT_BYTES_MAX,
    })?;
    match answer.status {
        FINE => KeySet::read(&answer.body),
        status => Err(AuthError::Sso(SsoRefusal::Metadata(format!(
            "{} answered {status}",
            metadata.keys
        )))),
    }
}

fn read_key(value: Value) -> Option<(Option<String>, JwsKey)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    if jwk.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |text: &Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
    let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => JwsKey::rsa(&bytes(&jwk.n)?, &bytes(&jwk.e)?)?,
        ("EC", Some("P-256")) => JwsKey::p256(&bytes(&jwk.x)?, &bytes(&jwk.y)?)?,
        ("OKP", Some("Ed25519")) => JwsKey::ed25519(&bytes(&jwk.x)?)?,
        _ => return None,
    };
    match jwk.alg {
        Some(alg) if alg != key.algorithm().name() => None,
        _ => Some((jwk.kid, key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn m3_only_keys_that_sign_and_that_we_know_are_held() {
        let set = format!(
            r#"{{"keys":[
            {{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"a"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"enc","use":"enc"}},
            {{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"other","alg":"ES256"}},
            {{"kty":"oct","k":"c2VjcmV0","kid":"shared"}},
            {{"kty":"EC","crv":"P-384","x":"{X}","y":"{X}","kid":"big"}},
            {{"kid":7}}, 5
            ]}}"#
        );
        let set = KeySet::read(set.as_bytes()).unwrap();
        assert_eq!(set.len(), 1);
        assert!(set.find(Some("a"), JwsAlgorithm::EdDsa).is_some());
        assert!(set.find(None, JwsAlgorithm::EdDsa).is_some());
        assert!(set.find(Some("a"), JwsAlgorithm::Rs256).is_none());
        assert!(set.find(Some("b"), JwsAlgorithm::EdDsa).is_none());
        assert!(KeySet::read(b"[]").is_err());
        let many = format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(KEYS_MAX));
        assert!(KeySet::read(many.as_bytes()).is_err());
    }

    #[test]
    fn m3_two_keys_of_one_name_are_no_key() {
        let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"a"}}"#);
        let set = KeySet::read(format!(r#"{{"keys":[{key},{key}]}}"#).as_bytes()).unwrap();
        assert!(set.find(Some("a"), JwsAlgorithm::EdDsa).is_none());
    }
}
