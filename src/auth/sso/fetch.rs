//! The way out, as this room asks for it: one question to one address, answered whole or not at all.

use zeroize::Zeroizing;

use super::super::Result;
use super::Address;

/// A question to a provider.
pub struct Outgoing<'a> {
    /// Where.
    pub address: &'a Address,
    /// A form to be posted; without one it is a `GET`.
    pub form: Option<&'a str>,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// PEM of authorities that vouch for the provider beside those of this computer.
    pub authority: Option<&'a str>,
    /// Longest answer, in bytes; a longer one is an error.
    pub bytes_max: usize,
}

/// What it answered.
pub struct Incoming {
    /// Status of HTTP. Redirects are not followed: a redirect is an answer like any other.
    pub status: u16,
    /// The body, whole.
    pub body: Zeroizing<Vec<u8>>,
}

/// Asks others. Implementations bound size and time, follow no redirect, and speak `http` with this
/// computer alone.
pub trait Fetch: Send + Sync {
    /// Asks, and gives the whole answer.
    ///
    /// # Errors
    /// [`super::super::SsoRefusal::Unreachable`] when there was none within time and size.
    fn fetch(&self, question: &Outgoing<'_>) -> Result<Incoming>;
}
