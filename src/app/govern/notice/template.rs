//! Templates of notices: the program's own words are version 1, what a lawyer writes comes after.

use super::super::super::{AppError, Appliance, Result, Session};
use super::builtin::builtin;
use crate::audit::{Action, Appended};
use crate::crypto::{Digest, hex, sha256_of};
use crate::domain::{NoticeKind, NoticeLanguage, Right, Timestamp};
use crate::store::{NoticeTemplateRow, Rows};

/// Longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 200;
/// Longest body, in characters.
pub const TEXT_CHARS_MAX: usize = 10_000;

/// A template as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeTemplate {
    /// What it is for.
    pub kind: NoticeKind,
    /// In which language.
    pub language: NoticeLanguage,
    /// From 1 on; 1 is the program's own.
    pub version: u32,
    /// Subject, with fields in braces.
    pub subject: String,
    /// Body, with fields in braces.
    pub body: String,
    /// Digest of language, subject and body, in hexadecimal digits.
    pub hash: String,
    /// When it was written; `None` for the program's own.
    pub created: Option<Timestamp>,
}

impl NoticeTemplate {
    /// The words with their fields filled in. A value that looks like a field stays as it is.
    pub(super) fn merged(&self, values: &[(&str, &str)]) -> (String, String) {
        (merge(&self.subject, values), merge(&self.body, values))
    }
}

/// The fields a template of a kind may have.
pub(super) const fn fields(kind: NoticeKind) -> &'static [&'static str] {
    match kind {
        NoticeKind::Hold => &["matter", "hold", "keep", "contact"],
        NoticeKind::Release => &["matter", "hold", "contact"],
        NoticeKind::Reminder | NoticeKind::Escalation => {
            &["matter", "hold", "contact", "custodian", "date"]
        }
    }
}

/// The fields it must have: without them nobody knows what to do.
const fn needed(kind: NoticeKind) -> &'static [&'static str] {
    match kind {
        NoticeKind::Hold => &["matter", "keep", "contact"],
        NoticeKind::Release => &["matter"],
        NoticeKind::Reminder => &["matter"],
        NoticeKind::Escalation => &["matter", "custodian"],
    }
}

/// The digest that entries name words by.
pub(super) fn digest(language: NoticeLanguage, subject: &str, body: &str) -> Digest {
    let parts = [language.tag(), subject, body];
    let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
    sha256_of(&[
        &lengths[0],
        parts[0].as_bytes(),
        &lengths[1],
        parts[1].as_bytes(),
        &lengths[2],
        parts[2].as_bytes(),
    ])
}

