//! A house whose list may be run today: it was lived in by a clock that began months ago and has
//! reached the present, so that the program itself goes on from there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wordkeep::app::{
    Appliance, HostClock, NewAppliance, NewPolicy, Review, Session, SystemClock, VerifyRequest,
    Witnesses,
};
use wordkeep::crypto::StretchCost;
use wordkeep::domain::{BatchNo, Lock, MatterId, MessageNo, Period, PolicyAction, Role, Timestamp};
use wordkeep::retention::clock::Reading;

use crate::house::{
    KEY, PASSWORD, Place, copy_tree, import, ios_export, log_in, plain_chat, secret,
};

/// How long ago it began, in days.
const AGO_DAYS: i64 = 60;
/// Messages that are due, and messages that a hold protects.
pub const DOOMED: usize = 40;
pub const HELD: usize = 20;
/// Users with a home of their own: who imports, who holds, who destroys.
pub const USERS: [&str; 3] = ["root", "law", "rec"];

/// The clocks of this computer, some time ago.
struct Ago {
    host: SystemClock,
    behind: AtomicI64,
}

impl HostClock for Ago {
    fn reading(&self) -> Reading {
        let (now, behind) = (self.host.reading(), self.behind.load(Ordering::SeqCst));
        Reading {
            wall: Timestamp(now.wall.0 - behind),
            boot_micros: now.boot_micros - behind,
            ..now
        }
    }
}

/// A ripe house, closed.
pub struct Ripe {
    pub place: Place,
    pub matter: MatterId,
}

/// What an archive has, as far as a crash may not halve it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// First words of all messages.
    pub words: BTreeSet<String>,
    pub holds: usize,
    pub backups: usize,
    pub generation: u64,
    pub is_certified: bool,
    /// What opening had to mend.
    pub notices: Vec<String>,
}

impl Stock {
    /// How many of its messages begin with a tag.
    pub fn tagged(&self, tag: &str) -> usize {
        self.words
            .iter()
            .filter(|word| word.starts_with(tag))
            .count()
    }
}

impl Ripe {
    /// Lives through two months: two imports, a hold, a policy, an approved list.
    pub fn plant(root: &Path) -> Ripe {
        let place = Place::new(root);
        let clock = Arc::new(Ago {
            host: SystemClock::new([9; 16]),
            behind: AtomicI64::new(AGO_DAYS * Timestamp::MICROS_PER_DAY),
        });
        let witnesses = Witnesses {
            clock: Some(Arc::clone(&clock) as Arc<dyn HostClock>),
            ..Witnesses::default()
        };
        let secret = secret();
        let new = NewAppliance {
            secret: &secret,
            label: "first",
            administrator: "root",
            password: PASSWORD,
            cost: StretchCost::LOGIN,
        };
        let app = Appliance::create_watched(place.settings(), &new, witnesses).unwrap();
        let until = |days: i64| {
            let behind = days * Timestamp::MICROS_PER_DAY;
            clock.behind.store(behind, Ordering::SeqCst);
        };
        let root = log_in(&app, "root");
        for (login, role) in [
            ("law", Role::Lawyer),
            ("rec", Role::RecordsOfficer),
            ("rec2", Role::RecordsOfficer),
        ] {
            app.add_user(&root, login, role, PASSWORD, &[]).unwrap();
        }
        for (tag, count) in [("doomed", DOOMED), ("held", HELD)] {
            let export = ios_export(&place.root, tag, &plain_chat(tag, count), &[]);
            import(&app, &root, &export).unwrap();
        }
        let (key, _) = app.create_recovery_key(&root).unwrap();
        app.test_recovery_key(&root, &key).unwrap();
        let law = log_in(&app, "law");
        let (matter, _) = app.open_matter(&law, "Nordwind", "").unwrap();
        let ripe = Ripe { place, matter };
        until(20);
        ripe.approve(&app, &law);
        until(0);
        app.close().unwrap();
        drop(app);
        ripe.tokens();
        ripe
    }

