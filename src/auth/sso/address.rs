//! Addresses of a provider: `https` anywhere, `http` on this computer alone.

use std::fmt;
use std::net::IpAddr;

use super::super::{AuthError, Result, SsoRefusal};

/// Longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;
/// Characters of a wrong address that are repeated.
const SHOWN_CHARS_MAX: usize = 120;
/// Port of `https`.
const PORT_SECURE: u16 = 443;
/// Port of `http`.
const PORT_PLAIN: u16 = 80;

/// An address that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    text: String,
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Name or number of the host, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Where path and query begin in the text.
    tail: usize,
}

impl Address {
    /// Reads an address that a provider names.
    ///
    /// # Errors
    /// [`SsoRefusal::Metadata`] when it is no address, names a person or a fragment, or is `http` and
    /// not of this computer.
    pub fn read(text: &str) -> Result<Address> {
        Address::typed(text).map_err(|why| AuthError::Sso(SsoRefusal::Metadata(why)))
    }

    /// Reads an address that somebody typed; the error says what is wrong with it.
    pub(super) fn typed(text: &str) -> std::result::Result<Address, String> {
        parse(text).map_err(|why| {
            let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
            format!("\"{shown}\" {why}")
        })
    }

    /// The address as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Path and query, as a request names them.
    pub fn path(&self) -> &str {
        match &self.text[self.tail..] {
            "" => "/",
            path => path,
        }
    }

    /// Host, with the port where it is not the usual one, as people and the header `Host` name it.
    pub fn authority(&self) -> &str {
        let start = if self.secure { 8 } else { 7 };
        &self.text[start..self.tail]
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse(text: &str) -> std::result::Result<Address, &'static str> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err("is too long for an address");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic())
        || text.contains(['#', '\\', '"', '<', '>'])
    {
        return Err("is no address: write it without blanks and without #");
    }
    let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("is no address: it begins with https://"),
    };
    let tail = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, port) = split_port(&rest[..tail]).ok_or("names no host")?;
    let usual = if secure { PORT_SECURE } else { PORT_PLAIN };
    if !secure && !is_here(&host) {
        return Err("is not protected: http:// is for this computer alone, use https://");
    }
    Ok(Address {
        text: text.to_owned(),
        secure,
        host,
        port: port.unwrap_or(usual),
        tail: text.len() - rest.len() + tail,
    })
}

fn split_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let _: std::net::Ipv6Addr = host.parse().ok()?;
            match port {
                "" => (host, None),
                port => (host, Some(port.strip_prefix(':')?)),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return None;
    }
    let port = match port {
        None => None,
        Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
    };
    Some((host.to_ascii_lowercase(), port))
}

/// Whether a host is this computer.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m3_an_address_is_taken_apart() {
        for (text, secure, host, port, path, authority) in [
            (
                "https://id.example",
                true,
                "id.example",
                443,
                "/",
                "id.example",
            ),
            (
                "https://ID.example:8443/realms/a?x=1",
                true,
                "id.example",
                8443,
                "/realms/a?x=1",
                "ID.example:8443",
            ),
            (
                "http://127.0.0.1:9400/jwks",
                false,
                "127.0.0.1",
                9400,
                "/jwks",
                "127.0.0.1:9400",
            ),
            ("http://[::1]:9400", false, "::1", 9400, "/", "[::1]:9400"),
            (
                "http://localhost/",
                false,
                "localhost",
                80,
                "/",
                "localhost",
            ),
        ] {
            let address = Address::read(text).unwrap();
            assert_eq!(
                (
                    address.secure,
                    address.host.as_str(),
                    address.port,
                    address.path(),
                    address.authority()
                ),
                (secure, host, port, path, authority)
            );
        }
    }

    #[test]
    fn t7_nothing_crosses_a_network_unprotected() {
        for text in [
            "http://id.example",
            "http://10.0.0.1/",
            "http://127.0.0.1.example/",
            "http://localhost.example/",
            "http://localhost@id.example/",
            "https://somebody@id.example",
            "https://id.example/#a",
            "https://id.example:0",
            "https://id.example:99999",
            "https://",
            "https:///path",
            "ftp://id.example",
            "https://id example",
            "https://id.example/\u{e9}",
            "https://[::1",
            "",
        ] {
            assert!(Address::read(text).is_err(), "{text}");
        }
    }
}
