//! Loss of power: what the program wrote and did not sync may be gone, whole or in part. The calls
//! it makes while it imports, destroys and rotates keys are written down; from them the files are
//! made as they may stand on the disk after any call, and everything must hold in each such state.
//!
//! Writes that were not synced are lost, kept, or torn at sectors; names that were not synced with
//! their directory come to nothing in the order of their making. `WORDKEEP_LOSSES` says how many
//! states are tried. Where nobody may trace, nothing is tested, and that is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::chance::Chance;
use crate::faults::may_trace;
use crate::house::files_below;
use crate::ripe::{DOOMED, HELD, Ripe};

/// States of a short run.
const LOSSES: usize = 24;
const MESSAGES: usize = 30;
/// Bytes that reach the disk together.
const SECTOR: usize = 512;
const CALLS: &str = "trace=?open,openat,?creat,close,write,pwrite64,lseek,ftruncate,fsync,fdatasync,\
                     ?rename,renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,?link,linkat,\
                     ?dup,?dup2,dup3,fcntl,copy_file_range,sendfile,fallocate";

/// One thing that happened to a file, as far as a disk sees it.
#[derive(Clone, Debug)]
enum Op {
    Write {
        file: usize,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: usize,
        length: usize,
    },
    Sync {
        file: usize,
    },
    SyncNames {
        of: PathBuf,
    },
    /// A name is given to a file, and taken from whatever had it.
    Name {
        path: PathBuf,
        file: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Unname {
        path: PathBuf,
    },
    /// The program told that it was done.
    Told,
}

/// An opened file.
#[derive(Clone, Debug)]
struct Opened {
    file: Option<usize>,
    path: PathBuf,
    at: usize,
    appends: bool,
}

/// Reads what strace wrote.
#[derive(Default)]
struct Script {
    root: PathBuf,
    ops: Vec<Op>,
    /// Files by the name they had before the program began.
    began: BTreeMap<PathBuf, usize>,
    /// Files by the name they have now.
    names: BTreeMap<PathBuf, usize>,
    /// What was in a file before the program began.
    first: Vec<Vec<u8>>,
    lengths: Vec<usize>,
    opened: BTreeMap<i64, Opened>,
    begun: BTreeMap<String, String>,
}

/// The arguments of a call as they stand there, split at the commas that are in no text.
fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut from, mut at, mut quoted) = (Vec::new(), 0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(text[from..].trim());
    parts
}

/// The bytes of a text in C notation.
fn bytes_of(text: &str) -> Vec<u8> {
    let inner = text.trim_start_matches('"').trim_end_matches("...");
    let inner = inner.strip_suffix('"').unwrap_or(inner).as_bytes();
    let (mut bytes, mut at) = (Vec::with_capacity(inner.len() / 4), 0);
    while at < inner.len() {
        if inner[at] != b'\\' {
            bytes.push(inner[at]);
            at += 1;
            continue;
        }
        at += 1;
        match inner[at] {
            b'x' => {
                let digits = std::str::from_utf8(&inner[at + 1..at + 3]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                at += 3;
            }
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                at += 1;
                for _ in 0..2 {
                    if let Some(digit @ b'0'..=b'7') = inner.get(at) {
                        value = value * 8 + u32::from(digit - b'0');
                        at += 1;
                    }
                }
                bytes.push(value as u8);
            }
            letter => {
                bytes.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'v' => 11,
                    b'f' => 12,
                    other => other,
                });
                at += 1;
            }
        }
    }
    bytes
}

fn number(text: &str) -> i64 {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '-');
    text[..end.unwrap_or(text.len())].parse().unwrap_or(-1)
}

impl Script {
    fn read(root: &Path) -> Script {
        let mut script = Script {
            root: root.to_owned(),
            ..Script::default()
        };
        for path in files_below(root) {
            let file = script.first.len();
            let bytes = std::fs::read(&path).unwrap();
            script.lengths.push(bytes.len());
            script.first.push(bytes);
            script.names.insert(path, file);
        }
        script.began = script.names.clone();
        script
    }

