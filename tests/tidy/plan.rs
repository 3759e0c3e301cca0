//! The plan of the house as tables: floors, the one room of every heavy crate, the doors, the
//! limits and the words that do not belong. Whoever changes the house changes this file.

/// Every room and its floor, whether it is built yet or not. `src/lib.rs` must agree.
pub const FLOORS: &[(&str, u8)] = &[
    ("domain", 0),
    ("crypto", 1),
    ("query", 1),
    ("store", 2),
    ("index", 2),
    ("audit", 3),
    ("auth", 4),
    ("archive", 4),
    ("ingest", 5),
    ("search", 5),
    ("retention", 5),
    ("seats", 5),
    ("promises", 5),
    ("capture", 6),
    ("review", 6),
    ("app", 7),
    ("http", 8),
    ("cli", 9),
];

/// The floor of the binary, which stands on the whole tower.
pub const ROOF: u8 = 10;

/// Crates that bring a whole subject with them, and the rooms that may speak to them.
/// `main` is the binary.
pub const HEAVY_CRATES: &[(&str, &[&str])] = &[
    ("aes-gcm", &["crypto"]),
    ("argon2", &["crypto"]),
    ("ed25519-dalek", &["crypto"]),
    ("hkdf", &["crypto"]),
    ("hmac", &["crypto"]),
    ("hpke", &["crypto"]),
    ("ring", &["crypto"]),
    ("sha1", &["crypto"]),
    ("sha2", &["crypto"]),
    ("subtle", &["crypto"]),
    ("rusqlite", &["store"]),
    ("fs4", &["store"]),
    ("tantivy", &["index"]),
    ("tantivy-fst", &["index"]),
    ("csv", &["ingest"]),
    ("csv-core", &["ingest"]),
    ("encoding_rs", &["ingest"]),
    ("infer", &["ingest"]),
    ("quick-xml", &["ingest"]),
    ("tar", &["ingest"]),
    ("flate2", &["ingest"]),
    ("mail-parser", &["ingest"]),
    ("zstd", &["ingest"]),
    ("zip", &["ingest"]),
    ("reqwest", &["capture"]),
    ("tokio", &["capture", "app", "http"]),
    ("axum", &["http"]),
    ("futures-util", &["http"]),
    // `capture` asks others, `http` answers: the same protocol from its two sides.
    ("hyper", &["capture", "http"]),
    ("hyper-util", &["capture", "http"]),
    ("http-body-util", &["capture"]),
    ("rustls-native-certs", &["capture"]),
    ("maud", &["http"]),
    ("rcgen", &["http"]),
    ("tokio-rustls", &["capture", "http"]),
    ("tower", &["http"]),
    ("utoipa", &["http"]),
    ("getrandom", &["app"]),
    ("toml", &["app"]),
    ("signal-hook", &["app", "cli", "main"]),
    ("tracing-subscriber", &["app", "cli", "main"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
    ("rpassword", &["cli"]),
];

/// Crates that any room may use: small tools without a subject of their own.
/// A dependency in neither table fails the build until somebody decides where it lives.
pub const LIGHT_CRATES: &[&str] = &[
    "base64",
    "caseless",
    "chrono",
    "chrono-tz",
    "crossbeam-channel",
    "emojis",
    "levenshtein_automata",
    "memchr",
    "mimalloc",
    "regex",
    "rust-stemmers",
    "rustix",
    "serde",
    "serde_json",
    "thiserror",
    "tracing",
    "unicode-normalization",
    "unicode-properties",
    "unicode-segmentation",
    "zeroize",
];

/// A dangerous act and the rooms that may do it.
pub struct Door {
    /// What is done, as the message names it.
    pub what: &'static str,
    /// Rust as it would be written; matched token by token, never inside comments or texts.
    pub code: &'static [&'static str],
    /// Pieces of text literals (SQL, device names), matched without regard to case.
    pub literals: &'static [&'static str],
    /// The rooms with the door. `main` is the binary.
    pub rooms: &'static [&'static str],
    /// What to do instead.
    pub instead: &'static str,
}

/// Every door of the house.
pub const DOORS: &[Door] = &[
    Door {
        what: "reads the wall clock",
        code: &[
            "SystemTime::now",
            "SystemTime as",
            "Utc::now",
            "Utc as",
            "Local::now",
            "OffsetDateTime::now_utc",
        ],
        literals: &[
            "current_timestamp",
            "current_date",
            "'now'",
            "unixepoch()",
            "julianday()",
        ],
        rooms: &["app"],
        instead: "take a `Now` or a `Timestamp` as an argument",
    },
    Door {
        what: "reads the stop watch",
        code: &["Instant::now", "Instant as", ".elapsed("],
        literals: &[],
        rooms: &["app", "http", "cli", "main"],
        instead: "take the time, or a question whether to stop, as an argument",
    },
    Door {
        what: "draws chance",
        code: &[
            "getrandom",
            "rand",
            "fastrand",
            "thread_rng",
            "OsRng",
            "SysRng",
            "RandomState",
            "ThreadRng",
        ],
        literals: &["/dev/urandom", "/dev/random", "randomblob(", "random()"],
        rooms: &["app"],
        instead: "take `&dyn crypto::Entropy` as an argument",
    },
    Door {
        what: "touches files",
        code: &[
            "fs",
            "File::open",
            "File::create",
            "OpenOptions",
            "tempfile",
        ],
        literals: &[],
        rooms: &["store", "index", "app", "cli"],
        instead: "take bytes, a reader or a writer as an argument",
    },
    Door {
        what: "deletes",
        code: &[
            "remove_file",
            "remove_dir",
            "remove_dir_all",
            "unlink",
            "unlinkat",
        ],
        literals: &["delete from", "drop table", "truncate table"],
        // `store` deletes rows and files for `archive`, `index` its own write-once files, `app`
        // the directory of a demonstration and the socket.
        rooms: &["store", "index", "app"],
        instead: "ask `store` inside the transaction of `archive`",
    },
    Door {
        what: "approves a destruction",
        code: &["Approved::new"],
        literals: &[],
        rooms: &["retention"],
        instead: "let `retention` make the approved plan",
    },
    Door {
        what: "opens a connection",
        code: &[
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "UnixStream",
            "UnixListener",
            "ToSocketAddrs",
        ],
        literals: &[],
        rooms: &["capture", "app", "http"],
        instead: "take a `Fetch` as an argument",
    },
    Door {
        what: "starts a process or reads the environment",
        code: &["Command::new", "env::var", "env::var_os", "env::args"],
        literals: &[],
        rooms: &["app", "cli", "main"],
        instead: "take the value as an argument",
    },
];

/// Lines of product code in one file, tests not counted.
pub const FILE_LINES_MAX: usize = 800;
/// Lines of a `mod.rs`, tests not counted.
pub const MOD_LINES_MAX: usize = 120;

/// Names that say nothing about what is inside.
pub const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// Marks of unfinished work, as words of the raw text.
pub const UNFINISHED: &[&str] = &[
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("dbg", "!"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];

/// What the top level of the repository holds, apart from dot-files and `target`.
pub const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "packaging",
    "schema",
    "src",
    "target",
    "tests",
];

/// Paths of somebody's machine. Written in pieces, so that this file does not hold them itself.
pub const FOREIGN_WORDS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/tmp/", "bash"),
    concat!("/root/", ".cargo"),
    concat!("/home/", "runner"),
];
