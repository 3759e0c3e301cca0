//! Signed notes and checkpoints as C2SP writes them (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).
//!
//! ```text
//! <origin>\n<size in decimal>\n<root in base64>\n      the text that is signed
//! \n
//! — <name> <base64(key id 4 B + signature 64 B)>\n     one line for each signature
//!
//! key id = SHA-256(name + 0x0A + 0x01 + public key)[..4]
//! ```
//! Our checkpoints have exactly the three lines; a text with more is not ours and is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::error::{Error, Result};
use super::hash::{DIGEST_LEN, Digest, sha256_of};
use super::sign::{PUBLIC_KEY_LEN, SIGNATURE_LEN, SigningKey, VerifyingKey};

/// Longest note in bytes that is read.
pub const NOTE_LEN_MAX: usize = 64 * 1024;
/// Signature lines of one note that are read.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// Longest name of a key, and origin of a log, in bytes.
pub const ORIGIN_LEN_MAX: usize = 255;
/// The signature type of Ed25519 in key ids and verifier keys.
const ED25519: u8 = 0x01;
/// What a signature line begins with: an em dash and a space.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// The state of a log: so many entries, this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `organisation/store-id`. Also the name of the key that signs.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

impl Checkpoint {
    /// The three lines, each ended by a line feed.
    pub fn to_text(&self) -> String {
        let root = BASE64.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the three lines; anything else is [`Error::Format`].
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text
            .strip_suffix('\n')
            .ok_or(malformed("the text does not end in a line feed"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed("a checkpoint has exactly three lines"));
        };
        let canonical = size == "0" || !size.starts_with(['0', '+']);
        let size = size
            .parse()
            .ok()
            .filter(|_| canonical)
            .ok_or(malformed("the second line is not a plain decimal size"))?;
        let root = decode::<DIGEST_LEN>(root).ok_or(malformed("the third line is not a root"))?;
        check_name(origin)?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

fn malformed(found: &'static str) -> Error {
    Error::Format {
        expected: "a signed checkpoint",
        found,
    }
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

/// A name has no white space and no plus sign (c2sp.org/signed-note, "Format").
fn check_name(name: &str) -> Result<()> {
    let allowed = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
    match !name.is_empty() && name.len() <= ORIGIN_LEN_MAX && name.chars().all(allowed) {
        true => Ok(()),
        false => Err(malformed(
            "a name is empty, too long, or has white space or a plus",
        )),
    }
}

fn key_id(name: &str, key: &VerifyingKey) -> [u8; 4] {
    let digest = sha256_of(&[name.as_bytes(), b"\n", &[ED25519], &key.to_bytes()]);
    [digest[0], digest[1], digest[2], digest[3]]
}

/// A named public key: what a verifier pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteVerifier {
    /// The name in the signature line.
    pub name: String,
    /// The key.
    pub key: VerifyingKey,
}

impl NoteVerifier {
    /// A verifier for this name; fails for a name no signature line can carry.
    pub fn new(name: &str, key: VerifyingKey) -> Result<Self> {
        check_name(name)?;
        Ok(Self {
            name: name.to_owned(),
            key,
        })
    }

    /// The four bytes before a signature that say which key made it.
    pub fn key_id(&self) -> [u8; 4] {
        key_id(&self.name, &self.key)
    }

    /// `<name>+<key id in hex>+<base64(0x01 + public key)>`, as other C2SP tools take it.
    pub fn to_vkey(&self) -> String {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(&self.key.to_bytes());
        let id = super::hash::hex(&self.key_id());
        format!("{}+{id}+{}", self.name, BASE64.encode(typed))
    }

    /// Reads what [`NoteVerifier::to_vkey`] gave and checks its key id.
    pub fn from_vkey(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("a verifier key is name+id+key"));
        };
        let typed = decode::<{ PUBLIC_KEY_LEN + 1 }>(typed)
            .filter(|typed| typed[0] == ED25519)
            .ok_or(malformed("a verifier key is not of type Ed25519"))?;
        let mut key = [0; PUBLIC_KEY_LEN];
        key.copy_from_slice(&typed[1..]);
        let verifier = Self::new(name, VerifyingKey::from_bytes(&key)?)?;
        match super::hash::hex(&verifier.key_id()) == id {
            true => Ok(verifier),
            false => Err(malformed("a verifier key whose id does not fit the key")),
        }
    }
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Who claims to have signed.
    pub name: String,
    /// Which key.
    pub key_id: [u8; 4],
    /// The signature; of foreign kinds any length.
    pub signature: Vec<u8>,
}