    fn approve(&self, app: &Appliance, law: &Session) {
        let held = wordkeep::app::NewHold {
            matter: self.matter,
            name: "claim".to_owned(),
            target: wordkeep::app::HoldTarget::Query("heldword*".to_owned()),
            reason: "letter of 3 March".to_owned(),
            grace_days: None,
            keep_context: 0,
            zone: None,
            accept: Vec::new(),
        };
        app.place_hold(law, &held).unwrap();
        let rec = log_in(app, "rec");
        let policy = NewPolicy {
            of: None,
            name: "chats".to_owned(),
            scope: "*".to_owned(),
            action: PolicyAction::Delete,
            period: Period::days(30),
            zone: None,
            trigger: "sent".to_owned(),
            label: None,
            organisation: false,
            lock: Lock::None,
            reviewers: None,
            citation: String::new(),
            reason: "the board wants it".to_owned(),
            accept: Vec::new(),
        };
        let (id, _, _) = app.write_policy(&rec, &policy).unwrap();
        app.simulate_policy(&rec, id, None).unwrap();
        app.enable_policy(&rec, id, "decided").unwrap();
        let planned = app.plan_disposition(&rec).unwrap();
        assert_eq!((planned.items, planned.held), (DOOMED as u64, HELD as u64));
        for by in [law.clone(), log_in(app, "rec2")] {
            app.review_disposition(&by, BatchNo(1), Review::Approve, "looked at it")
                .unwrap();
        }
    }

    /// A home for every user, with a token in it.
    fn tokens(&self) {
        std::fs::write(self.place.root.join("unlock.key"), KEY).unwrap();
        let app = self.place.open().unwrap();
        for user in USERS {
            let (_, token) = app.log_in(user, PASSWORD, 30).unwrap();
            std::fs::write(self.place.root.join(user), token.to_string()).unwrap();
        }
        app.close().unwrap();
    }

    /// A copy of it elsewhere.
    pub fn copied(&self, root: &Path) -> Ripe {
        let _ = std::fs::remove_dir_all(root);
        copy_tree(&self.place.root, root);
        Ripe {
            place: Place::new(root),
            matter: self.matter,
        }
    }

    /// The program itself, told to do something as a user.
    pub fn program(&self, user: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordkeep"));
        self.tell(&mut command, user, words);
        command
    }

    /// What the program is told, for a command that starts it by its name.
    pub fn tell(&self, command: &mut Command, user: &str, words: &[&str]) {
        let root = &self.place.root;
        command
            .args(words)
            .arg("--data")
            .arg(self.place.data())
            .arg("--unlock-key")
            .arg(root.join("unlock.key"))
            .arg("--token-file")
            .arg(root.join(user))
            .arg("--no-input")
            .env("HOME", root.join("home"))
            .env_remove("WORDKEEP_DATA");
    }

    /// A fresh export with a tag of its own.
    pub fn export(&self, tag: &str, messages: usize) -> PathBuf {
        ios_export(&self.place.root, tag, &plain_chat(tag, messages), &[])
    }

    /// Opens it, reads every message, verifies log, books and index, closes it again.
    pub fn stock(&self) -> Result<Stock, String> {
        let app = self
            .place
            .open()
            .map_err(|error| format!("it does not open: {error}"))?;
        let rec = log_in(&app, "rec");
        let mut reader = app.archive().reader().unwrap();
        let last = reader.rows().last_message().unwrap();
        let mut stock = Stock {
            holds: reader.rows().holds().unwrap().len(),
            backups: app.archive().kept_backups().unwrap().len(),
            generation: app.archive().keyring().generation(),
            notices: app.notices().to_vec(),
            ..Stock::default()
        };
        for no in 1..=last.0 {
            let message = reader
                .message(MessageNo(no))
                .map_err(|error| format!("message {no}: {error}"))?;
            let body = message.and_then(|message| message.latest().map(|one| one.body.clone()));
            stock.words.extend(
                body.iter()
                    .filter_map(|body| body.split(' ').next().map(str::to_owned)),
            );
        }
        drop(reader);
        let report = app.verify(&rec, &VerifyRequest::default(), &mut |_, _, _| ());
        let report = report.map_err(|error| error.to_string())?;
        if report.exit_code() >= 6 {
            return Err(format!("not sound: {}", report.to_json()));
        }
        stock.is_certified = app.certificate(&rec, BatchNo(1)).is_ok();
        app.close().map_err(|error| error.to_string())?;
        Ok(stock)
    }

    /// Runs the list to its end: whatever was cut off must go on.
    pub fn finish(&self) -> Result<(), String> {
        let app = self.place.open().map_err(|error| error.to_string())?;
        let rec = log_in(&app, "rec");
        app.run_disposition(&rec, BatchNo(1))
            .map_err(|error| error.to_string())?;
        app.close().map_err(|error| error.to_string())
    }
}
