//! One question to another computer over HTTP/1.1, answered whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use crate::auth::sso::{Fetch, Incoming, Outgoing};
use crate::auth::{AuthError, Result, SsoRefusal};

/// Seconds from the look-up of the name to the last byte of the answer.
pub const ANSWER_SECONDS: u64 = 10;
/// Questions under way at once; further ones are refused, so that a slow provider holds up no page.
pub const OUTGOING_MAX: usize = 16;
/// Longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How we name ourselves.
const AGENT: &str = concat!("wordkeep/", env!("CARGO_PKG_VERSION"));

/// Asks others.
#[derive(Debug, Default)]
pub struct Outward {
    under_way: AtomicUsize,
}

/// A question under way.
struct Seat<'a>(&'a AtomicUsize);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Fetch for Outward {
    fn fetch(&self, question: &Outgoing<'_>) -> Result<Incoming> {
        let seat = Seat(&self.under_way);
        if self.under_way.fetch_add(1, Ordering::AcqRel) >= OUTGOING_MAX {
            return Err(unreachable("too many ask it at once; try again"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(unreachable)?;
        let limit = Duration::from_secs(ANSWER_SECONDS);
        let answer = runtime.block_on(async { timeout(limit, ask(question)).await });
        // A look-up of a name may hang longer than we wait.
        runtime.shutdown_background();
        drop(seat);
        answer.unwrap_or_else(|_| Err(unreachable(format!("nothing within {ANSWER_SECONDS} s"))))
    }
}

fn unreachable(why: impl ToString) -> AuthError {
    AuthError::Sso(SsoRefusal::Unreachable(why.to_string()))
}

async fn ask(question: &Outgoing<'_>) -> Result<Incoming> {
    let address = question.address;
    let stream = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| unreachable(format!("{}: {error}", address.authority())))?;
    if !address.secure {
        let peer = stream.peer_addr().map_err(unreachable)?;
        // "localhost" is what a file says it is.
        return match peer.ip().is_loopback() {
            true => talk(stream, question).await,
            false => Err(unreachable(
                "http:// leads to another computer; use https://",
            )),
        };
    }
    let connector = TlsConnector::from(Arc::new(trust(question.authority)?));
    let name = ServerName::try_from(address.host.clone()).map_err(unreachable)?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| unreachable(format!("{}: {error}", address.authority())))?;
    talk(stream, question).await
}

/// Whom we trust: those this computer trusts, and those of the configuration.
fn trust(authority: Option<&str>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = authority {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate
                .map_err(|error| unreachable(format!("the file of authorities: {error}")))?;
            roots.add(certificate).map_err(unreachable)?;
        }
    }
    if roots.is_empty() {
        return Err(unreachable(
            "this computer trusts nobody: install ca-certificates, or name an authority with \
             --ca-file",
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unreachable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

async fn talk<S>(stream: S, question: &Outgoing<'_>) -> Result<Incoming>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(unreachable)?;
    let driver = tokio::spawn(connection);
    let answer = sender
        .send_request(request(question)?)
        .await
        .map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), question.bytes_max);
    let body = body.collect().await.map_err(|_| {
        unreachable(format!(
            "its answer is cut off or beyond {} bytes",
            question.bytes_max
        ))
    })?;
    driver.abort();
    Ok(Incoming {
        status,
        body: Zeroizing::new(body.to_bytes().to_vec()),
    })
}

fn request(question: &Outgoing<'_>) -> Result<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .uri(question.address.path())
        .header(header::HOST, question.address.authority())
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    if let Some(authorization) = question.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let body = match question.form {
        None => Bytes::new(),
        Some(form) => {
            request = request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            Bytes::copy_from_slice(form.as_bytes())
        }
    };
    request.body(Full::new(body)).map_err(unreachable)
}
