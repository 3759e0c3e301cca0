//! Runs the transcripts of `tests/cli/` against the built program.

#[path = "support/transcript.rs"]
mod transcript;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use transcript::{Call, DIRECTORY_NAME, OVERWRITE_VARIABLE, Printed, Stage, Transcript, play};

/// A command that runs longer hangs: every transcript works on a handful of messages.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(120);
/// How often a running command is looked after.
const COMMAND_LOOK: Duration = Duration::from_millis(5);

/// The program in a directory of its own, with nothing of the environment but a path.
struct Program {
    directory: TempDir,
}

impl Stage for Program {
    fn write(&mut self, name: &str, text: &str) -> Result<(), String> {
        let path = self.directory.path().join(name);
        fs::write(path, text).map_err(|error| format!("{name}: {error}"))
    }

    fn run(&mut self, call: &Call) -> Result<Printed, String> {
        self.run_in_directory(call)
            .map_err(|error| error.to_string())
    }
}

impl Program {
    fn run_in_directory(&self, call: &Call) -> std::io::Result<Printed> {
        // Output goes through files outside the directory, so that a full pipe stops nobody.
        let aside = tempfile::tempdir()?;
        let here = self.directory.path();
        let home = here.join("home");
        fs::create_dir_all(&home)?;
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
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let differences = play(&mut transcript, &mut Program { directory })?;
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
