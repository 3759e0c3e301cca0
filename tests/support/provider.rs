//! A provider of OpenID Connect in the process of the test: keys of its own, tokens as told, and any
//! nonsense that a test wants it to say.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};
use tokio_rustls::rustls::crypto::ring as provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use wordkeep::crypto::{hmac_sha256, sha256};

/// What we are called there, and with which secret.
pub const CLIENT: &str = "wordkeep";
pub const SECRET: &str = "a secret of the client, +/ and all";
const RSA: &str = include_str!("../fixtures/sso/rsa_test_key.txt");

/// A key that signs.
pub enum Signer {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub fn rsa() -> Signer {
        let der = BASE64_STANDARD.decode(RSA.replace('\n', "")).unwrap();
        Signer::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).unwrap()))
    }

    pub fn p256() -> Signer {
        let (kind, chance) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(kind, &chance).unwrap();
        Signer::P256(EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &chance).unwrap())
    }

    pub fn ed25519(seed: u8) -> Signer {
        Signer::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Signer::Rsa(_) => "RS256",
            Signer::P256(_) => "ES256",
            Signer::Ed25519(_) => "EdDSA",
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .unwrap();
                signature
            }
            Signer::P256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Signer::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// The public half as a key set shows it.
    pub fn shown(&self, kid: &str) -> Value {
        match self {
            Signer::Rsa(pair) => {
                let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({"kty": "RSA", "kid": kid, "use": "sig",
                    "n": URL.encode(public.n),
                    "e": URL.encode(public.e)})
            }
            Signer::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "alg": "ES256",
                    "x": URL.encode(&point[1..33]), "y": URL.encode(&point[33..])})
            }
            Signer::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "kid": kid,
                "x": URL.encode(pair.public_key().as_ref())}),
        }
    }
}

/// A token before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub header: Value,
    pub claims: Value,
}

impl Draft {
    fn body(&self) -> String {
        format!(
            "{}.{}",
            URL.encode(self.header.to_string()),
            URL.encode(self.claims.to_string())
        )
    }

    pub fn signed(&self, signer: &Signer) -> String {
        let body = self.body();
        let signature = URL.encode(signer.sign(body.as_bytes()));
        format!("{body}.{signature}")
    }

    /// Signed with a secret that both sides know: what must never be taken.
    pub fn with_secret(&self, secret: &[u8]) -> String {
        let body = self.body();
        let signature = URL.encode(hmac_sha256(secret, &[body.as_bytes()]));
        format!("{body}.{signature}")
    }

    pub fn unsigned(&self) -> String {
        format!("{}.", self.body())
    }
}

/// What a browser brought to the provider: the fields of the address.
pub type Asked = BTreeMap<String, String>;

/// How a draft becomes what is sent as a token.
pub type Forge = Box<dyn Fn(Draft, &Signer) -> String + Send>;
/// What is answered at a path instead: the whole answer of HTTP.
pub type Instead = Vec<u8>;

/// What the provider knows and says.
pub struct Script {
    pub signer: Signer,
    pub kid: String,
    /// The key set; the signer's own key where it is `None`.
    pub keys: Option<Value>,
    pub forge: Option<Forge>,
    pub instead: BTreeMap<String, Instead>,
    /// More of what it says of itself.
    pub more: Value,
    /// Whether it compares verifier and challenge.
    pub checks_pkce: bool,
    /// Codes given so far.
    given: usize,
    /// Claims of the person by code, with what was asked.
    codes: BTreeMap<String, (Asked, Value)>,
    /// How often each path was asked.
    pub asked: BTreeMap<String, usize>,
    /// Seconds since 1970, as the provider sees it.
    pub now: i64,
}

