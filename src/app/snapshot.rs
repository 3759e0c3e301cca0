//! Snapshots of searches: the index and the names as they were when somebody asked a first page, kept
//! for a while so that every page of one search is cut from one state.
//!
//! Kept in memory alone and bounded. A state that is gone, also because something was erased, is told as
//! expired: a page is never cut from another state than the page before.

use std::sync::{Arc, PoisonError};

use super::{AppError, Appliance, Result};
use crate::archive::Watermark;
use crate::crypto::{Hasher, hex, sha256_of};
use crate::domain::{Scope, Timestamp};
use crate::index::Index;
use crate::search::{Cursor, NameIndex, Snapshot};

/// Most states kept at once; the one used longest ago goes first.
const PICTURES_MAX: usize = 32;
/// How long a state is kept after its last use, in microseconds: a quarter of an hour.
const KEPT_MICROS: i64 = 15 * 60 * 1_000_000;

/// A state of index and names.
#[derive(Clone)]
pub(super) struct Picture {
    /// What the index sees.
    pub index: Index,
    /// What people and conversations are called.
    pub names: Arc<NameIndex>,
    /// How far the index had read.
    pub watermark: Watermark,
    id: [u8; 16],
    /// Count of the times that everything was forgotten, when it was taken.
    round: u64,
}

struct Kept {
    picture: Picture,
    used: Timestamp,
}

/// The states that are kept.
#[derive(Default)]
pub(super) struct Pictures {
    /// The one used longest ago first.
    kept: Vec<Kept>,
    round: u64,
}

impl Pictures {
    fn find(&mut self, id: &[u8; 16], now: Timestamp) -> Option<Picture> {
        self.forget_old(now);
        let place = self.kept.iter().position(|kept| kept.picture.id == *id)?;
        let mut kept = self.kept.remove(place);
        kept.used = now;
        let picture = kept.picture.clone();
        self.kept.push(kept);
        Some(picture)
    }

    fn keep(&mut self, picture: &Picture, now: Timestamp) {
        if picture.round != self.round || self.find(&picture.id, now).is_some() {
            return;
        }
        if self.kept.len() >= PICTURES_MAX {
            self.kept.remove(0);
        }
        self.kept.push(Kept {
            picture: picture.clone(),
            used: now,
        });
    }

    fn forget_old(&mut self, now: Timestamp) {
        let since = now.0.saturating_sub(KEPT_MICROS);
        self.kept.retain(|kept| kept.used.0 >= since);
    }
}

impl Appliance {
    /// The state as it is now, to be asked and, when there is a next page, to be kept.
    pub(super) fn picture(&self) -> Result<Picture> {
        // In this order: everything the watermark counts is in the picture.
        let round = self.pictures().round;
        let watermark = self.archive.watermark()?;
        let (number, names) = self.numbered_names()?;
        let index = self.archive.index().pinned();
        let digest = sha256_of(&[&index.fingerprint(), &number.to_be_bytes()]);
        Ok(Picture {
            index,
            names,
            watermark,
            id: std::array::from_fn(|place| digest[place]),
            round,
        })
    }

    /// The state that a page mark belongs to; `None` when it is gone or the asker sees other things now.
    pub(super) fn picture_of(
        &self,
        cursor: &Cursor,
        scope: &Scope,
        current: Picture,
    ) -> Option<Picture> {
        let snapshot = &cursor.snapshot;
        if snapshot.sight != sight_of(scope) {
            return None;
        }
        if snapshot.picture == current.id {
            return Some(Picture {
                watermark: snapshot.watermark,
                ..current
            });
        }
        let now = self.clock.now().compliance;
        self.pictures().find(&snapshot.picture, now)
    }

    /// Keeps a state for the pages to come.
    pub(super) fn keep_picture(&self, picture: &Picture) {
        let now = self.clock.now().compliance;
        self.pictures().keep(picture, now);
    }

    /// Forgets every state: something is erased, and nothing may be read from what was before.
    pub(super) fn forget_pictures(&self) {
        let mut pictures = self.pictures();
        pictures.kept.clear();
        pictures.round += 1;
    }

    fn pictures(&self) -> std::sync::MutexGuard<'_, Pictures> {
        self.pictures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Picture {
    /// How far the index had read, as it is told.
    pub(super) fn told(&self, scope: &Scope) -> Watermark {
        match scope.sees_all() {
            true => self.watermark,
            false => self.watermark.without_figures(),
        }
    }

    /// The name of the state, for those who see everything: to others it would tell when something
    /// comes in that they do not see.
    pub(super) fn name(&self, scope: &Scope) -> Option<String> {
        scope.sees_all().then(|| hex(&self.id))
    }

    /// What page marks of this state carry.
    pub(super) fn snapshot(&self, scope: &Scope, asked: Timestamp) -> Snapshot {
        Snapshot {
            asked,
            watermark: self.watermark,
            picture: self.id,
            sight: sight_of(scope),
        }
    }
}

/// A fingerprint of what a scope shows.
fn sight_of(scope: &Scope) -> [u8; 8] {
    let mut hasher = Hasher::new();
    hasher.update(&[u8::from(scope.everything)]);
    for set in [&scope.conversations, &scope.denied] {
        for no in set {
            hasher.update(&u64::from(no.0).to_be_bytes());
        }
        hasher.update(b"/");
    }
    for no in &scope.accounts {
        hasher.update(&u64::from(no.0).to_be_bytes());
    }
    hasher.update(b"/");
    for no in scope.withheld.iter() {
        hasher.update(&no.0.to_be_bytes());
    }
    let digest = hasher.finish();
    std::array::from_fn(|place| digest[place])
}

/// The refusal of a mark whose state is gone.
pub(super) fn expired(canonical: String) -> AppError {
    AppError::Expired { canonical }
}
