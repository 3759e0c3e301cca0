//! Answers that come bit by bit: a file that is fetched, and events of a job. Who listens to events
//! takes a seat; there are only so many.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::stream;

use super::refusal::Refusal;
use crate::app::export::StagedExport;
use crate::domain::UserNo;

/// Streams of one person at once.
const OWN_MAX: usize = 6;
/// Streams of everybody at once.
const ALL_MAX: usize = 256;
/// Bytes of a file handed out at a time.
const PIECE_BYTES: usize = 256 << 10;

/// Who listens.
#[derive(Clone, Default)]
pub(super) struct Seats {
    taken: Arc<Mutex<HashMap<UserNo, usize>>>,
}

/// A seat that is taken; free again when it is dropped.
pub(super) struct Seat {
    seats: Seats,
    owner: UserNo,
}

impl Seats {
    /// Takes a seat.
    ///
    /// # Errors
    /// When this person, or everybody, has as many as there may be.
    pub(super) fn take(&self, owner: UserNo) -> Result<Seat, Refusal> {
        let mut taken = self.taken();
        let own = taken.get(&owner).copied().unwrap_or(0);
        if own >= OWN_MAX || taken.values().sum::<usize>() >= ALL_MAX {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "Too many listeners",
                format!("You may listen to {OWN_MAX} jobs at once: end one, or ask now and then."),
            ));
        }
        taken.insert(owner, own + 1);
        Ok(Seat {
            seats: self.clone(),
            owner,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<UserNo, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        match taken.get_mut(&self.owner) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.owner)),
        }
    }
}

/// A staged file as a body, read piece by piece.
pub(super) fn file_body(file: StagedExport) -> Body {
    Body::from_stream(stream::unfold((file, 0), |(file, at)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let piece = piece_of(&file, at);
            (file, piece)
        });
        match read.await {
            Ok((file, Ok(piece))) if !piece.is_empty() => {
                let next = at + piece.len() as u64;
                Some((Ok(Bytes::from(piece)), (file, next)))
            }
            Ok((_, Ok(_))) => None,
            // A body that ends early is seen by its length.
            Ok((file, Err(error))) => Some((Err(error), (file, u64::MAX))),
            Err(_) => None,
        }
    }))
}

fn piece_of(file: &StagedExport, at: u64) -> io::Result<Vec<u8>> {
    let (mut piece, mut filled) = (vec![0; PIECE_BYTES], 0);
    while filled < piece.len() && at < file.bytes() {
        match file.read_at(at + filled as u64, &mut piece[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    piece.truncate(filled);
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_one_person_has_so_many_seats_and_leaves_them() {
        let seats = Seats::default();
        let taken: Vec<Seat> = (0..OWN_MAX)
            .map(|_| seats.take(UserNo(1)).unwrap())
            .collect();
        assert!(seats.take(UserNo(1)).is_err());
        assert!(seats.take(UserNo(2)).is_ok());
        drop(taken);
        assert!(seats.take(UserNo(1)).is_ok());
        assert!(seats.taken().is_empty());
    }
}
