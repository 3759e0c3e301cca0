//! Listens, speaks TLS where it has a certificate, and ends in order.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::error::{Result, ServeError};
use super::house::House;
use super::route::router;
use super::tls::TlsFiles;

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 512;
/// Until the first request of a connection stands whole.
const HEADERS_WAIT: Duration = Duration::from_secs(15);
/// Until TLS is agreed on.
const HANDSHAKE_WAIT: Duration = Duration::from_secs(10);
/// Until what was begun when serving ends has to be answered.
const ENDING_WAIT: Duration = Duration::from_secs(10);
/// How often it is asked whether to stop.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Where and how to listen.
pub struct ServeOptions {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate and key; without them only this computer may connect.
    pub tls: Option<TlsFiles>,
    /// Somebody said that others protect the connection, such as a proxy on the same computer.
    pub insecure_http: bool,
}

/// What is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The address that was bound.
    pub address: SocketAddr,
    /// Whether TLS is spoken.
    pub secure: bool,
}

impl Served {
    /// The beginning of every address of a page.
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// Who sent a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub IpAddr);

/// Serves until `stop` says so, then ends what was begun. `ready` is told where.
///
/// # Errors
/// `Refused` for an address of a network without TLS; when certificate or address cannot be used.
pub fn serve(
    house: &Arc<House>,
    options: &ServeOptions,
    stop: &(dyn Fn() -> bool + Sync),
    ready: &mut dyn FnMut(&Served),
) -> Result<()> {
    if options.tls.is_none() && !options.listen.ip().is_loopback() && !options.insecure_http {
        return Err(ServeError::Refused(format!(
            "{} can be reached from a network, and everything would cross it readable: give \
             --tls-cert and --tls-key, or --self-signed; with --insecure-http only where a proxy \
             on the way protects it",
            options.listen
        )));
    }
    let acceptor = options.tls.as_ref().map(TlsFiles::acceptor).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("wordkeep-http")
        .build()
        .map_err(|error| ServeError::Io(error.to_string()))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            ServeError::Io(format!("{} cannot be listened on: {error}", options.listen))
        })?;
        let address = listener
            .local_addr()
            .map_err(|error| ServeError::Io(error.to_string()))?;
        ready(&Served {
            address,
            secure: acceptor.is_some(),
        });
        accept(&listener, acceptor.as_ref(), house, stop).await;
        Ok(())
    })
}

async fn accept(
    listener: &TcpListener,
    acceptor: Option<&TlsAcceptor>,
    house: &Arc<House>,
    stop: &(dyn Fn() -> bool + Sync),
) {
    let router = router(house);
    let ending = GracefulShutdown::new();
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while !stop() {
        let Ok(seat) = timeout(STOP_POLL, Arc::clone(&seats).acquire_owned()).await else {
            continue;
        };
        let (stream, peer) = match timeout(STOP_POLL, listener.accept()).await {
            Err(_) => continue,
            Ok(Ok(accepted)) => accepted,
            Ok(Err(error)) => {
                // Out of descriptors, say: others end soon.
                tracing::warn!(%error, "a connection was not taken");
                sleep(STOP_POLL).await;
                continue;
            }
        };
        let (router, watcher) = (router.clone(), ending.watcher());
        let acceptor = acceptor.cloned();
        tokio::spawn(async move {
            let _seat = seat;
            let told = match acceptor {
                None => talk(stream, peer, router, watcher).await,
                Some(acceptor) => match timeout(HANDSHAKE_WAIT, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => talk(stream, peer, router, watcher).await,
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err("no TLS within its time".to_owned()),
                },
            };
            if let Err(why) = told {
                tracing::debug!(why, "a connection ended early");
            }
        });
    }
    house.ending();
    if timeout(ENDING_WAIT, ending.shutdown()).await.is_err() {
        tracing::warn!("some answers were cut off at the end");
    }
}

async fn talk<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) -> std::result::Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .serve_connection(TokioIo::new(stream), service);
    watcher
        .watch(connection)
        .await
        .map_err(|error| error.to_string())
}

/// A refusal of the operating system, as this room says it.
impl From<io::Error> for ServeError {
    fn from(error: io::Error) -> Self {
        ServeError::Io(error.to_string())
    }
}
