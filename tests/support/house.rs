//! A whole appliance in a temporary directory, with exports to bring in.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::expect_used,
    reason = "the helpers of a test may fail like the test"
)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use wordkeep::app::import::{ImportReceipt, ImportRequest, SilentProgress};
use wordkeep::app::{
    AppError, Appliance, Given, NewAppliance, SearchRequest, Session, Settings, Witnesses,
};
use wordkeep::crypto::{Secret, StretchCost};
use wordkeep::domain::Role;
use zip::write::SimpleFileOptions;

pub const PASSWORD: &str = "correct horse battery staple";
/// The key file of every house.
pub const KEY: [u8; 64] = [7; 64];

pub fn secret() -> Secret {
    Secret::key_file(&KEY)
}

/// Where everything of a house lies: `data`, and `home` for what this computer remembers.
#[derive(Clone)]
pub struct Place {
    pub root: PathBuf,
}

impl Place {
    pub fn new(root: &Path) -> Place {
        std::fs::create_dir_all(root.join("home/.config/wordkeep")).expect("a home");
        Place {
            root: root.to_owned(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub fn settings(&self) -> Settings {
        let given = Given {
            data: Some(self.data()),
            ..Given::default()
        };
        let home = self.root.join("home").display().to_string();
        let mut settings = Settings::decide(&given, |name| (name == "HOME").then(|| home.clone()))
            .expect("settings");
        settings.archive.cache_bytes = 8 << 20;
        settings
    }

    /// Makes the data directory with one user for each role: `root`, `law`, `rec`, `aud`.
    pub fn create(&self) -> Appliance {
        let secret = secret();
        let new = NewAppliance {
            secret: &secret,
            label: "first",
            administrator: "root",
            password: PASSWORD,
            cost: StretchCost::LOGIN,
        };
        let appliance = Appliance::create(self.settings(), &new).expect("a new data directory");
        let root = log_in(&appliance, "root");
        for (login, role) in [
            ("law", Role::Lawyer),
            ("rec", Role::RecordsOfficer),
            ("aud", Role::Auditor),
        ] {
            appliance
                .add_user(&root, login, role, PASSWORD, &[])
                .expect("a user");
        }
        appliance
    }

    pub fn open(&self) -> Result<Appliance, AppError> {
        Appliance::open(self.settings(), &secret())
    }

    pub fn open_watched(&self, witnesses: Witnesses) -> Result<Appliance, AppError> {
        Appliance::open_watched(self.settings(), &secret(), witnesses)
    }
}

pub fn log_in(appliance: &Appliance, login: &str) -> Session {
    appliance
        .log_in(login, PASSWORD, 1)
        .expect("the log-in of a test user")
        .0
}

pub fn import(
    appliance: &Appliance,
    session: &Session,
    path: &Path,
) -> Result<ImportReceipt, AppError> {
    let request = ImportRequest {
        path: path.to_owned(),
        ..ImportRequest::default()
    };
    appliance.import(session, &request, &SilentProgress)
}

pub fn count(appliance: &Appliance, session: &Session, query: &str) -> u64 {
    appliance
        .search(session, &SearchRequest::new(query))
        .expect("an answer")
        .answer
        .total
}

/// A zip of some entries.
pub fn zipped<'e>(
    into: &Path,
    name: &str,
    entries: impl Iterator<Item = (&'e str, &'e [u8])>,
) -> PathBuf {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer
            .start_file(name, SimpleFileOptions::default())
            .expect("an entry");
        writer.write_all(bytes).expect("an entry");
    }
    let bytes = writer.finish().expect("a zip").into_inner();
    let path = into.join(name);
    std::fs::write(&path, bytes).expect("an export");
    path
}

/// A WhatsApp export for iOS: a zip of the chat and its media.
pub fn ios_export(into: &Path, title: &str, chat: &str, media: &[(&str, &[u8])]) -> PathBuf {
    let name = format!("WhatsApp Chat - {title}.zip");
    let entries = std::iter::once(("_chat.txt", chat.as_bytes())).chain(media.iter().copied());
    zipped(into, &name, entries)
}

/// A plain chat of `count` messages from 2019 to 2023, in order, each with a word of its own.
pub fn plain_chat(tag: &str, count: usize) -> String {
    let per_year = count.div_ceil(5);
    let per_month = per_year.div_ceil(12);
    let mut chat = String::new();
    for n in 0..count {
        let (year, in_year) = (2019 + n / per_year, n % per_year);
        let (month, in_month) = (1 + in_year / per_month, in_year % per_month);
        // From the 13th on: which number is the day needs no question.
        let minutes = in_month * 15 * 24 * 60 / per_month;
        let (day, hour, minute) = (13 + minutes / 1_440, minutes / 60 % 24, minutes % 60);
        chat.push_str(&format!(
            "[{day:02}/{month:02}/{year}, {hour:02}:{minute:02}:00] {}: {tag}word{n} shipment of \
             the order is agreed at {n} EUR\n",
            ["Ana Reis", "Bo Lund", "Cy Park"][n % 3]
        ));
    }
    chat
}

/// Every regular file below a directory, in order.
pub fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path),
            }
        }
    }
    files.sort();
    files
}

/// Copies a directory with everything in it.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
