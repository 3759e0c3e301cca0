//! What every request needs: the opened product, or the way to open it, and what was decided when
//! serving began.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::api::Secrets;
use super::intake::Intake;
use super::jobs::Jobs;
use super::limit::Buckets;
use super::outbox::Outbox;
use super::page::Kits;
use super::page::holds::Preview;
use super::page::trial::Shelf;
use super::refusal::Refusal;
use super::stream::Seats;
use crate::app::{AppError, Appliance, Simulated, TermReport};

/// Opens the product with a passphrase that somebody typed.
pub type Unlock = Box<dyn Fn(&str) -> crate::app::Result<Appliance> + Send + Sync>;

/// What was decided when serving began.
#[derive(Clone, Debug, Default)]
pub struct HouseOptions {
    /// The connection is protected: cookies are marked so.
    pub secure: bool,
    /// Everything is made up and will be deleted; every page says so.
    pub demo: bool,
}

enum Slot {
    Sealed(Unlock),
    Open(Arc<Appliance>),
}

/// Tries to sign in at once, and for good in a minute, of one login from one address.
const SIGN_INS: (u32, u32) = (10, 6);

/// Requests at once, and for good in a minute, of one token or of one person's windows.
const PROGRAMS: (u32, u32) = (300, 1_200);

/// What somebody who is not signed in may send at once, and for good in a minute, from one address:
/// each try costs a stretched password or an entry in the log.
const STRANGERS: (u32, u32) = (60, 60);

/// The state of the server.
pub struct House {
    slot: RwLock<Slot>,
    pub(super) options: HouseOptions,
    /// Long acts under way.
    pub(super) jobs: Jobs,
    /// Files on their way in.
    pub(super) intake: Intake,
    /// Exports that wait to be fetched.
    pub(super) outbox: Outbox,
    /// Who listens to events.
    pub(super) seats: Seats,
    pub(super) sign_ins: Buckets<(Option<IpAddr>, String)>,
    pub(super) strangers: Buckets<Option<IpAddr>>,
    pub(super) programs: Buckets<String>,
    /// Answers that are given again and that the record does not keep.
    pub(super) secrets: Secrets,
    /// The recovery kit that was given out and waits to be proved.
    pub(super) kits: Kits,
    /// What previews of holds found, with the forms they were made from.
    pub(super) previews: Shelf<Preview>,
    /// What simulations of policies found.
    pub(super) simulations: Shelf<Simulated>,
    /// Reports on search terms.
    pub(super) term_reports: Shelf<TermReport>,
    /// Held while an object is compared with what somebody saw, and changed.
    changes: Mutex<()>,
    ends: AtomicBool,
    pub(super) answered: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl House {
    /// A house whose product is open.
    pub fn open(appliance: Arc<Appliance>, options: HouseOptions) -> Arc<House> {
        House::new(Slot::Open(appliance), options)
    }

    /// A house that is sealed until somebody types the secret.
    pub fn sealed(unlock: Unlock, options: HouseOptions) -> Arc<House> {
        House::new(Slot::Sealed(unlock), options)
    }

    fn new(slot: Slot, options: HouseOptions) -> Arc<House> {
        Arc::new(House {
            slot: RwLock::new(slot),
            options,
            jobs: Jobs::default(),
            intake: Intake::default(),
            outbox: Outbox::default(),
            seats: Seats::default(),
            sign_ins: Buckets::new(SIGN_INS.0, SIGN_INS.1),
            strangers: Buckets::new(STRANGERS.0, STRANGERS.1),
            programs: Buckets::new(PROGRAMS.0, PROGRAMS.1),
            secrets: Secrets::default(),
            kits: Kits::default(),
            previews: Shelf::default(),
            simulations: Shelf::default(),
            term_reports: Shelf::default(),
            changes: Mutex::new(()),
            ends: AtomicBool::new(false),
            answered: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// The product, when it is open.
    pub fn appliance(&self) -> Option<Arc<Appliance>> {
        match &*self.slot.read().unwrap_or_else(PoisonError::into_inner) {
            Slot::Open(appliance) => Some(Arc::clone(appliance)),
            Slot::Sealed(_) => None,
        }
    }

    /// Opens the product with a passphrase. Open already is no error.
    ///
    /// # Errors
    /// When the secret opens no slot, or opening fails.
    pub(super) fn unlock(&self, passphrase: &str) -> crate::app::Result<()> {
        let mut slot = self.slot.write().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Sealed(open) = &*slot {
            let appliance = open(passphrase)?;
            *slot = Slot::Open(Arc::new(appliance));
        }
        Ok(())
    }

    /// Calls a use-case on a thread that may wait.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Appliance) -> crate::app::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.try_ask(move |appliance| act(appliance).map_err(Refusal::from))
            .await
    }

    /// The same where not only use-cases refuse.
    pub(super) async fn try_ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Appliance) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let appliance = self.appliance().ok_or_else(Refusal::sealed)?;
        match tokio::task::spawn_blocking(move || act(&appliance)).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::broken()),
        }
    }

    /// Changes an object that was compared with what somebody saw: one program at a time.
    pub(super) async fn try_change<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Appliance) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let house = Arc::clone(self);
        self.try_ask(move |appliance| {
            let _one = house.changes.lock().unwrap_or_else(PoisonError::into_inner);
            act(appliance)
        })
        .await
    }

    /// Lets nothing new begin and cuts off whoever listens, so that open answers come to their end.
    pub(super) fn ending(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Whether serving is about to end.
    pub(super) fn is_ending(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// Ends in order: signs and publishes the log. Nothing is left to do in a sealed house.
    ///
    /// # Errors
    /// When the log was not signed; what was done is durable all the same.
    pub fn close(&self) -> Result<(), AppError> {
        self.ending();
        self.jobs.end();
        match self.appliance() {
            Some(appliance) => appliance.close(),
            None => Ok(()),
        }
    }

    pub(super) fn count(&self, status: axum::http::StatusCode) {
        let counter = match status {
            status if status.is_server_error() => &self.failed,
            status if status.is_client_error() => &self.refused,
            _ => &self.answered,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