    fn follow(&mut self, log: &Path) {
        for line in String::from_utf8_lossy(&std::fs::read(log).unwrap()).lines() {
            let Some((thread, line)) = line.split_once(' ') else {
                continue;
            };
            let line = line.trim_start();
            if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
                self.begun.insert(thread.to_owned(), begun.to_owned());
                continue;
            }
            let whole = match line.split_once(" resumed>") {
                Some((_, rest)) => match self.begun.remove(thread) {
                    Some(begun) => begun + rest,
                    None => continue,
                },
                None => line.to_owned(),
            };
            self.call(&whole);
        }
    }

    fn call(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once('(') else {
            return;
        };
        // Short calls are filled up with blanks before the result.
        let Some((arguments, result)) = rest.rsplit_once(" = ") else {
            return;
        };
        let Some(arguments) = arguments.trim_end().strip_suffix(')') else {
            return;
        };
        let (arguments, result) = (split(arguments), number(result.trim()));
        if result < 0 {
            return;
        }
        let path =
            |text: &str| PathBuf::from(String::from_utf8_lossy(&bytes_of(text)).into_owned());
        match name {
            "open" | "creat" => {
                self.open(path(arguments[0]), arguments.get(1).unwrap_or(&""), result)
            }
            "openat" => {
                let path = self.below(arguments[0], path(arguments[1]));
                self.open(path, arguments[2], result);
            }
            "close" => {
                self.opened.remove(&number(arguments[0]));
            }
            "dup" | "dup2" | "dup3" => self.double(number(arguments[0]), result),
            "fcntl" if arguments[1].starts_with("F_DUPFD") => {
                self.double(number(arguments[0]), result)
            }
            "lseek" => {
                if let Some(opened) = self.opened.get_mut(&number(arguments[0])) {
                    opened.at = result as usize;
                }
            }
            "write" => self.write(number(arguments[0]), None, &bytes_of(arguments[1]), result),
            "pwrite64" => {
                let at = number(arguments[3]) as usize;
                self.write(
                    number(arguments[0]),
                    Some(at),
                    &bytes_of(arguments[1]),
                    result,
                );
            }
            "ftruncate" => self.cut(number(arguments[0]), number(arguments[1]) as usize),
            "fsync" | "fdatasync" => self.sync(number(arguments[0])),
            "rename" => self.rename(path(arguments[0]), path(arguments[1])),
            "renameat" | "renameat2" => {
                let from = self.below(arguments[0], path(arguments[1]));
                let to = self.below(arguments[2], path(arguments[3]));
                self.rename(from, to);
            }
            "unlink" | "rmdir" => self.unname(path(arguments[0])),
            "unlinkat" => self.unname(self.below(arguments[0], path(arguments[1]))),
            "link" => self.link(path(arguments[0]), path(arguments[1])),
            "linkat" => {
                let from = self.below(arguments[0], path(arguments[1]));
                let to = self.below(arguments[2], path(arguments[3]));
                self.link(from, to);
            }
            "copy_file_range" | "sendfile" | "fallocate" => {
                panic!("a call that this reader does not follow: {line}")
            }
            _ => {}
        }
    }

    /// A path relative to an opened directory.
    fn below(&self, directory: &str, path: PathBuf) -> PathBuf {
        match self.opened.get(&number(directory)) {
            Some(opened) if path.is_relative() => opened.path.join(path),
            _ => path,
        }
    }

    fn open(&mut self, path: PathBuf, flags: &str, descriptor: i64) {
        let mut file = None;
        if path.starts_with(&self.root) && !path.is_dir() {
            let is_new = !self.names.contains_key(&path) && flags.contains("O_CREAT");
            if is_new {
                self.first.push(Vec::new());
                self.lengths.push(0);
                self.names.insert(path.clone(), self.first.len() - 1);
                self.ops.push(Op::Name {
                    path: path.clone(),
                    file: self.first.len() - 1,
                });
            }
            file = self.names.get(&path).copied();
        }
        let opened = Opened {
            file,
            path,
            at: 0,
            appends: flags.contains("O_APPEND"),
        };
        self.opened.insert(descriptor, opened);
        if flags.contains("O_TRUNC") {
            self.cut(descriptor, 0);
        }
    }

    fn double(&mut self, from: i64, to: i64) {
        if let Some(opened) = self.opened.get(&from).cloned() {
            self.opened.insert(to, opened);
        }
    }

    fn write(&mut self, descriptor: i64, at: Option<usize>, bytes: &[u8], written: i64) {
        let bytes = bytes[..bytes.len().min(written as usize)].to_vec();
        let Some(opened) = self.opened.get_mut(&descriptor) else {
            if descriptor == 1 {
                self.ops.push(Op::Told);
            }
            return;
        };
        let Some(file) = opened.file else { return };
        let at = match (at, opened.appends) {
            (Some(at), _) => at,
            (None, true) => self.lengths[file],
            (None, false) => opened.at,
        };
        opened.at = at + bytes.len();
        self.lengths[file] = self.lengths[file].max(at + bytes.len());
        self.ops.push(Op::Write { file, at, bytes });
    }

    fn cut(&mut self, descriptor: i64, length: usize) {
        if let Some(file) = self.opened.get(&descriptor).and_then(|opened| opened.file) {
            self.lengths[file] = length;
            self.ops.push(Op::Cut { file, length });
        }
    }

    fn sync(&mut self, descriptor: i64) {
        let Some(opened) = self.opened.get(&descriptor) else {
            return;
        };
        self.ops.push(match opened.file {
            Some(file) => Op::Sync { file },
            None => Op::SyncNames {
                of: opened.path.clone(),
            },
        });
    }

    fn rename(&mut self, from: PathBuf, to: PathBuf) {
        let moved: Vec<PathBuf> = self
            .names
            .keys()
            .filter(|path| path.starts_with(&from))
            .cloned()
            .collect();
        for path in moved {
            let file = self.names.remove(&path).unwrap();
            let below = path.strip_prefix(&from).unwrap();
            let new = if below.as_os_str().is_empty() {
                to.clone()
            } else {
                to.join(below)
            };
            self.names.insert(new, file);
        }
        self.ops.push(Op::Rename { from, to });
    }

    fn unname(&mut self, path: PathBuf) {
        self.names.remove(&path);
        self.ops.push(Op::Unname { path });
    }

    fn link(&mut self, from: PathBuf, to: PathBuf) {
        if let Some(file) = self.names.get(&from).copied() {
            self.names.insert(to.clone(), file);
            self.ops.push(Op::Name { path: to, file });
        }
    }
}