/// A text with signatures, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    /// The signed text, with its last line feed.
    pub text: String,
    /// The signatures in the order of their lines.
    pub signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Signs a text, which must end in a line feed and hold no empty line.
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Result<Self> {
        check_text(text)?;
        let mut note = Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        };
        note.add(name, key)?;
        Ok(note)
    }

    /// Adds a signature, for instance of the old key at a rotation or of a witness.
    pub fn add(&mut self, name: &str, key: &SigningKey) -> Result<()> {
        check_name(name)?;
        self.signatures.push(NoteSignature {
            name: name.to_owned(),
            key_id: key_id(name, &key.verifying_key()),
            signature: key.sign(self.text.as_bytes()).to_vec(),
        });
        Ok(())
    }

    /// The note as it is written.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.text);
        for line in &self.signatures {
            let bytes = [&line.key_id[..], &line.signature].concat();
            let signature = BASE64.encode(bytes);
            text += &format!("{SIGNATURE_PREFIX}{} {signature}\n", line.name);
        }
        text
    }

    /// Reads a note. Nothing in it is to be believed before [`SignedNote::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > NOTE_LEN_MAX {
            return Err(malformed("a note of more than 64 KiB"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or(malformed("no empty line before the signatures"))?;
        let text = format!("{text}\n");
        check_text(&text)?;
        let lines = lines
            .strip_suffix('\n')
            .ok_or(malformed("the last signature line is cut"))?;
        let signatures = lines
            .split('\n')
            .map(parse_signature)
            .collect::<Result<Vec<_>>>()?;
        match signatures.len() {
            1..=NOTE_SIGNATURES_MAX => Ok(Self { text, signatures }),
            _ => Err(malformed("more than 16 signatures")),
        }
    }

    /// Checks that the pinned key signed the text. Lines of other keys are passed over; a line with
    /// the name and id of the pinned key that does not hold is [`Error::Signature`], and so is
    /// their absence.
    pub fn verify(&self, verifier: &NoteVerifier) -> Result<()> {
        let id = verifier.key_id();
        let mut signed = false;
        for line in &self.signatures {
            if line.name == verifier.name && line.key_id == id {
                verifier.key.verify(self.text.as_bytes(), &line.signature)?;
                signed = true;
            }
        }
        signed.then_some(()).ok_or(Error::Signature)
    }
}

fn check_text(text: &str) -> Result<()> {
    let control = |letter: char| letter < ' ' && letter != '\n';
    if !text.ends_with('\n') || text.contains("\n\n") || text.starts_with('\n') {
        return Err(malformed(
            "a text ends in a line feed and has no empty line",
        ));
    }
    match text.contains(control) {
        true => Err(malformed("a control character in the text")),
        false => Ok(()),
    }
}

fn parse_signature(line: &str) -> Result<NoteSignature> {
    let parts = line
        .strip_prefix(SIGNATURE_PREFIX)
        .and_then(|line| line.split_once(' '));
    let (name, signature) = parts.ok_or(malformed("a signature line is not \"— name base64\""))?;
    check_name(name)?;
    let bytes = BASE64
        .decode(signature)
        .map_err(|_| malformed("a signature is not base64"))?;
    match bytes.split_first_chunk::<4>() {
        Some((key_id, signature)) if !signature.is_empty() => Ok(NoteSignature {
            name: name.to_owned(),
            key_id: *key_id,
            signature: signature.to_vec(),
        }),
        _ => Err(malformed("a signature is shorter than its key id")),
    }
}

/// Signs a checkpoint under the name of its origin and gives the note's text.
pub fn sign_checkpoint(checkpoint: &Checkpoint, key: &SigningKey) -> Result<String> {
    let text = checkpoint.to_text();
    // What could not be read back must not be signed.
    Checkpoint::parse(&text)?;
    Ok(SignedNote::sign(&text, &checkpoint.origin, key)?.to_text())
}

/// Reads a checkpoint that the pinned key signed for the pinned origin (the verifier's name).
pub fn open_checkpoint(note: &[u8], verifier: &NoteVerifier) -> Result<Checkpoint> {
    let note = SignedNote::parse(note)?;
    note.verify(verifier)?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    match checkpoint.origin == verifier.name {
        true => Ok(checkpoint),
        false => Err(malformed("the origin is another log's")),
    }
}

