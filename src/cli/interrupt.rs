//! Ctrl-C: the first asks to stop and save, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::failure::{Exit, Failure};

/// Hears whether the person asked to stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Listens from now on, for the rest of the process.
    pub(super) fn listen() -> Result<Interrupt, Failure> {
        let interrupt = Interrupt::default();
        for signal in [SIGINT, SIGTERM] {
            // The order matters: at the second signal the flag is already set, and this ends it.
            flag::register_conditional_shutdown(
                signal,
                i32::from(Exit::Interrupted as u8),
                Arc::clone(&interrupt.asked),
            )?;
            flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// Whether somebody asked to stop.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
