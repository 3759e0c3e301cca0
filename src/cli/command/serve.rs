//! `wordkeep serve`: the archive in a browser.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use zeroize::Zeroizing;

use super::{Ended, init};
use crate::app::{AppError, Appliance, Settings, read_bytes, write_secret};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::crypto::{Secret, StretchCost};
use crate::http::{
    House, HouseOptions, ServeError, ServeOptions, Served, TlsFiles, self_signed, serve,
};

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Serve the archive to browsers

Examples:
  $ wordkeep serve
  $ wordkeep serve --listen 127.0.0.1:8471
  $ wordkeep serve --listen 0.0.0.0:8471 --tls-cert cert.pem --tls-key key.pem
  $ wordkeep serve --listen 0.0.0.0:8471 --self-signed

The first start makes the data directory, its unlock key outside of it, and prints a link with which
the first administrator is made; it works once and for 30 minutes, and a new one comes with the next
start. Without another word only this computer is listened to: a network needs a certificate. With
neither unlock key nor passphrase file the archive starts sealed, and the first page asks for the
passphrase. Ctrl-C ends in order.";

/// Where is listened unless told otherwise.
const LISTEN_DEFAULT: &str = "127.0.0.1:8471";
/// Longest file of a certificate or key, in bytes.
const PEM_BYTES_MAX: u64 = 1 << 20;
/// How often clock and log are kept.
const TENDING: Duration = Duration::from_secs(60);
/// How often the keeper asks whether to end.
const TENDING_POLL: Duration = Duration::from_millis(200);

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN_DEFAULT)]
    listen: SocketAddr,
    /// Certificate in PEM, those that vouch for it behind it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Make a certificate on the first start; browsers ask, and its fingerprint is printed
    #[arg(long, conflicts_with = "tls_cert")]
    self_signed: bool,
    /// Serve a network without TLS: only where a proxy on this computer protects it
    #[arg(long)]
    insecure_http: bool,
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        Failure::App(match error {
            ServeError::Refused(text) => AppError::Usage(text),
            ServeError::Certificate(text) => AppError::Configuration(text),
            ServeError::Io(text) => AppError::Io(text),
        })
    }
}

/// Serves until Ctrl-C.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let interrupt = Interrupt::listen()?;
    let settings = context.settings()?;
    let tls = certificate(context, typed, &settings)?;
    let options = HouseOptions {
        secure: tls.is_some(),
        demo: false,
    };
    say_start(context, &settings);
    let house = open(context, settings, options)?;
    let options = ServeOptions {
        listen: typed.listen,
        tls,
        insecure_http: typed.insecure_http,
    };
    serve_house(
        context,
        &house,
        &options,
        &interrupt,
        &mut |context, served| welcome(context, &house, served),
    )
}

/// Serves a house until Ctrl-C, keeps its clock and log meanwhile, and closes it.
pub(super) fn serve_house(
    context: &mut Context,
    house: &Arc<House>,
    options: &ServeOptions,
    interrupt: &Interrupt,
    ready: &mut dyn FnMut(&mut Context, &Served) -> Result<(), Failure>,
) -> Ended {
    let ended = Arc::new(AtomicBool::new(false));
    let keeper = {
        let (house, ended) = (Arc::clone(house), Arc::clone(&ended));
        thread::spawn(move || tend(&house, &ended))
    };
    let mut told = Ok(());
    let served = serve(house, options, &|| interrupt.asked(), &mut |served| {
        told = ready(context, served);
    });
    ended.store(true, Ordering::Relaxed);
    // It ends within its poll; what it did last is durable by itself.
    let _ = keeper.join();
    house.close()?;
    served?;
    told?;
    context.say("stopped; the log is signed");
    Ok(Exit::Done)
}

fn tend(house: &House, ended: &AtomicBool) {
    let mut waited = Duration::ZERO;
    while !ended.load(Ordering::Relaxed) {
        thread::sleep(TENDING_POLL);
        waited += TENDING_POLL;
        if waited < TENDING {
            continue;
        }
        waited = Duration::ZERO;
        if let Some(appliance) = house.appliance()
            && let Err(error) = appliance.tend()
        {
            tracing::error!(%error, "clock and log were not kept");
        }
    }
}

fn say_start(context: &Context, settings: &Settings) {
    let version = env!("CARGO_PKG_VERSION");
    let state = if is_new(settings) { "new" } else { "found" };
    context.say(&format!(
        "wordkeep {version} · data {} ({state})",
        settings.data.display()
    ));
}