/// Bytes of an Ed25519 signature with its key id, before base64.
pub const NOTE_SIGNATURE_LEN: usize = 4 + SIGNATURE_LEN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::Key;
    use proptest::prelude::*;

    fn key() -> SigningKey {
        SigningKey::from_key(&Key::from_bytes([3; 32]))
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "example/sto_00000000000000000000000007".to_owned(),
            size: 42,
            root: [9; 32],
        }
    }

    fn verifier() -> NoteVerifier {
        NoteVerifier::new(&checkpoint().origin, key().verifying_key()).expect("a fine name")
    }

    fn signed() -> String {
        sign_checkpoint(&checkpoint(), &key()).expect("signs")
    }

    #[test]
    fn the_public_example_of_signed_notes_verifies() {
        // golang.org/x/mod/sumdb/note, package documentation.
        let verifier = NoteVerifier::from_vkey(
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        )
        .expect("a known key");
        let note = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n\n\
                    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let note = SignedNote::parse(note.as_bytes()).expect("reads");
        assert_eq!(note.verify(&verifier), Ok(()));
        assert_eq!(hex_of(&verifier.key_id()), "c74f20a3");
    }

    fn hex_of(bytes: &[u8]) -> String {
        crate::crypto::hash::hex(bytes)
    }

    #[test]
    fn a_checkpoint_reads_back() {
        let text = signed();
        assert!(text.starts_with("example/sto_00000000000000000000000007\n42\nCQkJ"));
        assert_eq!(
            open_checkpoint(text.as_bytes(), &verifier()),
            Ok(checkpoint())
        );
        let vkey = verifier().to_vkey();
        assert_eq!(NoteVerifier::from_vkey(&vkey), Ok(verifier()));
    }

    #[test]
    fn a2_another_key_or_origin_is_refused() {
        let stranger = SigningKey::from_key(&Key::from_bytes([4; 32]));
        let forged = sign_checkpoint(&checkpoint(), &stranger).expect("signs");
        assert_eq!(
            open_checkpoint(forged.as_bytes(), &verifier()),
            Err(Error::Signature)
        );
        let other = Checkpoint {
            origin: "example/other".to_owned(),
            ..checkpoint()
        };
        let mut note =
            SignedNote::sign(&other.to_text(), &checkpoint().origin, &key()).expect("signs");
        let opened = open_checkpoint(note.to_text().as_bytes(), &verifier());
        assert!(matches!(opened, Err(Error::Format { .. })));
        note = SignedNote::sign(&checkpoint().to_text(), "example/other", &key()).expect("signs");
        let opened = open_checkpoint(note.to_text().as_bytes(), &verifier());
        assert_eq!(opened, Err(Error::Signature));
    }

    #[test]
    fn a_second_signature_leaves_the_first_valid() {
        let witness = SigningKey::from_key(&Key::from_bytes([5; 32]));
        let mut note = SignedNote::parse(signed().as_bytes()).expect("reads");
        note.add("witness.example", &witness).expect("signs");
        let text = note.to_text();
        assert_eq!(
            open_checkpoint(text.as_bytes(), &verifier()),
            Ok(checkpoint())
        );
        let pinned = NoteVerifier::new("witness.example", witness.verifying_key()).expect("name");
        let note = SignedNote::parse(text.as_bytes()).expect("reads");
        assert_eq!(note.verify(&pinned), Ok(()));
    }

    #[test]
    fn malformed_checkpoints_are_refused() {
        let root = BASE64.encode([9; 32]);
        for text in [
            format!("o\n042\n{root}\n"),
            format!("o\n+42\n{root}\n"),
            format!("o\n-1\n{root}\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            format!("o\n42\n{root}"),
            format!("o\n42\n{root}\nextension\n"),
            format!("o\n42\n{}\n", BASE64.encode([9; 31])),
            format!("\n42\n{root}\n"),
            format!("o o\n42\n{root}\n"),
            format!("o\n42\r\n{root}\n"),
        ] {
            assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
        }
        assert!(Checkpoint::parse(&format!("o\n0\n{root}\n")).is_ok());
    }

    #[test]
    fn a_text_that_would_not_read_back_is_not_signed() {
        let sign = |text: &str| SignedNote::sign(text, "example", &key());
        for text in [
            "",
            "cut",
            "two\n\nparts\n",
            "\nfirst\n",
            "a tab\t\n",
            "nul\0\n",
            "cr\r\n",
        ] {
            assert!(sign(text).is_err(), "{text:?}");
        }
        for text in ["one\n", "one\ntwo\n", "one \u{e9}\n"] {
            let note = sign(text).expect("signs");
            assert_eq!(SignedNote::parse(note.to_text().as_bytes()), Ok(note));
        }
    }

    #[test]
    fn a_note_holds_at_most_sixteen_signatures() {
        let mut note = SignedNote::sign("text\n", "example", &key()).expect("signs");
        for number in 1..NOTE_SIGNATURES_MAX {
            note.add(&format!("witness{number}"), &key())
                .expect("signs");
        }
        assert_eq!(
            SignedNote::parse(note.to_text().as_bytes()),
            Ok(note.clone())
        );
        note.add("one.more", &key()).expect("signs");
        assert!(SignedNote::parse(note.to_text().as_bytes()).is_err());
    }

    #[test]
    fn a_name_that_breaks_the_line_is_not_signed() {
        for origin in ["", "a b", "a+b", "a\nb"] {
            let bad = Checkpoint {
                origin: origin.to_owned(),
                ..checkpoint()
            };
            assert!(sign_checkpoint(&bad, &key()).is_err(), "{origin:?}");
        }
    }

    proptest! {
        #[test]
        fn a2_a_flipped_bit_in_a_checkpoint_is_found(at: prop::sample::Index, bit in 0..8u32) {
            let mut bytes = signed().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(open_checkpoint(&bytes, &verifier()).is_err());
        }

        #[test]
        fn a2_a_cut_or_longer_checkpoint_is_found(at: prop::sample::Index, more in "\\PC{1,9}") {
            let text = signed();
            prop_assert!(open_checkpoint(&text.as_bytes()[..at.index(text.len())], &verifier()).is_err());
            prop_assert!(open_checkpoint((text + &more).as_bytes(), &verifier()).is_err());
        }

        #[test]
        fn any_bytes_parse_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(SignedNote::parse(&bytes).is_err() || !bytes.is_empty());
        }
    }
}