/// How a disk forgets.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// Everything that was not synced.
    All,
    /// The bytes that were not synced, while their names stay.
    Bytes,
    /// Some of it, some of it torn.
    Some,
}

/// The directory of a name.
fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// Makes the files as they may stand on the disk after the first `upto` calls.
fn make(script: &Script, upto: usize, loss: Loss, chance: &mut Chance) {
    let ops = &script.ops[..upto];
    let mut files = script.first.clone();
    for (file, bytes) in files.iter_mut().enumerate() {
        let synced = ops
            .iter()
            .rposition(|op| matches!(op, Op::Sync { file: of } if *of == file));
        for (place, op) in ops.iter().enumerate() {
            let is_safe = synced.is_some_and(|synced| place < synced);
            let kept = is_safe || matches!(loss, Loss::Some) && !chance.once_in(3);
            match op {
                Op::Write {
                    file: of,
                    at,
                    bytes: new,
                } if *of == file && kept => {
                    let torn = !is_safe && chance.once_in(3);
                    let length = if torn {
                        chance.below(new.len() + 1) / SECTOR * SECTOR
                    } else {
                        new.len()
                    };
                    let end = at + length;
                    if bytes.len() < end {
                        bytes.resize(end, 0);
                    }
                    bytes[*at..end].copy_from_slice(&new[..length]);
                }
                Op::Cut { file: of, length } if *of == file && kept => bytes.resize(*length, 0),
                _ => {}
            }
        }
    }
    for (path, file) in names(script, ops, loss, chance) {
        if path.extension().is_some_and(|end| end == "db-shm") {
            continue;
        }
        std::fs::create_dir_all(folder_of(&path)).unwrap();
        std::fs::write(&path, &files[file]).unwrap();
    }
}

