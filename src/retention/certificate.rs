//! The certificate of a disposition: what was destroyed, by which right, how, and what was checked.
//!
//! Canonical JSON (RFC 8785: fields in the order of their names, integers only), signed with the
//! key of the audit log. It names no content: items are keyed hashes. The form for strangers is
//! `schema/json/certificate.json`.

use serde::{Deserialize, Serialize};

use crate::archive::identities_root;
use crate::crypto::{from_hex, hex};

/// What stands in `schema`; the number changes with every change that a reader must know.
pub const CERTIFICATE_SCHEMA: &str = "wordkeep/certificate/1";

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Who approved, when.
    pub approvals: Vec<Approver>,
    /// The policies that let the items go.
    pub authority: Vec<Authority>,
    /// The list.
    pub batch: BatchFacts,
    /// The clocks when it was made.
    pub clock: ClockFacts,
    /// What may still hold a copy, in words.
    pub copies: Vec<String>,
    /// Items of the list that were not destroyed, with the reason.
    pub exceptions: Vec<Exception>,
    /// What was destroyed, in the order of the keyed ids.
    pub items: Vec<Item>,
    /// Where the run stands in the audit log.
    pub log: LogFacts,
    /// How it was destroyed.
    pub method: Method,
    /// Number of the certificate, without gaps.
    pub number: u64,
    /// Name of the log: organisation and store.
    pub origin: String,
    /// Form of this document.
    pub schema: String,
    /// Ed25519 over NUL `wordkeep/v1/certificate` NUL and this document without this field.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature: Option<String>,
    /// What was checked afterwards.
    pub verification: Verification,
}

/// Somebody who approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Compliance time, microseconds.
    pub at: i64,
    /// Public id of the user.
    pub by: String,
}

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// The law or rule it follows.
    pub citation: String,
    /// How many items it let go.
    pub items: u64,
    /// How hard it is to weaken.
    pub lock: String,
    /// How long, ISO 8601.
    pub period: String,
    /// Public id of the policy.
    pub policy: String,
    /// What starts the period.
    pub trigger: String,
    /// Its version.
    pub version: u32,
}

/// The list that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchFacts {
    /// When it was put together; compliance time, microseconds.
    pub computed: i64,
    /// When the first of it was decided, for ever; compliance time, microseconds.
    pub decided: Option<i64>,
    /// Messages that were destroyed.
    pub erased: u64,
    /// Merkle root (RFC 6962) over the keyed identities of `items`, 32 bytes each, in their order.
    pub items_root: String,
    /// Its number.
    pub number: u64,
    /// Recall window after the last approval, in microseconds.
    pub recall: i64,
    /// Public id of who asked for it.
    pub requested_by: String,
    /// Merkle root (RFC 6962) over its items as approved.
    pub root: String,
}

/// The clocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockFacts {
    /// Compliance time, microseconds.
    pub compliance: i64,
    /// How near compliance time is believed to be.
    pub quality: String,
    /// Wall clock, microseconds.
    pub wall: i64,
}

/// An item that stayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Public id of the message: it is still here.
    pub message: String,
    /// Why.
    pub reason: String,
}

/// An item that was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Keyed hash of its conversation.
    pub conversation: String,
    /// When the period of its policy was over; compliance time, microseconds.
    pub delete_from: i64,
    /// Its due date; compliance time, microseconds.
    pub due: i64,
    /// Keyed identity: confirms no guess without the key of the archive.
    pub id: String,
    /// Until when policies kept it, microseconds; `None` where none did.
    pub retain_until: Option<i64>,
    /// Time of sending, microseconds.
    pub sent: i64,
    /// When the period of its policy began, microseconds; of a request, when it was put on the list.
    pub t0: i64,
}

/// The entry of the audit log that tells of this run, with the proof that it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFacts {
    /// The signed checkpoint the proof leads to (C2SP signed note).
    pub checkpoint: String,
    /// The entry, as it was hashed.
    pub entry: String,
    /// Its place in the log, counted from 0.
    pub index: u64,
    /// Public key of the log (C2SP vkey). Whoever verifies takes it from elsewhere.
    pub key: String,
    /// Siblings from the leaf to the root, in hex.
    pub path: Vec<String>,
}

