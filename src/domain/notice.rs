//! Notices of holds: in which language, of which kind, and what becomes of them.

/// A language that notices are written in. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NoticeLanguage {
    /// English.
    #[default]
    English = 0,
    /// Portuguese.
    Portuguese = 1,
    /// Spanish.
    Spanish = 2,
    /// German.
    German = 3,
    /// Arabic, from right to left.
    Arabic = 4,
}

impl NoticeLanguage {
    /// Every language, in the order of its number.
    pub const ALL: [NoticeLanguage; 5] = [
        NoticeLanguage::English,
        NoticeLanguage::Portuguese,
        NoticeLanguage::Spanish,
        NoticeLanguage::German,
        NoticeLanguage::Arabic,
    ];

    /// Its tag in pages, requests and commands (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            NoticeLanguage::English => "en",
            NoticeLanguage::Portuguese => "pt",
            NoticeLanguage::Spanish => "es",
            NoticeLanguage::German => "de",
            NoticeLanguage::Arabic => "ar",
        }
    }

    /// Its name in itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            NoticeLanguage::English => "English",
            NoticeLanguage::Portuguese => "Português",
            NoticeLanguage::Spanish => "Español",
            NoticeLanguage::German => "Deutsch",
            NoticeLanguage::Arabic => "العربية",
        }
    }

    /// Whether it is written from right to left.
    pub const fn is_rtl(self) -> bool {
        matches!(self, NoticeLanguage::Arabic)
    }

    /// The language of a tag; what follows the first part, such as a country, does not count.
    pub fn from_tag(tag: &str) -> Option<NoticeLanguage> {
        let first = tag.trim().split(['-', '_']).next().unwrap_or_default();
        NoticeLanguage::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(first))
    }

    /// The language of a stored number; English for one of a newer program.
    pub fn from_number(number: u8) -> NoticeLanguage {
        let known = NoticeLanguage::ALL.get(usize::from(number));
        known.copied().unwrap_or_default()
    }
}

/// What a text is for. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NoticeKind {
    /// Tells somebody to keep something.
    Hold = 0,
    /// Tells them that the duty has ended.
    Release = 1,
    /// Tells them that they have not answered.
    Reminder = 2,
    /// Tells their manager so.
    Escalation = 3,
}

impl NoticeKind {
    /// Every kind, in the order of its number.
    pub const ALL: [NoticeKind; 4] = [
        NoticeKind::Hold,
        NoticeKind::Release,
        NoticeKind::Reminder,
        NoticeKind::Escalation,
    ];

    /// The name in requests, commands and entries of the log.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeKind::Hold => "hold",
            NoticeKind::Release => "release",
            NoticeKind::Reminder => "reminder",
            NoticeKind::Escalation => "escalation",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<NoticeKind> {
        NoticeKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a stored number; a hold for one of a newer program.
    pub fn from_number(number: u8) -> NoticeKind {
        let known = NoticeKind::ALL.get(usize::from(number));
        known.copied().unwrap_or(NoticeKind::Hold)
    }
}

/// What became of a notice. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum NoticeActKind {
    /// A letter with a link was made.
    Letter = 0,
    /// Time passed without an answer: somebody has to remind.
    ReminderDue = 1,
    /// Reminders were of no use: somebody has to tell the manager.
    EscalationDue = 2,
    /// They were reminded.
    Reminded = 3,
    /// Their manager was told.
    Escalated = 4,
    /// They confirmed it themselves, by the link.
    Acknowledged = 5,
    /// A lawyer wrote down, with a reason, that they confirmed it.
    AcknowledgedFor = 6,
    /// It was called back, or another took its place.
    Withdrawn = 7,
}

impl NoticeActKind {
    const ALL: [NoticeActKind; 8] = [
        NoticeActKind::Letter,
        NoticeActKind::ReminderDue,
        NoticeActKind::EscalationDue,
        NoticeActKind::Reminded,
        NoticeActKind::Escalated,
        NoticeActKind::Acknowledged,
        NoticeActKind::AcknowledgedFor,
        NoticeActKind::Withdrawn,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeActKind::Letter => "letter",
            NoticeActKind::ReminderDue => "reminder_due",
            NoticeActKind::EscalationDue => "escalation_due",
            NoticeActKind::Reminded => "reminded",
            NoticeActKind::Escalated => "escalated",
            NoticeActKind::Acknowledged => "acknowledged",
            NoticeActKind::AcknowledgedFor => "acknowledged_for",
            NoticeActKind::Withdrawn => "withdrawn",
        }
    }

    /// The act of a stored number; `None` for one of a newer program.
    pub fn from_number(number: u8) -> Option<NoticeActKind> {
        NoticeActKind::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tags_and_names_read_back() {
        for (number, language) in (0u8..).zip(NoticeLanguage::ALL) {
            assert_eq!(NoticeLanguage::from_number(number), language);
            assert_eq!(NoticeLanguage::from_tag(language.tag()), Some(language));
        }
        for (number, kind) in (0u8..).zip(NoticeKind::ALL) {
            assert_eq!(NoticeKind::from_number(number), kind);
            assert_eq!(NoticeKind::from_name(kind.name()), Some(kind));
        }
        for (number, kind) in (0u8..).zip(NoticeActKind::ALL) {
            assert_eq!(
                (kind as u8, NoticeActKind::from_number(number)),
                (number, Some(kind))
            );
        }
        assert_eq!(
            NoticeLanguage::from_tag("pt-BR"),
            Some(NoticeLanguage::Portuguese)
        );
        assert_eq!(NoticeLanguage::from_tag("fr"), None);
    }
}
