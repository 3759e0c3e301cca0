//! Certificates: from files, or made here for the first run.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::error::{Result, ServeError};
use crate::crypto::{hex, sha256};

/// Certificate and key as their files hold them.
pub struct TlsFiles {
    /// PEM: the certificate, then those that vouch for it.
    pub certificates: Vec<u8>,
    /// PEM: the private key (PKCS#8, PKCS#1 or SEC1).
    pub key: Zeroizing<Vec<u8>>,
}

/// A certificate nobody vouches for: browsers ask, and people compare the fingerprint.
pub struct SelfSigned {
    /// To be kept in files and used again.
    pub files: TlsFiles,
    /// SHA-256 of the certificate, in hex with colons.
    pub fingerprint: String,
}

/// Makes a certificate for these names (host names or addresses).
///
/// # Errors
/// When a name cannot stand in a certificate.
pub fn self_signed(names: &[String]) -> Result<SelfSigned> {
    let refused = |error: rcgen::Error| ServeError::Certificate(error.to_string());
    let mut parameters = CertificateParams::new(names.to_vec()).map_err(refused)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Wordkeep");
    let key = KeyPair::generate().map_err(refused)?;
    let certificate = parameters.self_signed(&key).map_err(refused)?;
    Ok(SelfSigned {
        fingerprint: fingerprint(certificate.der()),
        files: TlsFiles {
            certificates: certificate.pem().into_bytes(),
            key: Zeroizing::new(key.serialize_pem().into_bytes()),
        },
    })
}

impl TlsFiles {
    /// SHA-256 of the first certificate, in hex with colons.
    ///
    /// # Errors
    /// When there is none.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(fingerprint(&self.chain()?[0]))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>> {
        let chain: std::result::Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(&self.certificates).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            Ok(_) => Err(ServeError::Certificate(
                "the certificate file holds no certificate in PEM".to_owned(),
            )),
            Err(error) => Err(ServeError::Certificate(format!(
                "the certificate file: {error}"
            ))),
        }
    }

    /// What speaks TLS 1.2 and 1.3 with them.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor> {
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| ServeError::Certificate(format!("the key file: {error}")))?;
        let refused = |error: tokio_rustls::rustls::Error| {
            ServeError::Certificate(format!("certificate and key: {error}"))
        };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(self.chain()?, key)
            .map_err(refused)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn fingerprint(der: &[u8]) -> String {
    let digits = hex(&sha256(der)).to_uppercase();
    let pairs: Vec<&str> = (0..digits.len())
        .step_by(2)
        .map(|at| &digits[at..at + 2])
        .collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_of_ours_can_be_served_and_is_known_by_its_fingerprint() {
        let made = self_signed(&["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        assert_eq!(made.files.fingerprint().unwrap(), made.fingerprint);
        assert_eq!(made.fingerprint.len(), 32 * 3 - 1);
        assert!(made.files.acceptor().is_ok());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let one = self_signed(&["one".to_owned()]).unwrap();
        let other = self_signed(&["other".to_owned()]).unwrap();
        let mixed = TlsFiles {
            certificates: one.files.certificates,
            key: other.files.key,
        };
        assert!(matches!(mixed.acceptor(), Err(ServeError::Certificate(_))));
        let none = TlsFiles {
            certificates: b"no PEM".to_vec(),
            key: Zeroizing::new(Vec::new()),
        };
        assert!(none.fingerprint().is_err());
    }
}