/// How it was destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Assurance mode of the overwritten keyhold.
    pub assurance: String,
    /// Sealed files that were unlinked, and their bytes.
    pub blob_bytes: u64,
    /// Sealed files that were unlinked.
    pub blobs: u64,
    /// Keyhold generation after it.
    pub generation_after: u64,
    /// Keyhold generation before it.
    pub generation_before: u64,
    /// Numbers of the keys that were destroyed.
    pub keys_destroyed: Vec<u64>,
    /// The method, in words.
    pub name: String,
}

/// What was checked afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Whether the index knows no word that only destroyed items had.
    pub index_absent: bool,
    /// Whether no destroyed key is left.
    pub key_absent: bool,
    /// Items that were sampled.
    pub sampled: u64,
    /// Places where a sample was found all the same.
    pub scan_hits: u64,
}

impl Certificate {
    /// The bytes that are signed: the document without its signature.
    ///
    /// # Errors
    /// None that can happen: numbers and texts serialise.
    pub fn unsigned(&self) -> Result<Vec<u8>, serde_json::Error> {
        let unsigned = Certificate {
            signature: None,
            ..self.clone()
        };
        serde_json::to_vec(&unsigned)
    }

    /// The whole document.
    ///
    /// # Errors
    /// As [`Certificate::unsigned`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Reads a document; only the canonical form is one.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Certificate, String> {
        let read: Certificate =
            serde_json::from_slice(bytes).map_err(|error| format!("no certificate: {error}"))?;
        if read.schema != CERTIFICATE_SCHEMA {
            return Err(format!(
                "a form this program does not know: {}",
                read.schema
            ));
        }
        match read.to_bytes() {
            Ok(again) if again == bytes => Ok(read),
            _ => Err("not in canonical form".to_owned()),
        }
    }

    /// Whether the parts agree with each other: order and root of the items, counts, nothing destroyed
    /// before its time, approvals by different people.
    ///
    /// # Errors
    /// In words, what does not.
    pub fn check(&self) -> Result<(), String> {
        let ids = self.identities()?;
        if !ids.is_sorted() {
            return Err("the items are not in the order of their ids".to_owned());
        }
        if ids.len() as u64 != self.batch.erased {
            return Err("there are not as many items as were destroyed".to_owned());
        }
        if hex(&identities_root(ids)) != self.batch.items_root {
            return Err("the items do not come to items_root".to_owned());
        }
        let early = |item: &&Item| {
            let from = item.delete_from.max(item.retain_until.unwrap_or(i64::MIN));
            item.due < from || self.batch.decided.is_none_or(|decided| decided < item.due)
        };
        if let Some(item) = self.items.iter().find(early) {
            return Err(format!("item {} was destroyed before it was due", item.id));
        }
        let mut by: Vec<&str> = self.approvals.iter().map(|one| one.by.as_str()).collect();
        by.sort_unstable();
        if by.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("one person approved twice".to_owned());
        }
        match by.contains(&self.batch.requested_by.as_str()) {
            true => Err("who asked for it approved it".to_owned()),
            false => Ok(()),
        }
    }

    /// The keyed identities of the items, in their order.
    ///
    /// # Errors
    /// In words, when one is not 32 bytes in lower-case hex.
    pub fn identities(&self) -> Result<Vec<[u8; 32]>, String> {
        let read = |item: &Item| identity(&item.id);
        self.items.iter().map(read).collect()
    }

    /// Whether an item of this keyed identity was destroyed in this run.
    pub fn names(&self, id: &str) -> bool {
        self.items
            .binary_search_by(|item| item.id.as_str().cmp(id))
            .is_ok()
    }
}

