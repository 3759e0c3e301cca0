//! Tells the platform's notices apart. A tag only: an unknown notice stays `System`, and no
//! author is ever removed.
//!
//! Wordings as printed by the apps in English and German.

use crate::domain::Kind;

/// Where in the notice the words stand.
#[derive(Clone, Copy)]
enum Place {
    Start,
    End,
    Anywhere,
}

use Place::{Anywhere, End, Start};

/// Words that tell a notice, the first that fits decides.
const NOTICES: &[(Place, &str, Kind)] = &[
    (Anywhere, "end-to-end encrypt", Kind::SystemEncryption),
    (Anywhere, "end-to-end-encrypt", Kind::SystemEncryption),
    (Anywhere, "secured with end-to-end", Kind::SystemEncryption),
    (
        Anywhere,
        "Ende-zu-Ende-verschl\u{fc}sselt",
        Kind::SystemEncryption,
    ),
    (Anywhere, "security code", Kind::SystemIdentity),
    (Anywhere, "Sicherheitsnummer", Kind::SystemIdentity),
    (Anywhere, "changed their phone number", Kind::SystemIdentity),
    (Anywhere, "changed to +", Kind::SystemIdentity),
    (Anywhere, "changed from +", Kind::SystemIdentity),
    (
        Anywhere,
        "hat die Telefonnummer gewechselt",
        Kind::SystemIdentity,
    ),
    (Anywhere, "disappearing messages", Kind::SystemTimer),
    (Anywhere, "message timer", Kind::SystemTimer),
    (
        Anywhere,
        "selbstl\u{f6}schende Nachrichten",
        Kind::SystemTimer,
    ),
    (Anywhere, "changed the subject", Kind::SystemSubject),
    (Anywhere, "changed the group name", Kind::SystemSubject),
    (
        Anywhere,
        "changed the group description",
        Kind::SystemSubject,
    ),
    (Anywhere, "changed the description", Kind::SystemSubject),
    (Anywhere, "changed this group's icon", Kind::SystemSubject),
    (Anywhere, "changed the group icon", Kind::SystemSubject),
    (Anywhere, "deleted this group's icon", Kind::SystemSubject),
    (Anywhere, "hat den Betreff", Kind::SystemSubject),
    (Anywhere, "hat die Gruppenbeschreibung", Kind::SystemSubject),
    (Anywhere, "hat das Gruppenbild", Kind::SystemSubject),
    (Anywhere, "created group", Kind::SystemCreated),
    (Anywhere, "created this group", Kind::SystemCreated),
    (Anywhere, "created the group", Kind::SystemCreated),
    (Anywhere, "hat die Gruppe", Kind::SystemCreated),
    (Anywhere, "joined using", Kind::SystemMembership),
    (
        Anywhere,
        "joined from the community",
        Kind::SystemMembership,
    ),
    (End, " left", Kind::SystemMembership),
    (Anywhere, " was added", Kind::SystemMembership),
    (Anywhere, "were added", Kind::SystemMembership),
    (Anywhere, " added ", Kind::SystemMembership),
    (Anywhere, " removed ", Kind::SystemMembership),
    (End, "hinzugef\u{fc}gt", Kind::SystemMembership),
    (End, "hinzugef\u{fc}gt.", Kind::SystemMembership),
    (End, "hat die Gruppe verlassen", Kind::SystemMembership),
    (Anywhere, "now an admin", Kind::SystemMembership),
    (Anywhere, "no longer an admin", Kind::SystemMembership),
    (Start, "Missed voice call", Kind::Call),
    (Start, "Missed video call", Kind::Call),
    (Start, "Missed group", Kind::Call),
    (Start, "Voice call", Kind::Call),
    (Start, "Video call", Kind::Call),
    (Start, "Verpasster", Kind::Call),
];

/// Wordings that hold a colon of their own after the name of who did it.
const WITH_COLON: &[&str] = &[
    " changed the subject ",
    " changed the group name ",
    " created group ",
    " changed the group description",
    " changed the description",
    " hat den Betreff ",
    " hat die Gruppe ",
];

/// The kind of a notice of the platform.
pub fn kind_of(notice: &str) -> Kind {
    NOTICES
        .iter()
        .find(|(place, words, _)| match place {
            Place::Start => notice.starts_with(words),
            Place::End => notice.ends_with(words),
            Place::Anywhere => notice.contains(words),
        })
        .map_or(Kind::System, |(_, _, kind)| *kind)
}

/// Whether what stands before the first `: ` is the beginning of a notice rather than a name.
pub fn opens_notice(before_colon: &str) -> bool {
    WITH_COLON.iter().any(|words| before_colon.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_get_their_kind_and_unknown_ones_stay_system() {
        for (notice, kind) in [
            (
                "Messages and calls are end-to-end encrypted. No one outside",
                Kind::SystemEncryption,
            ),
            (
                "+12 345 578 created group \"Groupname\"",
                Kind::SystemCreated,
            ),
            ("You were added", Kind::SystemMembership),
            ("Ana left", Kind::SystemMembership),
            ("Ana changed the subject to \"a: b\"", Kind::SystemSubject),
            ("Missed video call", Kind::Call),
            (
                "Nachrichten sind jetzt Ende-zu-Ende-verschl\u{fc}sselt.",
                Kind::SystemEncryption,
            ),
            ("etwas ganz anderes", Kind::System),
        ] {
            assert_eq!(kind_of(notice), kind, "{notice}");
        }
    }
}
