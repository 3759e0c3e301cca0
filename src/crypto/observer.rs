//! Hearing of every seal, so that a test can prove that no (key, nonce) pair comes twice.

use std::sync::Arc;

use super::aead::Nonce;
use super::key::{Entropy, KeyFingerprint};

/// Hears of every seal.
///
/// It comes along with the randomness ([`Entropy::observer`]): whatever is sealed draws a key, a
/// salt or a nonce first, so no way of sealing can forget it, and there is no global recorder. A
/// cipher that nobody watches pays a single comparison.
pub trait SealObserver: Send + Sync {
    /// A plaintext was just sealed under this key and nonce.
    fn sealed(&self, key: KeyFingerprint, nonce: Nonce);
}

/// Randomness whose every use for sealing is heard: for tests of the nonce law.
pub struct WatchedEntropy {
    entropy: Arc<dyn Entropy>,
    observer: Arc<dyn SealObserver>,
}

impl WatchedEntropy {
    /// The bytes of `entropy`, with an observer of what is sealed with them.
    pub fn new(entropy: Arc<dyn Entropy>, observer: Arc<dyn SealObserver>) -> Self {
        Self { entropy, observer }
    }
}

impl Entropy for WatchedEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        self.entropy.fill(buffer);
    }

    fn observer(&self) -> Option<&Arc<dyn SealObserver>> {
        Some(&self.observer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::{Key, SeededEntropy};
    use crate::crypto::keyhold::Keyhold;
    use crate::crypto::password::StretchCost;
    use crate::crypto::slot::{Secret, SlotFile};
    use crate::crypto::stream::{StreamKind, StreamWriter, seal_whole};
    use crate::crypto::wrap::{WrapPlace, Wrapper};
    use crate::domain::StoreId;
    use std::collections::HashSet;
    use std::io::{self, Write as _};
    use std::sync::Mutex;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<(KeyFingerprint, Nonce)>>);

    impl SealObserver for Recorder {
        fn sealed(&self, key: KeyFingerprint, nonce: Nonce) {
            self.0.lock().expect("no panic holds it").push((key, nonce));
        }
    }

    fn watched() -> (Arc<Recorder>, WatchedEntropy) {
        let recorder = Arc::new(Recorder::default());
        let observer: Arc<dyn SealObserver> = Arc::clone(&recorder) as _;
        let seeded = Arc::new(SeededEntropy::new(1));
        (recorder, WatchedEntropy::new(seeded, observer))
    }

    impl Recorder {
        /// What was heard since the last question.
        fn heard(&self) -> Vec<(KeyFingerprint, Nonce)> {
            std::mem::take(&mut *self.0.lock().expect("no panic holds it"))
        }
    }

    #[test]
    fn e2_wraps_slots_and_keyholds_are_heard_under_the_key_that_wraps() {
        let (recorder, entropy) = watched();
        let (root, other) = (Key::random(&entropy), Key::random(&entropy));
        assert!(recorder.heard().is_empty(), "drawing is not sealing");
        let place = WrapPlace::blob_key(StoreId(7), 1, 1);
        let wrapped = Wrapper::new(&root, 0).wrap(&place, &other, &entropy);
        let nonce = Nonce::from_bytes(wrapped.expect("wraps").nonce);
        assert_eq!(recorder.heard(), [(root.fingerprint(), nonce)]);
        let mut slots = SlotFile::new(StoreId(7), &root, &other, &entropy).expect("wraps");
        let heard = recorder.heard();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].0, root.fingerprint());
        let secret = Secret::key_file(&[7; 64]);
        slots
            .add(&root, &secret, "first", &StretchCost::LOGIN, &entropy)
            .expect("a slot");
        let heard = recorder.heard();
        assert_eq!(heard.len(), 1);
        assert_ne!(
            heard[0].0,
            root.fingerprint(),
            "a slot has a key of its own"
        );
        let hold = Keyhold::first(&entropy);
        hold.to_place(&root, StoreId(7), &entropy).expect("wraps");
        let heard = recorder.heard();
        assert_eq!((heard.len(), heard[0].0), (1, root.fingerprint()));
    }

    #[test]
    fn e2_every_page_of_every_stream_is_heard_and_none_comes_twice() {
        const PAGE: usize = 16;
        let (recorder, entropy) = watched();
        let key = Key::from_bytes([2; 32]);
        for _rewrite in 0..20 {
            let mut writer = StreamWriter::new(
                io::sink(),
                &key,
                StreamKind::IndexMeta,
                "meta.json",
                PAGE,
                &entropy,
            )
            .expect("writes to nowhere");
            writer.write_all(&[5; 100]).expect("writes to nowhere");
            writer.finish().expect("writes to nowhere");
        }
        let heard = recorder.heard();
        assert_eq!(heard.len(), 20 * 100usize.div_ceil(PAGE));
        let apart: HashSet<_> = heard.iter().collect();
        assert_eq!(apart.len(), heard.len());
        seal_whole(b"list", &key, StreamKind::IndexMeta, "meta.json", &entropy).expect("seals");
        let heard = recorder.heard();
        assert_eq!(heard.len(), 1);
        assert_eq!(heard[0].1, Nonce::chunk(0, true));
    }
}
