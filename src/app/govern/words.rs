//! Names and reasons that people give: checked here, sealed by `archive`, logged as payload only.

use super::super::{AppError, Appliance, Result};
use crate::crypto::random_bytes;
use crate::domain::{MessageId, Scope, UserNo};
use crate::store::{EraseFate, MessageRow, Rows};

/// Longest name of a matter, a hold, a policy or a label, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 2_000;

/// A name without blanks around it.
///
/// # Errors
/// When it is empty, too long or has control characters; `what` says whose name it is.
pub fn name<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    bounded(what, text, NAME_CHARS_MAX)
}

/// A reason without blanks around it.
///
/// # Errors
/// As [`name`].
pub fn reason(text: &str) -> Result<&str> {
    bounded("the reason", text, REASON_CHARS_MAX)
}

fn bounded<'a>(what: &str, text: &'a str, most: usize) -> Result<&'a str> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AppError::Usage(format!("{what} is missing")));
    }
    if text.chars().count() > most {
        return Err(AppError::Usage(format!(
            "{what} has more than {most} characters"
        )));
    }
    if text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n')
    {
        return Err(AppError::Usage(format!("{what} has control characters")));
    }
    Ok(text)
}

impl Appliance {
    /// A new random id, positive as SQLite counts.
    pub(in crate::app) fn new_id(&self) -> u128 {
        u128::from_be_bytes(random_bytes(&*self.entropy)) >> 1
    }

    /// The message of an id, when the scope shows it.
    pub(super) fn visible_message(
        &self,
        rows: &Rows,
        scope: &Scope,
        id: MessageId,
    ) -> Result<Option<MessageRow>> {
        let Some(no) = self.archive.message_of_id(id)? else {
            return Ok(None);
        };
        let Some(row) = rows.message(no)? else {
            return Ok(None);
        };
        let conversation = rows.conversation(row.conversation)?;
        let account = conversation.and_then(|row| row.account);
        let shown = scope.allows(row.conversation, account) && scope.shows(row.no);
        Ok(shown.then_some(row))
    }

    /// Why there is no message of an id: it was disposed of, or it is not found. What the scope does
    /// not show is never told apart from what is not.
    pub(super) fn gone(&self, rows: &Rows, scope: &Scope, id: MessageId) -> Result<AppError> {
        let not_found = AppError::NotFound(id.to_string());
        let Some(disposed) = self.archive.disposed_of_id(id)? else {
            return Ok(not_found);
        };
        let conversation = match rows.erased_item(disposed.no)? {
            Some((_, item)) => match item.fate {
                EraseFate::Erased { conversation, .. } => rows.conversation(conversation)?,
                _ => None,
            },
            None => None,
        };
        if !conversation.is_some_and(|row| scope.allows(row.no, row.account)) {
            return Ok(not_found);
        }
        let certificate = match disposed.certificate {
            Some(number) => format!("certificate {number}"),
            None => "its certificate is not made yet".to_owned(),
        };
        Ok(AppError::Conflict(format!(
            "message {id} was already disposed of: list {}, {certificate}",
            disposed.batch
        )))
    }

    /// The public id of a user, as entries name people.
    pub(in crate::app) fn user_id(&self, rows: &Rows, no: UserNo) -> Result<String> {
        let users = rows.users()?;
        let known = users.iter().find(|user| user.no == no);
        Ok(known.map_or_else(|| "unknown".to_owned(), |user| user.id.to_string()))
    }

    /// The login of a user, as people know each other.
    pub(super) fn login_of(&self, rows: &Rows, no: UserNo) -> Result<String> {
        let user = rows.user(no)?;
        Ok(user.map_or_else(|| "unknown".to_owned(), |user| user.login))
    }

    /// Opens the words that were sealed under a content number; `N` of them, missing ones empty.
    pub(super) fn words<const N: usize>(&self, rows: &Rows, no: u64) -> Result<[String; N]> {
        let mut texts = self.archive.open_texts(rows, no)?.into_iter();
        Ok(std::array::from_fn(|_| texts.next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_reasons_are_trimmed_and_bounded() {
        assert_eq!(name("the name", "  Iberia sales ").unwrap(), "Iberia sales");
        assert!(name("the name", "  ").is_err());
        assert!(name("the name", "a\u{7}b").is_err());
        assert!(name("the name", &"x".repeat(NAME_CHARS_MAX + 1)).is_err());
        assert!(reason(&"x".repeat(REASON_CHARS_MAX)).is_ok());
        assert!(reason("first line\nsecond line").is_ok());
    }
}
