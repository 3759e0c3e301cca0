//! Runs the transcripts of `tests/cli/` against the built program.

#[path = "support/transcript.rs"]
mod transcript;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use transcript::{Call, DIRECTORY_NAME, OVERWRITE_VARIABLE, Printed, Stage, Transcript, play};

/// A command that runs longer hangs: every transcript works on a handful of messages.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(120);
/// Letters of an id after its prefix.
const ID_CHARACTERS: usize = 26;
/// How often a running command is looked after.
const COMMAND_LOOK: Duration = Duration::from_millis(5);

/// The program in a directory of its own, with nothing of the environment but a path.
struct Program {
    directory: TempDir,
    /// The last id printed of each kind, by its prefix.
    ids: HashMap<String, String>,
}

impl Stage for Program {
    fn write(&mut self, name: &str, text: &str) -> Result<(), String> {
        let path = self.directory.path().join(name);
        let above = path.parent().unwrap_or(self.directory.path());
        fs::create_dir_all(above)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("{name}: {error}"))
    }

    fn run(&mut self, call: &Call) -> Result<Printed, String> {
        let mut call = call.clone();
        for argument in &mut call.arguments {
            for (prefix, id) in &self.ids {
                *argument = argument.replace(&format!("[{prefix}]"), id);
            }
        }
        let printed = self
            .run_in_directory(&call)
            .map_err(|error| error.to_string())?;
        self.remember_ids(&printed.output);
        Ok(printed)
    }
}

impl Program {
    fn new() -> std::io::Result<Program> {
        Ok(Program {
            directory: tempfile::tempdir()?,
            ids: HashMap::new(),
        })
    }

    fn remember_ids(&mut self, output: &str) {
        let words = output.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        for word in words {
            if let Some((prefix, rest)) = word.split_once('_')
                && rest.len() == ID_CHARACTERS
            {
                self.ids.insert(prefix.to_owned(), word.to_owned());
            }
        }
    }

    fn home(&self) -> std::io::Result<PathBuf> {
        let home = self.directory.path().join("home");
        fs::create_dir_all(&home)?;
        Ok(home)
    }

    fn run_in_directory(&self, call: &Call) -> std::io::Result<Printed> {
        // Output goes through files outside the directory, so that a full pipe stops nobody.
        let aside = tempfile::tempdir()?;
        let here = self.directory.path();
        let home = self.home()?;
        let output = match &call.output {
            Some(name) => here.join(name),
            None => aside.path().join("output"),
        };
        let error = aside.path().join("error");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wordkeep"));
        command
            .args(&call.arguments)
            .current_dir(here)
            .env_clear()
            .env("HOME", &home)
            .env("TMPDIR", aside.path())
            .env("TERM", "dumb")
            .env("COLUMNS", "100")
            .stdin(match &call.input {
                Some(name) => Stdio::from(File::open(here.join(name))?),
                None => Stdio::null(),
            })
            .stdout(File::create(&output)?)
            .stderr(File::create(&error)?);
        let mut child = command.spawn()?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > COMMAND_TIME_MAX {
                child.kill()?;
                break child.wait()?;
            }
            std::thread::sleep(COMMAND_LOOK);
        };
        let shown = |path: &Path| -> std::io::Result<String> {
            let bytes = fs::read(path)?;
            let text = String::from_utf8_lossy(&bytes);
            Ok(text.replace(&*here.to_string_lossy(), DIRECTORY_NAME))
        };
        Ok(Printed {
            output: match call.output {
                Some(_) => String::new(),
                None => shown(&output)?,
            },
            error: shown(&error)?,
            code: status.code().unwrap_or(-1),
        })
    }
}

fn pages() -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut pages: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        pages.push(entry?.path());
    }
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    Ok(pages)
}

fn play_page(path: &Path, overwrite: bool) -> Result<Vec<String>, String> {
    let page = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut transcript = Transcript::parse(&page)?;
    let mut program = Program::new().map_err(|error| error.to_string())?;
    let differences = play(&mut transcript, &mut program)?;
    if overwrite && !differences.is_empty() {
        fs::write(path, transcript.page()).map_err(|error| error.to_string())?;
        return Ok(Vec::new());
    }
    Ok(differences)
}

#[test]
fn every_transcript_holds() {
    let overwrite = std::env::var(OVERWRITE_VARIABLE).is_ok_and(|value| value == "overwrite");
    let pages = pages().unwrap();
    assert!(!pages.is_empty(), "`tests/cli` has no pages");
    let mut failed = String::new();
    for path in pages {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = match play_page(&path, overwrite) {
            Ok(differences) => differences,
            Err(error) => vec![format!("{error}\n")],
        };
        failed.extend(found.iter().map(|found| format!("{name}, {found}\n")));
    }
    assert!(
        failed.is_empty(),
        "what is printed differs from the page (-: the page, +: printed).\n\
         To accept it: {OVERWRITE_VARIABLE}=overwrite cargo test --release --test cli\n\n{failed}"
    );
}

/// Lines of an export that takes some seconds to import.
const LONG_CHAT_LINES: usize = 150_000;
/// Growth of the journal that shows batches being written, in bytes.
const JOURNAL_GROWTH: u64 = 256 * 1024;

#[test]
fn ctrl_c_saves_what_was_read_and_the_same_command_continues() {
    let mut program = Program::new().unwrap();
    program.write("ana.txt", "correct horse battery\n").unwrap();
    let mut chat = String::new();
    for no in 0..LONG_CHAT_LINES {
        let (day, minute) = (13 + no / 15_000, no / 250 % 60);
        // Writing to a String cannot fail.
        let _ = writeln!(
            chat,
            "{day}/02/2024, 10:{minute:02} - Rui: message number {no}"
        );
    }
    program.write("chat.txt", &chat).unwrap();
    let arguments = |typed: &str| transcript::read_command(typed).unwrap();
    for typed in [
        "wordkeep init --administrator ana --password-file ana.txt",
        "wordkeep login ana --password-file ana.txt",
    ] {
        assert_eq!(program.run(&arguments(typed)).unwrap().code, 0, "{typed}");
    }
    let home = program.home().unwrap();
    let journal = home.join(".local/share/wordkeep/wordkeep.db-wal");
    let length = || fs::metadata(&journal).map_or(0, |meta| meta.len());
    let before = length();
    let child = Command::new(env!("CARGO_BIN_EXE_wordkeep"))
        .args(["import", "chat.txt"])
        .current_dir(program.directory.path())
        .env_clear()
        .env("HOME", &home)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while length() < before + JOURNAL_GROWTH && start.elapsed() < COMMAND_TIME_MAX {
        std::thread::sleep(COMMAND_LOOK);
    }
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("saved: "), "{said}");
    let again = program
        .run(&arguments("wordkeep import chat.txt --plain"))
        .unwrap();
    assert_eq!(again.code, 0, "{}", again.error);
    let cells: Vec<u64> = again
        .output
        .trim_end()
        .split('\t')
        .skip(2)
        .map(|cell| cell.parse().unwrap())
        .collect();
    let [new, known, revised, rejected] = cells[..] else {
        panic!("{}", again.output);
    };
    assert!(new > 0 && known > 0, "{}", again.output);
    assert_eq!(new + known, LONG_CHAT_LINES as u64, "{}", again.output);
    assert_eq!((revised, rejected), (0, 0), "{}", again.output);
}