/// A keyed identity from its text.
pub(super) fn identity(text: &str) -> Result<[u8; 32], String> {
    from_hex(text)
        .filter(|bytes| hex(bytes) == text)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| format!("{text:?} is no keyed identity: 64 lower-case hex digits"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The keyed identity that ends with this byte.
    pub fn id(last: u8) -> String {
        let mut bytes = [0x5a; 32];
        bytes[31] = last;
        hex(&bytes)
    }

    /// A certificate over items with these identities, lawful in itself: asked for by one, approved by
    /// two others, due at 100 and decided at 200.
    pub fn certificate(ids: &[u8]) -> Certificate {
        let text = |word: &str| word.to_owned();
        let approved = |by: &str| Approver {
            at: 150,
            by: text(by),
        };
        let item = |last: &u8| Item {
            conversation: id(0),
            delete_from: 90,
            due: 100,
            id: id(*last),
            retain_until: Some(100),
            sent: 1,
            t0: 2,
        };
        let mut one = Certificate {
            approvals: vec![approved("usr_2"), approved("usr_3")],
            authority: Vec::new(),
            batch: BatchFacts {
                computed: 120,
                decided: Some(200),
                erased: ids.len() as u64,
                items_root: String::new(),
                number: 4,
                recall: 10,
                requested_by: text("usr_1"),
                root: id(1),
            },
            clock: ClockFacts {
                compliance: 300,
                quality: text("good"),
                wall: 300,
            },
            copies: Vec::new(),
            exceptions: Vec::new(),
            items: ids.iter().map(item).collect(),
            log: LogFacts {
                checkpoint: String::new(),
                entry: String::new(),
                index: 0,
                key: String::new(),
                path: Vec::new(),
            },
            method: Method {
                assurance: text("overwrite"),
                blob_bytes: 0,
                blobs: 0,
                generation_after: 2,
                generation_before: 1,
                keys_destroyed: vec![7],
                name: text("crypto-erase"),
            },
            number: 9,
            origin: text("example/sto"),
            schema: CERTIFICATE_SCHEMA.to_owned(),
            signature: None,
            verification: Verification {
                index_absent: true,
                key_absent: true,
                sampled: 1,
                scan_hits: 0,
            },
        };
        let root = identities_root(one.identities().expect("they are identities"));
        one.batch.items_root = hex(&root);
        one
    }

    fn refused(change: impl FnOnce(&mut Certificate)) -> String {
        let mut one = certificate(&[3, 5, 9]);
        assert_eq!(one.check(), Ok(()));
        change(&mut one);
        one.check().expect_err("something does not agree")
    }

    #[test]
    fn d4_the_parts_of_a_certificate_agree() {
        assert!(refused(|one| one.items.swap(0, 1)).contains("not in the order"));
        assert!(refused(|one| one.batch.erased = 2).contains("as many items"));
        assert!(refused(|one| one.items[1].id = id(6)).contains("items_root"));
        assert!(refused(|one| one.items[1].id = id(6).to_uppercase()).contains("keyed identity"));
        assert!(refused(|one| one.approvals[1].by = "usr_2".to_owned()).contains("approved twice"));
        assert!(refused(|one| one.approvals[0].by = "usr_1".to_owned()).contains("who asked"));
    }

    #[test]
    fn d4_nothing_on_a_certificate_went_before_its_time() {
        let early = "before it was due";
        assert!(refused(|one| one.batch.decided = None).contains(early));
        assert!(refused(|one| one.batch.decided = Some(99)).contains(early));
        assert!(refused(|one| one.items[2].due = 201).contains(early));
        assert!(refused(|one| one.items[2].retain_until = Some(101)).contains(early));
        assert!(refused(|one| one.items[0].delete_from = 101).contains(early));
        let mut exact = certificate(&[3, 5]);
        exact.batch.decided = Some(100);
        exact.items[0].delete_from = 100;
        exact.items[1].retain_until = None;
        assert_eq!(exact.check(), Ok(()));
    }

    #[test]
    fn d4_a_certificate_names_what_it_lists_and_nothing_else() {
        let one = certificate(&[3, 5, 9]);
        let named: Vec<u8> = (0..=255).filter(|last| one.names(&id(*last))).collect();
        assert_eq!(named, [3, 5, 9]);
        let ids = one.identities().expect("they are identities");
        assert_eq!(ids.iter().map(|id| id[31]).collect::<Vec<_>>(), [3, 5, 9]);
        for wrong in [
            "",
            "5a",
            &id(3)[..62],
            &format!("{}00", id(3)),
            &id(3).to_uppercase(),
        ] {
            assert!(identity(wrong).is_err(), "{wrong}");
        }
        assert_eq!(identity(&id(3)).map(|id| hex(&id)), Ok(id(3)));
    }

    #[test]
    fn a_certificate_is_read_in_its_one_form() {
        let one = certificate(&[3]);
        let bytes = one.to_bytes().expect("it is written");
        assert_eq!(Certificate::read(&bytes), Ok(one));
        let spaced = [&bytes[..], b" "].concat();
        assert!(Certificate::read(&spaced).is_err());
        let text = String::from_utf8(bytes).expect("it is text");
        let other = text.replace("certificate/1", "certificate/2");
        let refused = Certificate::read(other.as_bytes()).expect_err("another form");
        assert!(refused.contains("does not know"), "{refused}");
    }
}