/// The names that are left: those of a directory come to nothing from the last one made on.
fn names(script: &Script, ops: &[Op], loss: Loss, chance: &mut Chance) -> BTreeMap<PathBuf, usize> {
    let mut names = script.began.clone();
    let mut lost_from: BTreeMap<PathBuf, usize> = BTreeMap::new();
    let mut unsynced: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (place, op) in ops.iter().enumerate() {
        match op {
            Op::SyncNames { of } => {
                unsynced.remove(of);
            }
            Op::Name { path, .. } | Op::Unname { path } => {
                unsynced.entry(folder_of(path)).or_default().push(place)
            }
            Op::Rename { to, .. } => unsynced.entry(folder_of(to)).or_default().push(place),
            _ => {}
        }
    }
    for (folder, places) in unsynced {
        let kept = match loss {
            Loss::All => 0,
            Loss::Bytes => places.len(),
            Loss::Some => chance.below(places.len() + 1),
        };
        if let Some(first) = places.get(kept) {
            lost_from.insert(folder, *first);
        }
    }
    for (place, op) in ops.iter().enumerate() {
        let lost = |path: &Path| {
            lost_from
                .get(&folder_of(path))
                .is_some_and(|first| place >= *first)
        };
        match op {
            Op::Name { path, file } if !lost(path) => {
                names.insert(path.clone(), *file);
            }
            Op::Unname { path } if !lost(path) => {
                names.remove(path);
            }
            Op::Rename { from, to } if !lost(to) => {
                let moved: Vec<PathBuf> = names
                    .keys()
                    .filter(|path| path.starts_with(from))
                    .cloned()
                    .collect();
                for path in moved {
                    let file = names.remove(&path).unwrap();
                    let below = path.strip_prefix(from).unwrap();
                    names.insert(
                        if below.as_os_str().is_empty() {
                            to.clone()
                        } else {
                            to.join(below)
                        },
                        file,
                    );
                }
            }
            _ => {}
        }
    }
    names
}

/// Runs the program once under strace and reads what it did.
fn written_down(planted: &Ripe, root: &Path, log: &Path, user: &str, words: &[&str]) -> Script {
    let ripe = planted.copied(root);
    let mut script = Script::read(root);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-x", "-s", "100000000", "-e", CALLS, "-o"])
        .arg(log);
    command.arg(env!("CARGO_BIN_EXE_wordkeep"));
    ripe.tell(&mut command, user, words);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {told}");
    script.follow(log);
    assert!(
        script.ops.len() > 50,
        "{} calls were read",
        script.ops.len()
    );
    script
}

/// Prints the calls before a state, without their bytes.
fn tell(script: &Script, upto: usize) {
    let name = |file: usize| {
        let named = script.names.iter().chain(&script.began);
        named
            .into_iter()
            .find(|(_, of)| **of == file)
            .map(|(path, _)| path.display().to_string())
    };
    for (place, op) in script.ops[..upto].iter().enumerate() {
        match op {
            Op::Write { file, at, bytes } => {
                println!("    {place} write {:?} {at} {}", name(*file), bytes.len());
            }
            Op::Cut { file, length } => println!("    {place} cut {:?} {length}", name(*file)),
            Op::Sync { file } => println!("    {place} sync {:?}", name(*file)),
            other => println!("    {place} {other:?}"),
        }
    }
}

