//! Secrets come from files, descriptors and prompts; never from a flag or the environment.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::failure::Failure;
use crate::app::{AppError, Settings, read_bytes};
use crate::crypto::{KEY_FILE_LEN_MAX, Secret};

/// Longest passphrase or password, in bytes.
const SECRET_BYTES_MAX: u64 = 4_096;

/// A secret text, wiped when dropped.
pub(super) type Text = Zeroizing<String>;

/// Where the passphrase of the data comes from, as typed.
#[derive(Clone, Debug, Default)]
pub(super) struct SecretSource {
    pub(super) file: Option<PathBuf>,
    pub(super) descriptor: Option<u32>,
}

impl SecretSource {
    /// A passphrase, when a file or descriptor was named.
    pub(super) fn named(&self) -> Result<Option<Text>, Failure> {
        let path = match (&self.file, self.descriptor) {
            (Some(path), _) => path.clone(),
            (None, Some(number)) => PathBuf::from(format!("/dev/fd/{number}")),
            (None, None) => return Ok(None),
        };
        first_line(&path).map(Some)
    }

    /// Whether a passphrase was named.
    pub(super) fn is_named(&self) -> bool {
        self.file.is_some() || self.descriptor.is_some()
    }

    /// What opens the data: the passphrase that was named, else the unlock key, else a prompt.
    pub(super) fn open(&self, settings: &Settings, may_ask: bool) -> Result<Secret, Failure> {
        if let Some(passphrase) = self.named()? {
            return Ok(Secret::passphrase(&passphrase));
        }
        if settings.unlock_key.exists() {
            return key_file(&settings.unlock_key);
        }
        if may_ask {
            return Ok(Secret::passphrase(&prompt("passphrase of the data: ")?));
        }
        let path = settings.unlock_key.display();
        Err(AppError::Configuration(format!(
            "nothing to open the data with: there is no unlock key at {path}; name it with \
             --unlock-key, or give --passphrase-file"
        ))
        .into())
    }
}

/// The secret in a key file.
pub(super) fn key_file(path: &Path) -> Result<Secret, Failure> {
    let bytes = Zeroizing::new(read_bytes(path, KEY_FILE_LEN_MAX as u64)?);
    Ok(Secret::key_file(&bytes))
}

/// The first line of a file, or of standard input for `-`.
pub(super) fn first_line(path: &Path) -> Result<Text, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(SECRET_BYTES_MAX)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| AppError::file(path, &error))?;
    } else {
        *bytes = read_bytes(path, SECRET_BYTES_MAX)?;
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| AppError::Configuration(format!("{}: not UTF-8 text", path.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let path = path.display();
        return Err(AppError::Configuration(format!("{path}: its first line is empty")).into());
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// A password from a file, or typed; a new one is typed twice.
pub(super) fn password(
    file: Option<&PathBuf>,
    whose: &str,
    is_new: bool,
    may_ask: bool,
) -> Result<Text, Failure> {
    match file {
        Some(path) => first_line(path),
        None if !may_ask => Err(AppError::Usage(
            "a password is needed and nobody can be asked; give --password-file FILE".to_owned(),
        )
        .into()),
        None if is_new => typed_twice(&format!("new password of {whose}: ")),
        None => prompt(&format!("password of {whose}: ")),
    }
}

/// A secret typed twice.
pub(super) fn typed_twice(question: &str) -> Result<Text, Failure> {
    let first = prompt(question)?;
    if *prompt("the same again: ")? == *first {
        Ok(first)
    } else {
        Err(AppError::Usage("the two are different; nothing was changed".to_owned()).into())
    }
}

/// A secret typed without being shown.
pub(super) fn prompt(question: &str) -> Result<Text, Failure> {
    rpassword::prompt_password(question)
        .map(Zeroizing::new)
        .map_err(|error| AppError::Io(format!("nothing could be asked: {error}")).into())
}

/// Something typed that is no secret.
pub(super) fn ask(question: &str) -> Result<String, Failure> {
    let mut to = io::stderr().lock();
    let mut answer = String::new();
    write!(to, "{question}")
        .and_then(|()| to.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut answer))
        .map_err(|error| AppError::Io(format!("nothing could be asked: {error}")))?;
    Ok(answer.trim().to_owned())
}
