//! The one place where an error becomes an exit code, a line that says what happened, and a line
//! that says what to do.

use std::io::{self, Write};

use crate::app::AppError;
use crate::auth::{AuthError, SsoRefusal};
use crate::ingest::{ANSWER_NEW, Question, QuestionKind};
use crate::query::render_carets;
use crate::store::StoreError;

use super::printable::{line, thousands, wall};

/// How the program ends. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Exit {
    /// Done; finding nothing is done too.
    Done = 0,
    /// Finished with rejected items, or the answer is no.
    Negative = 1,
    /// Wrong use, or an error in the query.
    Usage = 2,
    /// Configuration or key.
    Configuration = 3,
    /// Not permitted, or not recognised.
    Forbidden = 4,
    /// A hold, a lock or a policy stands in the way.
    Blocked = 5,
    /// Stored bytes are not what was stored.
    Integrity = 6,
    /// It does not exist for the actor.
    NotFound = 7,
    /// Somebody else is at it, or it is there already.
    Conflict = 8,
    /// Somebody outside did not answer.
    Network = 9,
    /// Disk or file.
    Io = 10,
    /// The person stopped it.
    Interrupted = 130,
}

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The use-case said no.
    App(AppError),
    /// The result could not be written.
    Output(io::Error),
    /// Several sources were asked for; each was told on its own, this is the worst.
    Told(Exit),
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Failure::App(error)
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        Failure::App(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

impl Failure {
    /// Prints it on standard error and says how the program ends.
    pub(super) fn tell(&self) -> Exit {
        // Nothing is left to do where standard error is closed.
        let _ = self.write(&mut io::stderr().lock());
        self.exit()
    }

    /// The code.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Failure::App(error) => exit_of(error),
            // Who closes the pipe has seen enough.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Failure::Output(_) => Exit::Io,
            Failure::Told(exit) => *exit,
        }
    }

    fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Failure::App(AppError::Query { text, problems }) => {
                write!(to, "{}", render_carets(text, problems))
            }
            Failure::App(AppError::Questions(questions)) => write_questions(to, questions),
            Failure::App(error) => {
                writeln!(to, "error: {}", line(&error.to_string()))?;
                if let AppError::Refused(refusal) = error {
                    for place in &refusal.places {
                        let at = format!("{} line {}", place.entry, place.line);
                        writeln!(to, "  | {}: {}", line(&at), line(&place.reason))?;
                    }
                    let untold = refusal.total.saturating_sub(refusal.places.len() as u64);
                    if untold > 0 {
                        writeln!(to, "  | and {} more", thousands(untold))?;
                    }
                }
                match advice(error) {
                    Some(advice) => writeln!(to, "  = help: {advice}"),
                    None => Ok(()),
                }
            }
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Failure::Output(error) => writeln!(to, "error: the result was not written: {error}"),
            Failure::Told(_) => Ok(()),
        }
    }
}

fn write_questions(to: &mut dyn Write, questions: &[Question]) -> io::Result<()> {
    for question in questions {
        let entry = line(&question.entry);
        writeln!(to, "question: {entry}: {}", line(&question.reason))?;
        let flag = flag_of(question.kind);
        if question.readings.is_empty() {
            writeln!(to, "  = answer with: {flag}")?;
        }
        for reading in &question.readings {
            match (question.kind, reading.answer.as_str()) {
                (QuestionKind::Continues, ANSWER_NEW) => write!(to, "  = --new-conversation")?,
                (_, answer) => write!(to, "  = {flag} {answer:4}")?,
            }
            if let (Some(first), Some(last)) = (reading.first, reading.last) {
                write!(to, "  first {} · last {}", wall(first), wall(last))?;
            }
            writeln!(to)?;
        }
    }
    writeln!(
        to,
        "nothing was imported; repeat the command with the answers"
    )
}

fn flag_of(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::DateOrder => "--date-order",
        QuestionKind::Zone => "--tz ZONE (such as Europe/Lisbon)",
        QuestionKind::Start => "--start TIME (such as \"2024-05-06 09:15\")",
        QuestionKind::TrustHeaders => "--trust-headers",
        QuestionKind::Mapping => "--map FILE",
        QuestionKind::ImportRest => "--import-rest",
        QuestionKind::Continues => "--conversation",
    }
}