fn judge(ripe: &Ripe, work: &str, was_told: bool) -> Result<(), String> {
    let stock = ripe.stock()?;
    let (fresh, doomed) = (stock.tagged("fresh"), stock.tagged("doomed"));
    if ![0, MESSAGES].contains(&fresh) || ![0, DOOMED].contains(&doomed) {
        return Err(format!(
            "{fresh} of {MESSAGES} new, {doomed} of {DOOMED} due messages are there"
        ));
    }
    if stock.tagged("held") != HELD {
        return Err("something held is gone".to_owned());
    }
    let done = match work {
        "import" => fresh == MESSAGES,
        "dispose" => doomed == 0 && stock.is_certified,
        _ => true,
    };
    if was_told && !done {
        return Err("it was told that it was done".to_owned());
    }
    if work == "dispose" && !stock.is_certified {
        ripe.finish()?;
        if ripe.stock()?.tagged("doomed") > 0 {
            return Err("the list did not come to its end".to_owned());
        }
    }
    Ok(())
}

#[test]
fn losses_of_what_was_not_synced_lose_nothing_that_was_told() {
    let dir = tempfile::tempdir().unwrap();
    if !may_trace(dir.path()) {
        eprintln!("SKIPPED: strace is missing or may not trace here; no loss was tried");
        return;
    }
    let count = std::env::var("WORDKEEP_LOSSES")
        .ok()
        .and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(LOSSES);
    let seed = std::env::var("WORDKEEP_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut chance = Chance::new(seed);
    let planted = Ripe::plant(&dir.path().join("planted"));
    let root = dir.path().join("lost");
    planted.export("fresh", MESSAGES);
    let export = root.join("WhatsApp Chat - fresh.zip").display().to_string();
    let works: [(&str, Vec<&str>); 3] = [
        ("root", vec!["import", &export, "--tz", "UTC"]),
        ("rec", vec!["dispose", "run", "1", "--confirm", "1"]),
        ("root", vec!["keys", "rotate"]),
    ];
    let log = dir.path().join("log");
    let scripts: Vec<Script> = works
        .iter()
        .map(|(user, words)| written_down(&planted, &root, &log, user, words))
        .collect();
    let (began, mut broken) = (Instant::now(), Vec::new());
    for no in 0..count {
        let which = no % scripts.len();
        let (script, work) = (&scripts[which], works[which].1[0]);
        let upto = chance.below(script.ops.len() + 1);
        let loss = *chance.one(&[Loss::All, Loss::Bytes, Loss::Some, Loss::Some]);
        let was_told = script.ops[..upto].iter().any(|op| matches!(op, Op::Told));
        std::fs::remove_dir_all(&root).unwrap();
        // Folders and everything that is not followed stand as they did.
        let ripe = planted.copied(&root);
        for path in files_below(&ripe.place.data()) {
            std::fs::remove_file(path).unwrap();
        }
        make(script, upto, loss, &mut chance);
        if let Err(why) = judge(&ripe, work, was_told) {
            if std::env::var_os("WORDKEEP_TELL").is_some() {
                tell(script, upto);
            }
            println!(
                "{work}, {loss:?} after call {upto} of {} (state {no} of seed {seed}): {why}",
                script.ops.len()
            );
            broken.push(why);
        }
        if (no + 1) % 200 == 0 {
            println!(
                "{} states in {:.0} s, {} broken",
                no + 1,
                began.elapsed().as_secs_f64(),
                broken.len()
            );
        }
    }
    let calls: Vec<usize> = scripts.iter().map(|script| script.ops.len()).collect();
    println!(
        "{count} states after {calls:?} calls in {:.0} s, {} broken",
        began.elapsed().as_secs_f64(),
        broken.len()
    );
    assert!(broken.is_empty(), "{broken:#?}");
}
