//! Randomness of the operating system: read here and nowhere below.

use crate::crypto::Entropy;

/// The operating system's generator (getrandom(2)).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::panic,
        reason = "without randomness no key may be made; the trait has no error because going on \
                  would be worse than stopping"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}