/// The exit code of every error.
pub(super) fn exit_of(error: &AppError) -> Exit {
    match error {
        AppError::Usage(_)
        | AppError::Query { .. }
        | AppError::Questions(_)
        | AppError::Budget(_) => Exit::Usage,
        AppError::Refused(_) => Exit::Negative,
        AppError::Configuration(_) => Exit::Configuration,
        AppError::Auth(error) => exit_of_auth(error),
        AppError::NotFound(_) => Exit::NotFound,
        AppError::Blocked(_) | AppError::Held { .. } => Exit::Blocked,
        AppError::Integrity(_) => Exit::Integrity,
        AppError::Conflict(_) | AppError::Expired { .. } => Exit::Conflict,
        AppError::Io(_) => Exit::Io,
        AppError::Interrupted(_) => Exit::Interrupted,
    }
}

fn exit_of_auth(error: &AuthError) -> Exit {
    match error {
        AuthError::Refused
        | AuthError::OldPassword
        | AuthError::Token
        | AuthError::Session
        | AuthError::Code
        | AuthError::CodeMissing
        | AuthError::Setup
        | AuthError::Link
        | AuthError::FourEyes
        | AuthError::Waiting
        | AuthError::Scope { .. }
        | AuthError::Forbidden { .. } => Exit::Forbidden,
        AuthError::Taken(_) | AuthError::LastAdministrator => Exit::Conflict,
        AuthError::Login | AuthError::WeakPassword | AuthError::ScopeTooWide { .. } => Exit::Usage,
        AuthError::ProviderOnly | AuthError::ProviderProof => Exit::Forbidden,
        AuthError::SsoConfig(_) => Exit::Usage,
        AuthError::Sso(SsoRefusal::NotConfigured) => Exit::NotFound,
        AuthError::Sso(SsoRefusal::Unreachable(_)) => Exit::Network,
        AuthError::Sso(SsoRefusal::Metadata(_)) => Exit::Configuration,
        AuthError::Sso(_) => Exit::Forbidden,
        AuthError::Unknown(_) => Exit::NotFound,
        AuthError::Store(error) => exit_of_store(error),
        AuthError::Crypto(_) => Exit::Integrity,
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Missing(_) | StoreError::WrongKey | StoreError::Newer { .. } => {
            Exit::Configuration
        }
        StoreError::Exists(_) | StoreError::Locked(_) | StoreError::Limit(_) => Exit::Conflict,
        StoreError::Corrupt(_) => Exit::Integrity,
        StoreError::NotFound(_) => Exit::NotFound,
        StoreError::Full | StoreError::File { .. } | StoreError::Sql(_) => Exit::Io,
    }
}