/// The archive: made, opened, or sealed until somebody types the passphrase.
fn open(
    context: &Context,
    settings: Settings,
    options: HouseOptions,
) -> Result<Arc<House>, Failure> {
    if is_new(&settings) {
        init::refuse_existing(&settings)?;
        let (secret, label) = init::first_secret(context, &settings, false)?;
        let key = settings.unlock_key.clone();
        let data = settings.data.clone();
        let appliance = Appliance::create_unclaimed(settings, &secret, label, StretchCost::SLOT)?;
        if label == "unlock key" {
            context.say(&format!(
                "  ✓ unlock key: {} (0600), outside the data directory",
                key.display()
            ));
            init::warn_same_disk(context, &key, &data);
        }
        context.say("  ✓ database, index and audit log are ready");
        return Ok(House::open(Arc::new(appliance), options));
    }
    let can_open = settings.unlock_key.exists() || context.secret.is_named() || context.may_ask;
    if !can_open {
        context.say("  sealed: open /unlock in a browser and type the passphrase");
        let unlock = Box::new(move |passphrase: &str| {
            Appliance::open(settings.clone(), &Secret::passphrase(passphrase))
        });
        return Ok(House::sealed(unlock, options));
    }
    let secret = context.secret.open(&settings, context.may_ask)?;
    let appliance = Appliance::open(settings, &secret)?;
    for notice in appliance.notices() {
        context.warn(notice);
    }
    Ok(House::open(Arc::new(appliance), options))
}

fn is_new(settings: &Settings) -> bool {
    let entries = std::fs::read_dir(&settings.data);
    !entries.is_ok_and(|mut entries| entries.next().is_some())
}

fn welcome(context: &Context, house: &House, served: &Served) -> Result<(), Failure> {
    let origin = served.origin();
    let reach = match (served.secure, served.address.ip().is_loopback()) {
        (false, true) => {
            "   (this computer only; for a network: --listen 0.0.0.0:8471 --tls-cert … --tls-key …)"
        }
        _ => "",
    };
    context.say(&format!("  listening on {origin}{reach}"));
    let Some(appliance) = house.appliance() else {
        return Ok(());
    };
    if let Some(token) = appliance.new_setup_token()? {
        let port = served.address.port();
        context.say(&format!(
            "  Set up the first administrator (works once, for 30 min; a new one comes with the next start):\n    \
             {origin}/setup#t={token}\n    \
             from elsewhere: ssh -L {port}:127.0.0.1:{port} this-host"
        ));
    }
    Ok(())
}

/// The certificate that was named, or the one that is made on the first start and kept.
fn certificate(
    context: &Context,
    typed: &Typed,
    settings: &Settings,
) -> Result<Option<TlsFiles>, Failure> {
    if let (Some(certificates), Some(key)) = (&typed.tls_cert, &typed.tls_key) {
        return read_certificate(certificates, key).map(Some);
    }
    if !typed.self_signed {
        return Ok(None);
    }
    let certificates = settings.token.with_file_name("tls-cert.pem");
    let key = settings.token.with_file_name("tls-key.pem");
    if !certificates.exists() || !key.exists() {
        let made = self_signed(&names(typed.listen.ip()))?;
        write_secret(&key, &made.files.key)?;
        write_secret(&certificates, &made.files.certificates)?;
    }
    let files = read_certificate(&certificates, &key)?;
    context.say(&format!(
        "  certificate of our own, SHA-256 {}\n    compare it with what the browser shows",
        files.fingerprint()?
    ));
    Ok(Some(files))
}

fn read_certificate(certificates: &Path, key: &Path) -> Result<TlsFiles, Failure> {
    Ok(TlsFiles {
        certificates: read_bytes(certificates, PEM_BYTES_MAX)?,
        key: Zeroizing::new(read_bytes(key, PEM_BYTES_MAX)?),
    })
}

/// What a certificate of our own is for: this computer by its names.
fn names(address: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if let Ok(host) = io::read_to_string(match std::fs::File::open("/etc/hostname") {
        Ok(file) => file,
        Err(_) => return names,
    }) {
        names.push(host.trim().to_owned());
    }
    if !address.is_loopback() && !address.is_unspecified() {
        names.push(address.to_string());
    }
    names
}
