//! Sealed marks: where a page of a list ended, as a text that only this store can make, for one person
//! and one list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Appliance, Session};
use crate::crypto::{equal, hmac_sha256};

/// Bytes of the MAC that are kept.
const MAC_LEN: usize = 16;

impl Appliance {
    /// A mark at a place of a list. The place is readable, and nobody else can make the mark.
    pub fn seal_mark(&self, session: &Session, list: &str, place: &str) -> String {
        let mac = self.mark_mac(session, list, place);
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(place),
            URL_SAFE_NO_PAD.encode(mac)
        )
    }

    /// The place of a mark that was given to this person for this list; `None` for any other.
    pub fn open_mark(&self, session: &Session, list: &str, mark: &str) -> Option<String> {
        let (place, mac) = mark.split_once('.')?;
        let place = String::from_utf8(URL_SAFE_NO_PAD.decode(place).ok()?).ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        equal(&mac, &self.mark_mac(session, list, &place)).then_some(place)
    }

    fn mark_mac(&self, session: &Session, list: &str, place: &str) -> [u8; MAC_LEN] {
        let key = self.archive.derived_key("mark");
        let owner = session.actor.id.0.to_be_bytes();
        let length = (list.len() as u64).to_be_bytes();
        let parts: [&[u8]; 4] = [&owner, &length, list.as_bytes(), place.as_bytes()];
        let digest = hmac_sha256(key.expose(), &parts);
        std::array::from_fn(|place| digest[place])
    }
}
