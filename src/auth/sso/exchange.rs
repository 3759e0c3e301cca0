//! The two questions to a provider: where browsers are sent, and what a code is worth.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::super::{AuthError, Result, SsoRefusal};
use super::metadata::{DOCUMENT_BYTES_MAX, FINE};
use super::{Fetch, Metadata, Outgoing, SsoConfig, SsoPurpose, SsoSecrets};

/// Longest code, in bytes.
const CODE_BYTES_MAX: usize = 4_096;
/// Characters of an error of the provider that are repeated.
const ERROR_CHARS_MAX: usize = 64;

/// What a browser brought back in the address.
#[derive(Clone, Debug, Default)]
pub struct Callback {
    /// The state that went along.
    pub state: String,
    /// The code.
    pub code: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
}

impl Callback {
    /// The code, when this is the answer of the provider that was asked.
    pub(super) fn code(&self, config: &SsoConfig, metadata: &Metadata) -> Result<&str> {
        let refused = |why| Err(AuthError::Sso(why));
        match &self.issuer {
            Some(issuer) if *issuer != config.issuer => return refused(SsoRefusal::Issuer),
            None if metadata.names_itself => return refused(SsoRefusal::Issuer),
            _ => {}
        }
        if let Some(error) = &self.error {
            return refused(SsoRefusal::Denied(plain(error)));
        }
        match self.code.as_deref() {
            Some(code) if (1..=CODE_BYTES_MAX).contains(&code.len()) => Ok(code),
            _ => refused(SsoRefusal::Malformed),
        }
    }
}

/// Where a browser is sent, with what goes along.
pub fn authorization_address(
    config: &SsoConfig,
    metadata: &Metadata,
    secrets: &SsoSecrets,
    purpose: SsoPurpose,
    redirect: &str,
) -> String {
    let address = metadata.authorization.text();
    let challenge = secrets.challenge();
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", &*config.client_id),
        ("redirect_uri", redirect),
        ("scope", &*metadata.scope),
        ("state", &*secrets.state),
        ("nonce", &*secrets.nonce),
        ("code_challenge", &*challenge),
        ("code_challenge_method", "S256"),
    ];
    match purpose {
        SsoPurpose::SignIn => {}
        // Asked anew, whoever is signed in at the provider.
        SsoPurpose::StepUp(_) => fields.extend([("prompt", "login"), ("max_age", "0")]),
        SsoPurpose::Test(_) => fields.push(("prompt", "login")),
    }
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{}", form(&fields).as_str())
}

#[derive(Deserialize)]
struct Tokens {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
}

/// Redeems a code for the token that says who it is. The access token is not used and not kept.
///
/// # Errors
/// [`SsoRefusal::Denied`] when the provider does not take the code; [`SsoRefusal::Unreachable`].
pub fn exchange_code(
    config: &SsoConfig,
    metadata: &Metadata,
    fetch: &dyn Fetch,
    back: &Callback,
    secrets: &SsoSecrets,
    redirect: &str,
) -> Result<Zeroizing<String>> {
    let code = back.code(config, metadata)?;
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect),
        ("code_verifier", secrets.verifier.as_str()),
    ];
    let secret = config.secret.as_ref().map(|secret| secret.as_str());
    let in_header = secret.filter(|_| !metadata.secret_in_form);
    if in_header.is_none() {
        fields.push(("client_id", &config.client_id));
    }
    if let (Some(secret), None) = (secret, in_header) {
        fields.push(("client_secret", secret));
    }
    let authorization = in_header.map(|secret| basic(&config.client_id, secret));
    let form = form(&fields);
    let answer = fetch.fetch(&Outgoing {
        address: &metadata.token,
        form: Some(&form),
        authorization: authorization.as_ref().map(|text| text.as_str()),
        authority: config.authority.as_deref(),
        bytes_max: DOCUMENT_BYTES_MAX,
    })?;
    if answer.status != FINE {
        let said = serde_json::from_slice::<Failure>(&answer.body);
        let why = said.map_or_else(
            |_| format!("status {}", answer.status),
            |one| plain(&one.error),
        );
        return Err(AuthError::Sso(SsoRefusal::Denied(why)));
    }
    let tokens: Option<Tokens> = serde_json::from_slice(&answer.body).ok();
    let token = tokens.and_then(|tokens| tokens.id_token);
    token
        .map(Zeroizing::new)
        .ok_or(AuthError::Sso(SsoRefusal::Malformed))
}

/// RFC 6749, section 2.3.1: both parts as a form writes them.
fn basic(client: &str, secret: &str) -> Zeroizing<String> {
    let mut pair = Zeroizing::new(String::new());
    push_escaped(&mut pair, client);
    pair.push(':');
    push_escaped(&mut pair, secret);
    Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
}

/// Fields as a form has them.
fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        push_escaped(&mut text, value);
    }
    text
}

fn push_escaped(to: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                to.push(char::from(byte));
            }
            byte => {
                to.push('%');
                to.push(char::from(DIGITS[usize::from(byte >> 4)]));
                to.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

/// A word of the provider that may be repeated: its standard errors are such words.
fn plain(text: &str) -> String {
    let letters = text.chars().take(ERROR_CHARS_MAX);
    letters
        .map(
            |letter| match letter.is_ascii_alphanumeric() || "_-.".contains(letter) {
                true => letter,
                false => '_',
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_forms_are_escaped_and_words_of_others_are_tamed() {
        let text = form(&[("a", "b c&d=ü"), ("e", "f-_.~")]);
        assert_eq!(&**text, "a=b%20c%26d%3D%C3%BC&e=f-_.~");
        assert_eq!(plain("access_denied"), "access_denied");
        assert_eq!(plain("<b>\nx"), "_b__x");
        assert_eq!(plain(&"x".repeat(500)).len(), ERROR_CHARS_MAX);
        assert_eq!(&**basic("a:b", "c d"), "Basic YSUzQWI6YyUyMGQ=");
    }
}
