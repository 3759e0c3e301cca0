//! Identities of messages under the tombstone key: what recognises a disposed message that comes
//! again, and tells nothing to who has not both the key and the message.
//!
//! ```text
//! identity = HMAC-SHA256(tombstone key, fields, each behind its length as varint)
//!   with a platform id      "id"   app  look-up of the conversation  platform id
//!   without                 "said" app  look-up of the conversation  minute  author  SHA-256(body)
//!   in any conversation     "any"  app  minute  label of the author  SHA-256(body)
//! ```
//! The minute (whole minutes since the epoch) and not the instant: exports of one chat differ in
//! how sharply they tell the time.

use super::super::wire::put_bytes;
use crate::crypto::{Key, hmac_sha256, sha256};
use crate::domain::{App, Timestamp};

/// Microseconds in a minute.
const MINUTE_MICROS: i64 = 60 * Timestamp::MICROS_PER_SECOND;

/// What identifies a message.
#[derive(Clone, Copy, Debug)]
pub struct Canonical<'a> {
    /// The platform.
    pub app: App,
    /// Keyed look-up of its conversation.
    pub conversation: &'a [u8],
    /// Keyed look-up of its author; empty for notices.
    pub author: &'a [u8],
    /// Its effective time.
    pub sent: Timestamp,
    /// The words of one version.
    pub body: &'a str,
    /// The platform's id, where it has one.
    pub source_id: Option<&'a str>,
}

fn keyed(key: &Key, fields: &[&[u8]]) -> [u8; 32] {
    let mut framed = Vec::with_capacity(128);
    for field in fields {
        put_bytes(&mut framed, field);
    }
    hmac_sha256(key.expose(), &[&framed])
}

fn minute(sent: Timestamp) -> [u8; 8] {
    sent.0.div_euclid(MINUTE_MICROS).to_be_bytes()
}

impl Canonical<'_> {
    /// The identity of the message in its conversation.
    pub(super) fn identity(&self, key: &Key) -> [u8; 32] {
        let app = [self.app as u8];
        match self.source_id {
            Some(id) => keyed(key, &[b"id", &app, self.conversation, id.as_bytes()]),
            None => keyed(
                key,
                &[
                    b"said",
                    &app,
                    self.conversation,
                    &minute(self.sent),
                    self.author,
                    &sha256(self.body.as_bytes()),
                ],
            ),
        }
    }
}

/// The identity of words said by somebody of that label in whatever conversation.
pub(super) fn anywhere(key: &Key, app: App, sent: Timestamp, label: &str, body: &str) -> [u8; 32] {
    keyed(
        key,
        &[
            b"any",
            &[app as u8],
            &minute(sent),
            label.as_bytes(),
            &sha256(body.as_bytes()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said<'a>(body: &'a str, at: i64) -> Canonical<'a> {
        Canonical {
            app: App::WhatsApp,
            conversation: b"c",
            author: b"a",
            sent: Timestamp::from_seconds(at),
            body,
            source_id: None,
        }
    }

    #[test]
    fn an_identity_knows_the_minute_the_author_and_the_words() {
        let key = Key::from_bytes([3; 32]);
        let of = |one: Canonical<'_>| one.identity(&key);
        assert_eq!(of(said("x", 60)), of(said("x", 119)));
        assert_ne!(of(said("x", 60)), of(said("x", 120)));
        assert_ne!(of(said("x", -1)), of(said("x", 0)));
        assert_ne!(of(said("x", 0)), of(said("y", 0)));
        let other = Canonical {
            author: b"b",
            ..said("x", 0)
        };
        assert_ne!(of(said("x", 0)), of(other));
        let elsewhere = Canonical {
            conversation: b"d",
            ..said("x", 0)
        };
        assert_ne!(of(said("x", 0)), of(elsewhere));
        assert_ne!(
            of(said("x", 0)),
            said("x", 0).identity(&Key::from_bytes([4; 32]))
        );
    }

    #[test]
    fn a_platform_id_outweighs_time_and_words() {
        let key = Key::from_bytes([3; 32]);
        let with_id = |body, at| Canonical {
            source_id: Some("17.4"),
            ..said(body, at)
        };
        assert_eq!(
            with_id("x", 0).identity(&key),
            with_id("edited", 999).identity(&key)
        );
        assert_ne!(with_id("x", 0).identity(&key), said("x", 0).identity(&key));
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let key = Key::from_bytes([3; 32]);
        let of = |conversation, author| {
            Canonical {
                conversation,
                author,
                ..said("x", 0)
            }
            .identity(&key)
        };
        assert_ne!(of(b"ab", b"c"), of(b"a", b"bc"));
    }
}
