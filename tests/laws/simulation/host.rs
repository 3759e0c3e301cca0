//! The host of a simulated appliance: clocks that are moved by hand, and a fuse that blows at a
//! point of a protocol.

use std::cell::{Cell, RefCell};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Once};

use wordkeep::app::{Appliance, HostClock, NewAppliance, Session, Witnesses};
use wordkeep::archive::Milestones;
use wordkeep::crypto::StretchCost;
use wordkeep::domain::{Role, Timestamp};
use wordkeep::retention::clock::Reading;

use crate::house::{PASSWORD, Place, log_in, secret};
use crate::world::DAY;

/// When every simulation begins: 1 March 2026.
pub const BEGIN: i64 = 1_772_323_200_000_000;
/// Memory of the index writers: the least there is.
const ARENA_BYTES: usize = 15_000_000;
/// Logins in the order of the numbers that acts name people by.
pub const PEOPLE: [&str; 5] = ["root", "law", "rec", "rec2", "law2"];

/// The clocks of the host. They stand still unless somebody moves them.
#[derive(Debug)]
pub struct Hands {
    wall: AtomicI64,
    boot: AtomicI64,
    start: AtomicI64,
}

impl Hands {
    pub fn at(wall: i64, boot: i64, start: i64) -> Arc<Hands> {
        Arc::new(Hands {
            wall: AtomicI64::new(wall),
            boot: AtomicI64::new(boot),
            start: AtomicI64::new(start),
        })
    }

    pub fn copied(&self) -> Arc<Hands> {
        let of = |hand: &AtomicI64| hand.load(Ordering::SeqCst);
        Hands::at(of(&self.wall), of(&self.boot), of(&self.start))
    }

    /// Time passes while the computer runs.
    pub fn pass(&self, micros: i64) {
        self.boot.fetch_add(micros, Ordering::SeqCst);
        self.set(micros);
    }

    /// Somebody sets the wall clock.
    pub fn set(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
    }

    /// The computer is off for a while and starts again.
    pub fn restart(&self, micros: i64) {
        self.set(micros);
        self.boot.store(DAY / 1_440, Ordering::SeqCst);
        self.start.fetch_add(1, Ordering::SeqCst);
    }

    pub fn wall(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }
}

impl HostClock for Hands {
    fn reading(&self) -> Reading {
        let start = self.start.load(Ordering::SeqCst).to_be_bytes();
        let mut boot_id = [0; 16];
        boot_id[..8].copy_from_slice(&start);
        Reading {
            wall: Timestamp(self.wall()),
            boot_micros: self.boot.load(Ordering::SeqCst),
            boot_id,
        }
    }
}

/// What the thread that stands at a point does besides.
pub type Aside = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Counts the points that are reached, and panics at one of them: what was not durable then is
/// lost, as in a crash.
#[derive(Default)]
pub struct Fuse {
    /// Points left until it blows; zero and below: it does not.
    left: AtomicI64,
    blown: Mutex<Option<&'static str>>,
    aside: Mutex<Option<Aside>>,
}

/// What a blown fuse panics with.
pub struct Blown;

impl Fuse {
    /// Blows at the n-th point from now on.
    pub fn light(&self, nth: i64) {
        self.left.store(nth, Ordering::SeqCst);
    }

    /// Does not blow any more. Gives where it did.
    pub fn put_out(&self) -> Option<&'static str> {
        self.left.store(0, Ordering::SeqCst);
        self.blown.lock().unwrap().take()
    }

    /// Lets something be done at every point.
    pub fn aside(&self, aside: Option<Aside>) {
        *self.aside.lock().unwrap() = aside;
    }
}

impl Milestones for Fuse {
    fn reached(&self, name: &'static str) {
        let aside = self.aside.lock().unwrap().clone();
        if let Some(aside) = aside {
            aside(name);
        }
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            *self.blown.lock().unwrap() = Some(name);
            std::panic::panic_any(Blown);
        }
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

fn told_of(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or("", |place| place.file());
    let line = info.location().map_or(0, |place| place.line());
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    format!("{place}:{line} panicked: {}", text.unwrap_or("no text"))
}

/// Does something whose panics nobody tells.
pub fn quietly<T>(act: impl FnOnce() -> T) -> T {
    QUIET.set(true);
    let done = act();
    QUIET.set(false);
    done
}

/// Where this thread panicked last, and with which words.
pub fn last_panic() -> String {
    LAST.with(|last| last.borrow().clone())
}

/// Keeps planned crashes from filling the screen; every other panic is told as usual.
pub fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<&str>().copied();
            // The writer of an import dies in a thread of its own, and its scope says so.
            let follows = text.is_some_and(|text| text.contains("scoped thread panicked"));
            LAST.with(|last| *last.borrow_mut() = told_of(info));
            if !info.payload().is::<Blown>() && !follows && !QUIET.get() {
                told(info);
            }
        }));
    });
}

/// A directory in memory where there is one: a simulation waits for no disk.
pub fn fast_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory)
            .or_else(|_| tempfile::tempdir())
            .unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// One appliance with its directory, its clocks and its people.
pub struct Site {
    pub root: PathBuf,
    pub hands: Arc<Hands>,
    pub fuse: Arc<Fuse>,
    pub people: Vec<Session>,
    appliance: Option<Appliance>,
}

impl Site {
    /// A new data directory with everybody in it.
    pub fn create(root: &Path) -> Site {
        let mut site = Site::closed(root, Hands::at(BEGIN, DAY, 1), Vec::new());
        let secret = secret();
        let new = NewAppliance {
            secret: &secret,
            label: "first",
            administrator: PEOPLE[0],
            password: PASSWORD,
            cost: StretchCost::LOGIN,
        };
        let settings = site.settings();
        let appliance = Appliance::create_watched(settings, &new, site.witnesses()).unwrap();
        let administrator = log_in(&appliance, PEOPLE[0]);
        for login in &PEOPLE[1..] {
            let role = match login.starts_with("law") {
                true => Role::Lawyer,
                false => Role::RecordsOfficer,
            };
            appliance
                .add_user(&administrator, login, role, PASSWORD, &[])
                .unwrap();
        }
        site.people = PEOPLE
            .iter()
            .map(|login| log_in(&appliance, login))
            .collect();
        site.appliance = Some(appliance);
        site
    }

    /// What lies at `root`, not opened.
    pub fn closed(root: &Path, hands: Arc<Hands>, people: Vec<Session>) -> Site {
        Site {
            root: root.to_owned(),
            hands,
            fuse: Arc::new(Fuse::default()),
            people,
            appliance: None,
        }
    }

    pub fn place(&self) -> Place {
        Place {
            root: self.root.clone(),
        }
    }

    fn settings(&self) -> wordkeep::app::Settings {
        let mut settings = self.place().settings();
        settings.archive.arena_bytes = ARENA_BYTES;
        settings.archive.cache_bytes = 1 << 20;
        settings
    }

    fn witnesses(&self) -> Witnesses {
        Witnesses {
            clock: Some(Arc::clone(&self.hands) as Arc<dyn HostClock>),
            milestones: Some(Arc::clone(&self.fuse) as Arc<dyn Milestones>),
            ..Witnesses::default()
        }
    }

    pub fn open(&mut self) -> Result<(), String> {
        self.appliance = None;
        let opened = Appliance::open_watched(self.settings(), &secret(), self.witnesses());
        self.appliance = Some(opened.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// Lets go of everything without closing it, as a crash does.
    pub fn drop_all(&mut self) {
        self.appliance = None;
    }

    pub fn app(&self) -> &Appliance {
        self.appliance.as_ref().unwrap()
    }
}