/// Puts values in the place of `{name}`, from left to right and once.
pub(super) fn merge(text: &str, values: &[(&str, &str)]) -> String {
    let mut merged = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next_field(rest) {
        merged.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name);
        match value {
            Some((_, value)) => merged.push_str(value),
            None => merged.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    merged.push_str(rest);
    merged
}

/// The text before the next field, its name, and what comes after.
fn next_field(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

fn fields_of(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next_field(rest) {
        found.push(name);
        rest = after;
    }
    found
}

fn checked<'a>(kind: NoticeKind, subject: &'a str, body: &'a str) -> Result<[&'a str; 2]> {
    let [subject, body] = [subject.trim(), body.trim()];
    let usage = |text: String| Err(AppError::Usage(text));
    for (what, text, most) in [
        ("the subject", subject, SUBJECT_CHARS_MAX),
        ("the text", body, TEXT_CHARS_MAX),
    ] {
        if text.is_empty() {
            return usage(format!("{what} is missing"));
        }
        if text.chars().count() > most {
            return usage(format!("{what} has more than {most} characters"));
        }
        let odd = |letter: char| letter.is_control() && !"\r\n\t".contains(letter);
        if text.chars().any(odd) || (most == SUBJECT_CHARS_MAX && text.contains(['\r', '\n'])) {
            return usage(format!("{what} has control characters"));
        }
        let known = fields(kind);
        if let Some(unknown) = fields_of(text)
            .into_iter()
            .find(|name| !known.contains(name))
        {
            return usage(format!(
                "there is no field {{{unknown}}} in a template of this kind; there are {}",
                braced(known)
            ));
        }
    }
    let has = fields_of(body);
    match needed(kind)
        .iter()
        .find(|name| !has.contains(name) && !subject.contains(&format!("{{{name}}}")))
    {
        Some(_) => usage(format!("the text must have {}", braced(needed(kind)))),
        None => Ok([subject, body]),
    }
}

fn braced(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
    names.join(", ")
}

impl Appliance {
    /// The newest version of every template, by kind and language.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn notice_templates(&self, session: &Session) -> Result<Vec<NoticeTemplate>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut templates = Vec::new();
        for kind in NoticeKind::ALL {
            for language in NoticeLanguage::ALL {
                templates.push(self.notice_template(&rows, kind, language)?);
            }
        }
        drop(rows);
        self.log_rules_read(session, "notice.templates", templates.len())?;
        Ok(templates)
    }

    /// Writes the next version of a template. What was sent stays as it was.
    ///
    /// # Errors
    /// For anybody but a lawyer; when a field is unknown or a needed one is missing, or nothing changed.
    pub fn write_notice_template(
        &self,
        session: &Session,
        kind: NoticeKind,
        language: NoticeLanguage,
        subject: &str,
        body: &str,
    ) -> Result<(u32, Appended)> {
        self.require(session, Right::PlaceHolds, Action::NoticeTemplate)?;
        let body = body.replace("\r\n", "\n");
        let [subject, body] = checked(kind, subject, &body)?;
        let hash = digest(language, subject, body);
        let now = self.clock.now();
        self.change(now, |tx| {
            let last = self.notice_template(tx, kind, language)?;
            if last.hash == hex(&hash) {
                return Err(AppError::Conflict(format!(
                    "version {} of this template says the same",
                    last.version
                )));
            }
            let version = last.version + 1;
            let text_no = self.archive.seal_texts(tx, &[subject, body])?;
            tx.insert_notice_template(&NoticeTemplateRow {
                kind,
                language,
                version,
                hash,
                created: now.compliance,
                created_by: session.actor.no,
                text_no,
            })?;
            let draft = self
                .draft(session, Action::NoticeTemplate)
                .word("kind", kind.name())
                .word("language", language.tag())
                .count("version", u64::from(version))
                .word("text", hex(&hash));
            let payload = format!("{subject}\n{body}");
            let entry = self.log(tx, now, draft, Some(payload.as_bytes()))?;
            Ok((version, entry))
        })
    }

    /// The newest version of a template.
    pub(super) fn notice_template(
        &self,
        rows: &Rows,
        kind: NoticeKind,
        language: NoticeLanguage,
    ) -> Result<NoticeTemplate> {
        let all = rows.notice_templates()?;
        let last = all
            .into_iter()
            .rfind(|row| row.kind == kind && row.language == language);
        let (version, created, subject, body) = match last {
            Some(row) => {
                let [subject, body] = self.words(rows, row.text_no)?;
                (row.version, Some(row.created), subject, body)
            }
            None => {
                let own = builtin(kind, language);
                (1, None, own.subject.to_owned(), own.body.to_owned())
            }
        };
        let hash = hex(&digest(language, &subject, &body));
        Ok(NoticeTemplate {
            kind,
            language,
            version,
            subject,
            body,
            hash,
            created,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h11_the_programs_own_templates_keep_the_rules_of_their_fields() {
        for kind in NoticeKind::ALL {
            for language in NoticeLanguage::ALL {
                let own = builtin(kind, language);
                checked(kind, own.subject, own.body).unwrap();
            }
        }
    }

    #[test]
    fn h11_fields_are_filled_once_and_values_stay_as_they_are() {
        let values = [("keep", "{contact} and all"), ("contact", "Lea")];
        assert_eq!(
            merge("{keep}; {contact}; {else} {", &values),
            "{contact} and all; Lea; {else} {"
        );
        assert_eq!(merge("no field", &values), "no field");
    }

    #[test]
    fn h11_a_template_without_what_must_be_kept_is_refused() {
        let good = "{matter} {keep} {contact}";
        assert!(checked(NoticeKind::Hold, "s", good).is_ok());
        for wrong in [
            "{matter} {keep}",
            "{matter} {keep} {contact} {salary}",
            "",
            "a\u{7}{matter}{keep}{contact}",
        ] {
            assert!(checked(NoticeKind::Hold, "s", wrong).is_err(), "{wrong}");
        }
        assert!(checked(NoticeKind::Hold, "two\nlines", good).is_err());
        assert!(checked(NoticeKind::Hold, "", good).is_err());
        assert!(checked(NoticeKind::Hold, "s", &good.repeat(1_000)).is_err());
    }

    #[test]
    fn h11_one_letter_makes_another_digest() {
        let one = digest(NoticeLanguage::English, "a", "b");
        assert_ne!(one, digest(NoticeLanguage::German, "a", "b"));
        assert_ne!(one, digest(NoticeLanguage::English, "ab", ""));
    }
}
