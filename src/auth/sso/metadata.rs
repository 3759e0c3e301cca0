//! What a provider says of itself (OpenID Connect Discovery 1.0, section 3).

use serde::Deserialize;

use super::super::{AuthError, Result, SsoRefusal};
use super::{Address, Fetch, Outgoing, SsoConfig};
use crate::crypto::JwsAlgorithm;

/// Longest document of a provider, in bytes.
pub(super) const DOCUMENT_BYTES_MAX: usize = 256 << 10;
/// Where a provider speaks of itself, behind its issuer.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";
/// The way to bind a code to who asked for it that we use.
const CHALLENGE_METHOD: &str = "S256";
/// Status of an answer that is one.
pub(super) const FINE: u16 = 200;

/// A provider, ready to be asked.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Where browsers are sent.
    pub authorization: Address,
    /// Where a code becomes a token.
    pub token: Address,
    /// Where the keys lie.
    pub keys: Address,
    /// Whether the client proves itself in the form instead of a header.
    pub secret_in_form: bool,
    /// Whether its answers name their issuer (RFC 9207).
    pub names_itself: bool,
    /// What to ask for.
    pub scope: String,
    /// What is unusual, in words: nothing of it stands in the way.
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Where the provider of an issuer speaks of itself.
pub(super) fn well_known(issuer: &str) -> Result<Address> {
    Address::read(&format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/')))
}

/// Asks a provider about itself.
///
/// # Errors
/// [`SsoRefusal::Unreachable`], or [`SsoRefusal::Metadata`] with what is wrong.
pub(super) fn discover(config: &SsoConfig, fetch: &dyn Fetch) -> Result<Metadata> {
    let address = well_known(&config.issuer)?;
    let answer = fetch.fetch(&Outgoing {
        address: &address,
        form: None,
        authorization: None,
        authority: config.authority.as_deref(),
        bytes_max: DOCUMENT_BYTES_MAX,
    })?;
    if answer.status != FINE {
        return Err(wrong(format!("{address} answered {}", answer.status)));
    }
    Metadata::read(config, &answer.body)
}

fn wrong(why: String) -> AuthError {
    AuthError::Sso(SsoRefusal::Metadata(why))
}

impl Metadata {
    /// Reads the document and checks that it is that of the issuer and that we can go its way.
    ///
    /// # Errors
    /// [`SsoRefusal::Metadata`] with what is wrong.
    pub fn read(config: &SsoConfig, document: &[u8]) -> Result<Metadata> {
        let said: Document = serde_json::from_slice(document)
            .map_err(|error| wrong(format!("its description cannot be read: {error}")))?;
        if said.issuer != config.issuer {
            let says: String = said.issuer.chars().take(120).collect();
            return Err(wrong(format!(
                "it says that it is \"{says}\", and the configuration says \"{}\"; write it word for \
                 word alike",
                config.issuer
            )));
        }
        let mut notes = Vec::new();
        let lacks = |list: &Option<Vec<String>>, one: &str| {
            list.as_ref()
                .is_some_and(|list| !list.iter().any(|known| known == one))
        };
        if lacks(&said.response_types_supported, "code") {
            return Err(wrong("it does not offer the flow with a code".to_owned()));
        }
        match &said.code_challenge_methods_supported {
            None => notes.push("it does not say that it checks PKCE (S256)".to_owned()),
            Some(_) if lacks(&said.code_challenge_methods_supported, CHALLENGE_METHOD) => {
                return Err(wrong("it does not check PKCE with S256".to_owned()));
            }
            Some(_) => {}
        }
        let signs = &said.id_token_signing_alg_values_supported;
        let known = JwsAlgorithm::ALL;
        if known.iter().all(|one| lacks(signs, one.name())) {
            return Err(wrong(
                "it signs in no way that is taken; let it sign with RS256, ES256 or EdDSA"
                    .to_owned(),
            ));
        }
        let address = |text: &str| endpoint(config, text);
        Ok(Metadata {
            authorization: address(&said.authorization_endpoint)?,
            token: address(&said.token_endpoint)?,
            keys: address(&said.jwks_uri)?,
            secret_in_form: lacks(
                &said.token_endpoint_auth_methods_supported,
                "client_secret_basic",
            ),
            names_itself: said.authorization_response_iss_parameter_supported,
            scope: scope(config, said.scopes_supported.as_deref()),
            notes,
        })
    }
}

/// Only a provider on this computer may name addresses without TLS.
fn endpoint(config: &SsoConfig, text: &str) -> Result<Address> {
    let address = Address::read(text)?;
    match config.issuer.starts_with("https://") && !address.secure {
        true => Err(wrong(format!("its address {address} is not protected"))),
        false => Ok(address),
    }
}

/// What is asked for: who it is, and the groups where the provider has a scope of that name.
fn scope(config: &SsoConfig, supported: Option<&[String]>) -> String {
    let supported = supported.unwrap_or_default();
    let named = supported.contains(&config.claim) && config.claim != "openid";
    let extra = [&*config.claim, "groups"]
        .into_iter()
        .find(|one| match *one == config.claim {
            true => named,
            false => supported.iter().any(|known| known == one),
        });
    match extra {
        Some(extra) => format!("openid profile email {extra}"),
        None => "openid profile email".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::sso::RoleMap;

    fn config(issuer: &str) -> SsoConfig {
        SsoConfig {
            issuer: issuer.to_owned(),
            client_id: "wordkeep".to_owned(),
            secret: None,
            claim: "groups".to_owned(),
            address: None,
            authority: None,
            map: RoleMap::default(),
        }
    }

    fn document(issuer: &str, more: &str) -> String {
        format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/a","token_endpoint":"{issuer}/t","jwks_uri":"{issuer}/k"{more}}}"#
        )
    }

    #[test]
    fn m3_a_provider_is_taken_only_with_all_that_is_needed() {
        let issuer = "https://id.example";
        let read = |more: &str| Metadata::read(&config(issuer), document(issuer, more).as_bytes());
        let plain = read("").unwrap();
        assert_eq!(plain.notes.len(), 1);
        assert_eq!(plain.scope, "openid profile email");
        assert!(!plain.secret_in_form && !plain.names_itself);
        let full = read(
            r#","code_challenge_methods_supported":["plain","S256"],
            "token_endpoint_auth_methods_supported":["client_secret_post"],
            "scopes_supported":["openid","groups"],
            "authorization_response_iss_parameter_supported":true"#,
        )
        .unwrap();
        assert!(full.notes.is_empty() && full.secret_in_form && full.names_itself);
        assert_eq!(full.scope, "openid profile email groups");
        for more in [
            r#","code_challenge_methods_supported":["plain"]"#,
            r#","response_types_supported":["id_token"]"#,
            r#","id_token_signing_alg_values_supported":["HS256","none"]"#,
        ] {
            assert!(read(more).is_err(), "{more}");
        }
        let other = document("https://id.example/", "");
        assert!(Metadata::read(&config(issuer), other.as_bytes()).is_err());
        assert!(Metadata::read(&config(issuer), b"<html>").is_err());
    }

    #[test]
    fn t7_a_protected_provider_names_no_unprotected_address() {
        let text = document("https://id.example", "")
            .replace("https://id.example/t", "http://127.0.0.1:9/t");
        assert!(Metadata::read(&config("https://id.example"), text.as_bytes()).is_err());
    }

    #[test]
    fn m3_the_description_lies_below_the_issuer() {
        for issuer in [
            "https://id.example/realms/a",
            "https://id.example/realms/a/",
        ] {
            assert_eq!(
                well_known(issuer).unwrap().text(),
                "https://id.example/realms/a/.well-known/openid-configuration"
            );
        }
    }
}