/// The provider.
pub struct Provider {
    pub issuer: String,
    pub script: Arc<Mutex<Script>>,
    /// PEM of its certificate, where it speaks TLS.
    pub certificate: Option<String>,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Provider {
    pub fn start(now: i64) -> Provider {
        Provider::begin(now, None)
    }

    /// With TLS by a certificate that nobody vouches for.
    pub fn start_secure(now: i64) -> Provider {
        let made = wordkeep::http::self_signed(&["localhost".to_owned()]).unwrap();
        let chain = CertificateDer::pem_slice_iter(&made.files.certificates);
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(&made.files.key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let mut provider = Provider::begin(now, Some(Arc::new(config)));
        provider.certificate = Some(String::from_utf8(made.files.certificates).unwrap());
        provider
    }

    fn begin(now: i64, tls: Option<Arc<ServerConfig>>) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = match &tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://127.0.0.1:{}", address.port()),
        };
        let script = Arc::new(Mutex::new(Script {
            signer: Signer::ed25519(1),
            kid: "first".to_owned(),
            keys: None,
            forge: None,
            instead: BTreeMap::new(),
            more: json!({}),
            checks_pkce: true,
            given: 0,
            codes: BTreeMap::new(),
            asked: BTreeMap::new(),
            now,
        }));
        let ended = Arc::new(AtomicBool::new(false));
        let provider = Provider {
            issuer: issuer.clone(),
            script: Arc::clone(&script),
            certificate: None,
            address,
            ended: Arc::clone(&ended),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let (script, issuer, tls) = (Arc::clone(&script), issuer.clone(), tls.clone());
                std::thread::spawn(move || {
                    let wait = Some(Duration::from_secs(20));
                    let _ = stream.set_read_timeout(wait);
                    match tls {
                        None => talk(stream, &script, &issuer),
                        Some(config) => {
                            let session = ServerConnection::new(config).unwrap();
                            talk(StreamOwned::new(session, stream), &script, &issuer);
                        }
                    }
                });
            }
        });
        provider
    }

    pub fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Somebody signs in at the page a browser was sent to; gives the code and the state.
    pub fn authorise(&self, location: &str, claims: &Value) -> (String, String) {
        let (address, query) = location.split_once('?').unwrap();
        assert_eq!(address, format!("{}/authorise", self.issuer));
        let asked = fields(query);
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(asked[name], value, "{location}");
        }
        assert!(asked["scope"].split(' ').any(|one| one == "openid"));
        assert_eq!(URL.decode(&asked["code_challenge"]).unwrap().len(), 32);
        let state = asked["state"].clone();
        assert!(state.len() >= 32 && asked["nonce"].len() >= 32);
        let mut script = self.script();
        script.given += 1;
        let code = format!("code-{}", script.given);
        script.codes.insert(code.clone(), (asked, claims.clone()));
        (code, state)
    }

    /// How often a path was asked.
    pub fn asked(&self, path: &str) -> usize {
        self.script().asked.get(path).copied().unwrap_or(0)
    }

    /// Lets tokens be made in another way.
    pub fn forge(&self, forge: impl Fn(Draft, &Signer) -> String + Send + 'static) {
        self.script().forge = Some(Box::new(forge));
    }

    /// Answers at a path with something else.
    pub fn instead(&self, path: &str, answer: impl Into<Vec<u8>>) {
        self.script().instead.insert(path.to_owned(), answer.into());
    }

    /// Says the truth again.
    pub fn mend(&self) {
        let mut script = self.script();
        script.forge = None;
        script.instead.clear();
        script.checks_pkce = true;
    }
}

/// The fields of a form or of what stands behind a question mark.
pub fn fields(form: &str) -> Asked {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), plain(value)))
        .collect()
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(byte) = letters.next() {
        match byte {
            b'%' => {
                let digits = [letters.next().unwrap(), letters.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// An answer of HTTP.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn talk(mut stream: impl Read + Write, script: &Mutex<Script>, issuer: &str) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, length) = loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            bytes.drain(..end + 4);
            break (head, length);
        }
    };
    while bytes.len() < length {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let form = String::from_utf8_lossy(&bytes).into_owned();
    let answer = answered(&mut script.lock().unwrap(), issuer, &path, &head, &form);
    // Whoever asks may have hung up already.
    let _ = stream.write_all(&answer);
    let _ = stream.flush();
}

fn answered(script: &mut Script, issuer: &str, path: &str, head: &str, form: &str) -> Vec<u8> {
    *script.asked.entry(path.to_owned()).or_default() += 1;
    if let Some(instead) = script.instead.get(path) {
        return instead.clone();
    }
    match path {
        "/.well-known/openid-configuration" => {
            let mut said = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorise"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/keys"),
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
            });
            for (name, value) in script.more.as_object().unwrap() {
                said[name] = value.clone();
            }
            answer(200, "", &said.to_string())
        }
        "/keys" => {
            let own = json!({"keys": [script.signer.shown(&script.kid)]});
            let keys = script.keys.as_ref().unwrap_or(&own);
            answer(200, "", &keys.to_string())
        }
        "/token" => match token(script, issuer, head, &fields(form)) {
            Ok(token) => {
                let said = json!({"access_token": "x", "token_type": "Bearer", "id_token": token});
                answer(200, "", &said.to_string())
            }
            Err(why) => answer(400, "", &json!({"error": why}).to_string()),
        },
        _ => answer(404, "", ""),
    }
}

fn token(
    script: &mut Script,
    issuer: &str,
    head: &str,
    form: &Asked,
) -> Result<String, &'static str> {
    let basic = head.lines().filter_map(|line| line.split_once(": "));
    let basic = basic
        .filter(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .find_map(|(_, value)| value.strip_prefix("Basic ").map(str::to_owned))
        .ok_or("invalid_client")?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(basic).unwrap()).unwrap();
    let (client, secret) = pair.split_once(':').unwrap();
    if (plain(client).as_str(), plain(secret).as_str()) != (CLIENT, SECRET) {
        return Err("invalid_client");
    }
    let (asked, person) = script.codes.remove(&form["code"]).ok_or("invalid_grant")?;
    let challenge = URL.encode(sha256(form["code_verifier"].as_bytes()));
    let same = challenge == asked["code_challenge"] || !script.checks_pkce;
    let fits = form["redirect_uri"] == asked["redirect_uri"];
    if !same || !fits || form["grant_type"] != "authorization_code" {
        return Err("invalid_grant");
    }
    let mut claims = json!({
        "iss": issuer, "aud": CLIENT, "nonce": asked["nonce"],
        "iat": script.now, "exp": script.now + 300,
    });
    for (name, value) in person.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let draft = Draft {
        header: json!({"alg": script.signer.algorithm(), "kid": script.kid, "typ": "JWT"}),
        claims,
    };
    Ok(match &script.forge {
        Some(forge) => forge(draft, &script.signer),
        None => draft.signed(&script.signer),
    })
}
