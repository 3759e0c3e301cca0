//! The token that says who it is (OpenID Connect Core 1.0, sections 2 and 3.1.3.7).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{AuthError, Result, SsoRefusal};
use super::KeySet;
use crate::crypto::{JwsAlgorithm, equal};
use crate::domain::Timestamp;

/// Seconds that the clock of a provider may differ from ours.
pub const LEEWAY_SECONDS: i64 = 60;
/// Seconds after which a token is none of ours, whatever it says itself: it is made when the browser
/// comes back.
const ISSUED_SECONDS_MAX: i64 = 600;
/// Longest token, in bytes: people are in many groups.
const TOKEN_BYTES_MAX: usize = 128 << 10;
/// Longest subject, in bytes (Core, section 2).
const SUBJECT_BYTES_MAX: usize = 255;

/// What a token must be for.
pub struct Expected<'a> {
    /// Who must have issued it.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// In answer to which request.
    pub nonce: &'a str,
    /// Wall clock of now.
    pub now: Timestamp,
}

/// A token that was checked whole.
#[derive(Clone, Debug, PartialEq)]
pub struct IdToken {
    /// Who, as the issuer numbers people.
    pub subject: String,
    /// When they proved it to the provider last, in seconds since 1970.
    pub auth_time: Option<i64>,
    /// Everything it says.
    pub claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: Seconds,
    iat: Seconds,
    nbf: Option<Seconds>,
    auth_time: Option<Seconds>,
    nonce: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// A number of seconds; some write a fraction (RFC 7519, section 2).
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Part(f64),
}

impl Seconds {
    /// Instants beyond every calendar are as far as one can get.
    const fn whole(self) -> i64 {
        match self {
            Seconds::Whole(seconds) => seconds,
            Seconds::Part(seconds) => seconds as i64,
        }
    }
}

/// Checks a token, signature first.
///
/// # Errors
/// [`AuthError::Sso`] with the first thing that is wrong; [`SsoRefusal::UnknownKey`] alone may be mended
/// by looking at the keys again.
pub fn open_id_token(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<IdToken> {
    let payload = signed_part(token, keys).map_err(AuthError::Sso)?;
    let all: Map<String, Value> =
        serde_json::from_slice(&payload).map_err(|_| AuthError::Sso(SsoRefusal::Malformed))?;
    let claims: Claims = serde_json::from_value(Value::Object(all.clone()))
        .map_err(|_| AuthError::Sso(SsoRefusal::Malformed))?;
    check(&claims, expected).map_err(AuthError::Sso)?;
    Ok(IdToken {
        subject: claims.sub,
        auth_time: claims.auth_time.map(Seconds::whole),
        claims: all,
    })
}

/// The payload of a token whose signature is right.
fn signed_part(token: &str, keys: &KeySet) -> std::result::Result<Vec<u8>, SsoRefusal> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(SsoRefusal::Malformed);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SsoRefusal::Malformed);
    };
    let decode = |text: &str| {
        BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| SsoRefusal::Malformed)
    };
    let read: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| SsoRefusal::Malformed)?;
    let algorithm = JwsAlgorithm::from_name(&read.alg).ok_or(SsoRefusal::Algorithm)?;
    if read.crit.is_some() {
        return Err(SsoRefusal::Algorithm);
    }
    let key = keys
        .find(read.kid.as_deref(), algorithm)
        .ok_or(SsoRefusal::UnknownKey)?;
    let signed = &token[..header.len() + 1 + payload.len()];
    match key.signed(signed.as_bytes(), &decode(signature)?) {
        true => decode(payload),
        false => Err(SsoRefusal::Signature),
    }
}