/// What to do next, where the error itself does not say it.
fn advice(error: &AppError) -> Option<&'static str> {
    match error {
        AppError::Auth(AuthError::Refused) => Some(
            "check both; an administrator can add you with: wordkeep user add LOGIN --role ROLE",
        ),
        AppError::Auth(AuthError::Scope { .. }) => {
            Some("log in as a person, or make a token with the scope: wordkeep token create")
        }
        AppError::Auth(AuthError::Forbidden { .. }) => {
            Some("the refusal is in the audit log; log in as somebody whose role may")
        }
        AppError::Auth(AuthError::CodeMissing) => {
            Some("write it, or a recovery code, into a file and give --code-file FILE")
        }
        AppError::Auth(AuthError::ProviderOnly) => {
            Some("programs take a token that you make there under Account: --token-file FILE")
        }
        AppError::Auth(AuthError::Sso(SsoRefusal::NotConfigured)) => {
            Some("configure one with: wordkeep sso set --issuer URL --client-id ID")
        }
        AppError::Auth(AuthError::Unknown(_)) => Some("list them with: wordkeep user list"),
        AppError::NotFound(_) => {
            Some("it does not exist, or your log-in may not see it; check the id")
        }
        AppError::Integrity(_) => {
            Some("change nothing, keep a copy of the data, run: wordkeep verify")
        }
        AppError::Refused(refusal) if refusal.total > 0 => {
            Some("mend the file or the mapping, or leave these places out with: --import-rest")
        }
        AppError::Budget(_) => Some("add a date, a person or another word"),
        AppError::Interrupted(_) => Some("everything saved is whole; the same command continues"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Reading, Refusal};

    fn text_of(failure: &Failure) -> String {
        let mut bytes = Vec::new();
        failure.write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_error_has_its_code() {
        let text = || "x".to_owned();
        let refusal = Refusal {
            reason: text(),
            places: Vec::new(),
            total: 0,
        };
        let problems = Vec::new();
        let cases: Vec<(AppError, u8)> = vec![
            (AppError::Refused(refusal), 1),
            (AppError::Usage(text()), 2),
            (
                AppError::Query {
                    text: text(),
                    problems,
                },
                2,
            ),
            (AppError::Questions(Vec::new()), 2),
            (AppError::Budget(text()), 2),
            (AppError::Auth(AuthError::WeakPassword), 2),
            (AppError::Auth(AuthError::Login), 2),
            (AppError::Configuration(text()), 3),
            (AppError::Auth(AuthError::Store(StoreError::WrongKey)), 3),
            (AppError::Auth(AuthError::Refused), 4),
            (AppError::Auth(AuthError::Token), 4),
            (
                AppError::Auth(AuthError::Forbidden {
                    role: "auditor",
                    needs: crate::domain::Right::Export,
                }),
                4,
            ),
            (AppError::Blocked(text()), 5),
            (AppError::Integrity(text()), 6),
            (
                AppError::Auth(AuthError::Store(StoreError::Corrupt(text()))),
                6,
            ),
            (AppError::NotFound(text()), 7),
            (AppError::Auth(AuthError::Unknown(text())), 7),
            (AppError::Conflict(text()), 8),
            (AppError::Auth(AuthError::Taken(text())), 8),
            (AppError::Auth(AuthError::LastAdministrator), 8),
            (
                AppError::Auth(AuthError::Sso(SsoRefusal::Unreachable(text()))),
                9,
            ),
            (AppError::Auth(AuthError::Sso(SsoRefusal::Nonce)), 4),
            (
                AppError::Auth(AuthError::Sso(SsoRefusal::Metadata(text()))),
                3,
            ),
            (AppError::Auth(AuthError::SsoConfig(text())), 2),
            (AppError::Io(text()), 10),
            (AppError::Auth(AuthError::Store(StoreError::Full)), 10),
            (AppError::Interrupted(text()), 130),
        ];
        for (error, code) in cases {
            assert_eq!(exit_of(&error) as u8, code, "{error:?}");
        }
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::Output(closed).exit() as u8, 0);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(Failure::Output(full).exit() as u8, 10);
    }

    #[test]
    fn an_error_is_one_line_and_then_advice() {
        let shown = text_of(&Failure::App(AppError::NotFound(
            "imp_1\u{1b}[2J".to_owned(),
        )));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 2, "{shown}");
        assert!(lines[0].starts_with("error: imp_1"));
        assert!(lines[1].starts_with("  = help: "));
        assert!(!shown.contains('\u{1b}'), "no control characters");
    }

    #[test]
    fn a_question_shows_each_reading_with_its_flag() {
        use crate::domain::Timestamp;
        let reading = |answer: &str, day: i64| Reading {
            answer: answer.to_owned(),
            first: Some(Timestamp::from_seconds(day * 86_400)),
            last: Some(Timestamp::from_seconds(day * 86_400 + 3_600)),
        };
        let question = Question {
            kind: QuestionKind::DateOrder,
            entry: "chat.txt".to_owned(),
            reason: "no day is above 12".to_owned(),
            readings: vec![reading("dmy", 0), reading("mdy", 1)],
            preselect: None,
        };
        assert_eq!(
            text_of(&Failure::App(AppError::Questions(vec![question]))),
            "question: chat.txt: no day is above 12\n  \
             = --date-order dmy   first 1970-01-01 00:00 · last 1970-01-01 01:00\n  \
             = --date-order mdy   first 1970-01-02 00:00 · last 1970-01-02 01:00\n\
             nothing was imported; repeat the command with the answers\n"
        );
    }
}