fn check(claims: &Claims, expected: &Expected<'_>) -> std::result::Result<(), SsoRefusal> {
    if claims.iss != expected.issuer {
        return Err(SsoRefusal::Issuer);
    }
    let (is_ours, is_shared) = match &claims.aud {
        Audience::One(one) => (one == expected.client_id, false),
        Audience::Many(many) => (
            many.iter().any(|one| one == expected.client_id),
            many.len() > 1,
        ),
    };
    let party = claims.azp.as_deref();
    if !is_ours || party.map_or(is_shared, |party| party != expected.client_id) {
        return Err(SsoRefusal::Audience);
    }
    let now = expected.now.seconds();
    if claims.exp.whole() <= now.saturating_sub(LEEWAY_SECONDS) {
        return Err(SsoRefusal::Expired);
    }
    let issued = claims.iat.whole();
    if issued < now - ISSUED_SECONDS_MAX - LEEWAY_SECONDS {
        return Err(SsoRefusal::Expired);
    }
    let begins = claims.nbf.map_or(issued, Seconds::whole).max(issued);
    if begins > now + LEEWAY_SECONDS {
        return Err(SsoRefusal::NotYet);
    }
    let nonce = claims.nonce.as_deref().unwrap_or_default();
    if !equal(nonce.as_bytes(), expected.nonce.as_bytes()) {
        return Err(SsoRefusal::Nonce);
    }
    match (1..=SUBJECT_BYTES_MAX).contains(&claims.sub.len()) {
        true => Ok(()),
        false => Err(SsoRefusal::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn checked(claims: Value) -> std::result::Result<(), SsoRefusal> {
        let claims: Claims = serde_json::from_value(claims).map_err(|_| SsoRefusal::Malformed)?;
        let expected = Expected {
            issuer: "https://id.example",
            client_id: "us",
            nonce: "n",
            now: Timestamp::from_seconds(NOW),
        };
        check(&claims, &expected)
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = json!({
            "iss": "https://id.example", "sub": "7", "aud": "us",
            "exp": NOW + 300, "iat": NOW, "nonce": "n",
        });
        claims[name] = value;
        claims
    }

    #[test]
    fn m3_each_claim_is_checked_at_its_edge() {
        let fine = [
            ("iss", json!("https://id.example")),
            ("aud", json!(["us"])),
            ("azp", json!("us")),
            ("exp", json!(NOW - LEEWAY_SECONDS + 1)),
            ("exp", json!(NOW as f64 + 0.5)),
            ("iat", json!(NOW + LEEWAY_SECONDS)),
            ("iat", json!(NOW - ISSUED_SECONDS_MAX - LEEWAY_SECONDS)),
            ("nbf", json!(NOW + LEEWAY_SECONDS)),
            ("sub", json!("s".repeat(SUBJECT_BYTES_MAX))),
        ];
        for (name, value) in fine {
            assert_eq!(checked(with(name, value.clone())), Ok(()), "{name} {value}");
        }
        let wrong = [
            ("iss", json!("https://id.example/"), SsoRefusal::Issuer),
            ("aud", json!("them"), SsoRefusal::Audience),
            ("aud", json!(["them", "others"]), SsoRefusal::Audience),
            // Shared with others, and nobody says that it is for us.
            ("aud", json!(["us", "them"]), SsoRefusal::Audience),
            ("azp", json!("them"), SsoRefusal::Audience),
            ("aud", json!([]), SsoRefusal::Audience),
            ("exp", json!(NOW - LEEWAY_SECONDS), SsoRefusal::Expired),
            ("exp", json!(-1e300), SsoRefusal::Expired),
            (
                "iat",
                json!(NOW - ISSUED_SECONDS_MAX - LEEWAY_SECONDS - 1),
                SsoRefusal::Expired,
            ),
            ("iat", json!(NOW + LEEWAY_SECONDS + 1), SsoRefusal::NotYet),
            ("nbf", json!(NOW + LEEWAY_SECONDS + 1), SsoRefusal::NotYet),
            ("nonce", json!("m"), SsoRefusal::Nonce),
            ("nonce", Value::Null, SsoRefusal::Nonce),
            ("sub", json!(""), SsoRefusal::Malformed),
            ("sub", json!(7), SsoRefusal::Malformed),
            (
                "sub",
                json!("s".repeat(SUBJECT_BYTES_MAX + 1)),
                SsoRefusal::Malformed,
            ),
            ("exp", Value::Null, SsoRefusal::Malformed),
            ("exp", json!("soon"), SsoRefusal::Malformed),
            ("iat", Value::Null, SsoRefusal::Malformed),
        ];
        for (name, value, refusal) in wrong {
            assert_eq!(
                checked(with(name, value.clone())),
                Err(refusal),
                "{name} {value}"
            );
        }
        let mut shared = with("aud", json!(["us", "them"]));
        shared["azp"] = json!("us");
        assert_eq!(checked(shared), Ok(()));
    }

    #[test]
    fn m3_what_is_no_token_is_refused_before_anything_else() {
        let keys = KeySet::default();
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let none = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode("{}"));
        let crit = format!(
            "{}.{}.AA",
            encode(r#"{"alg":"RS256","crit":["x"]}"#),
            encode("{}")
        );
        let shared = format!("{}.{}.AA", encode(r#"{"alg":"HS256"}"#), encode("{}"));
        for (token, refusal) in [
            ("", SsoRefusal::Malformed),
            ("a.b", SsoRefusal::Malformed),
            ("a.b.c.d", SsoRefusal::Malformed),
            ("!.!.!", SsoRefusal::Malformed),
            (&*none, SsoRefusal::Algorithm),
            (&*crit, SsoRefusal::Algorithm),
            (&*shared, SsoRefusal::Algorithm),
            (&*"x".repeat(TOKEN_BYTES_MAX + 1), SsoRefusal::Malformed),
        ] {
            assert_eq!(signed_part(token, &keys), Err(refusal));
        }
        let unknown = format!(
            "{}.{}.AA",
            encode(r#"{"alg":"RS256","kid":"a"}"#),
            encode("{}")
        );
        assert_eq!(signed_part(&unknown, &keys), Err(SsoRefusal::UnknownKey));
    }
}
