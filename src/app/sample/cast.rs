//! The cast: the people of the fictional company Calder & Roe, wholesale espresso machines, its
//! twelve clients, and the forty conversations between them.

use super::calendar::Local;
use super::language::{
    DIRHAMS, DOLLARS, EUROS, Language, Money, NAIRA, PESOS, POUNDS, REAIS, SHEKELS, YEN,
};
use super::scene::Scene;
use super::talk;
use super::whatsapp::Phone;
use crate::domain::App;

/// The first day of the story.
pub const FIRST_DAY: Local = Local::at(2024, 9, 2, 0, 0);
/// The first day after it, 26 months later.
pub const END: Local = Local::at(2026, 11, 2, 0, 0);
/// The day Maria Santos leaves the company.
pub const DEPARTURE: Local = Local::at(2026, 3, 2, 0, 0);

/// Somebody who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name as address books hold it.
    pub name: &'static str,
    /// How friends call them in Latin letters.
    pub first: &'static str,
    /// How they are called in Arabic, Hebrew or Japanese; empty where nobody does.
    pub native: &'static str,
}

const fn person(name: &'static str, first: &'static str, native: &'static str) -> Person {
    Person {
        name,
        first,
        native,
    }
}

/// Sales for Iberia and Latin America, until [`DEPARTURE`].
pub const MARIA: Person = person("Maria Santos", "Maria", "");
/// Sales for Germany, Austria, the Gulf and West Africa.
pub const KARIM: Person = person("Karim Weber", "Karim", "كريم");
/// Sales for Britain, America, Israel and Japan.
pub const AIKO: Person = person("Aiko Levi", "Aiko", "レヴィ");
/// The managing director.
pub const RUTH: Person = person("Ruth Calder", "Ruth", "");
/// The warehouse.
pub const TOMASZ: Person = person("Tomasz Nowak", "Tomasz", "");
/// Finance.
pub const PRIYA: Person = person("Priya Raman", "Priya", "");
/// Outside counsel.
pub const HELEN: Person = person("Helen Marsh", "Helen", "");

/// A client.
pub const ROWAN: Person = person("Rowan Fields", "Rowan", "");
/// A client.
pub const TESS: Person = person("Tess Arden", "Tess", "");
/// A client.
pub const DANA: Person = person("Dana Whitlock", "Dana", "");
const MARCUS: Person = person("Marcus Lee", "Marcus", "");
/// A client.
pub const AMARA: Person = person("Amara Okafor", "Amara", "");
const CHIDI: Person = person("Chidi Eze", "Chidi", "");
const LUCIA: Person = person("Lucía Herrera", "Lucía", "");
const PABLO: Person = person("Pablo Rey", "Pablo", "");
/// A client.
pub const DIEGO: Person = person("Diego Fuentes", "Diego", "");
/// A client.
pub const BEATRIZ: Person = person("Beatriz Nogueira", "Beatriz", "");
const TERESA: Person = person("Teresa Moura", "Teresa", "");
/// A client.
pub const KATRIN: Person = person("Katrin Vogel", "Katrin", "");
const STEFAN: Person = person("Stefan Huber", "Stefan", "");
const MIRIAM: Person = person("Miriam Huber", "Miriam", "");
/// A client.
pub const NOUR: Person = person("Nour Haddad", "Nour", "نور");
const YAEL: Person = person("Yael Barak", "Yael", "יעל");
/// A client.
pub const KEN: Person = person("佐藤 健", "Ken", "佐藤");
const HARUTO: Person = person("森 陽斗", "Haruto", "森");

impl Person {
    /// How the person is addressed in a language.
    pub fn call(self, language: Language) -> &'static str {
        match language {
            Language::Hebrew if self == AIKO => "אייקו",
            Language::Arabic | Language::Hebrew | Language::Japanese if !self.native.is_empty() => {
                self.native
            }
            _ => self.first,
        }
    }

    /// Whether the person works with us, or is a client, at this time.
    pub fn is_there(self, at: Local) -> bool {
        self != MARIA || at < DEPARTURE
    }
}

/// Where a conversation takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A WhatsApp chat exported from this phone, with or without media.
    WhatsApp(Phone, Media),
    /// Another platform, as records of one JSONL file.
    Records(App),
}

/// Whether an export carries its media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A zip with the chat and its files.
    Included,
    /// The text alone.
    Omitted,
}

/// One of the forty conversations.
#[derive(Clone, Copy, Debug)]
pub struct Conversation {
    /// The title: of a group its subject, of a direct chat the other person.
    pub title: &'static str,
    /// Whether it has a subject and more than two people.
    pub is_group: bool,
    /// Where it takes place.
    pub place: Place,
    /// What is talked about.
    pub scenes: &'static [Scene],
    /// How dates and names are written.
    pub language: Language,
    /// How amounts are written.
    pub money: Money,
    /// Who plays which role; a role may have several players, one is drawn per scene.
    pub roles: &'static [(char, Person)],
    /// First day.
    pub from: Local,
    /// First day after it.
    pub until: Local,
    /// Share of the messages, relative to the others.
    pub weight: u64,
}

/// A direct chat between a client and a sales person over the whole story.
const fn direct(
    title: &'static str,
    place: Place,
    language: Language,
    money: Money,
    roles: &'static [(char, Person)],
    weight: u64,
) -> Conversation {
    Conversation {
        title,
        is_group: false,
        place,
        scenes: talk::with_client(language),
        language,
        money,
        roles,
        from: FIRST_DAY,
        until: END,
        weight,
    }
}

const fn group(conversation: Conversation) -> Conversation {
    Conversation {
        is_group: true,
        ..conversation
    }
}

/// A group of the company itself.
const fn inside(
    title: &'static str,
    place: Place,
    scenes: &'static [Scene],
    weight: u64,
) -> Conversation {
    let talk = direct(title, place, Language::English, POUNDS, COMPANY, weight);
    Conversation {
        scenes,
        is_group: true,
        ..talk
    }
}

const fn until(conversation: Conversation, until: Local) -> Conversation {
    Conversation {
        until,
        ..conversation
    }
}

const fn from(conversation: Conversation, from: Local) -> Conversation {
    Conversation {
        from,
        ..conversation
    }
}

const COMPANY: &[(char, Person)] = &[
    ('R', MARIA),
    ('R', KARIM),
    ('R', AIKO),
    ('S', AIKO),
    ('S', KARIM),
    ('S', MARIA),
    ('W', TOMASZ),
    ('F', PRIYA),
    ('B', RUTH),
];

const fn text(phone: Phone) -> Place {
    Place::WhatsApp(phone, Media::Omitted)
}

const fn zip(phone: Phone) -> Place {
    Place::WhatsApp(phone, Media::Included)
}

const TELEGRAM: Place = Place::Records(App::Telegram);
const SLACK: Place = Place::Records(App::Slack);
const LINE: Place = Place::Records(App::Line);

use Language::{American, Arabic, English, German, Hebrew, Japanese, Portuguese, Spanish};

/// The conversations. The titles of `planted.rs` point here.
pub const CONVERSATIONS: [Conversation; 40] = [
    direct(
        "Rowan Fields",
        zip(Phone::IosBritish),
        English,
        POUNDS,
        &[('C', ROWAN), ('R', AIKO)],
        40,
    ),
    direct(
        "Dana Whitlock",
        text(Phone::IosAmerican),
        American,
        DOLLARS,
        &[('C', DANA), ('R', AIKO)],
        38,
    ),
    direct(
        "Amara Okafor",
        text(Phone::AndroidLagos),
        English,
        NAIRA,
        &[('C', AMARA), ('R', KARIM)],
        30,
    ),
    until(
        direct(
            "Lucía Herrera",
            zip(Phone::AndroidSpanish),
            Spanish,
            EUROS,
            &[('C', LUCIA), ('R', MARIA)],
            34,
        ),
        DEPARTURE,
    ),
    until(
        direct(
            "Diego Fuentes",
            text(Phone::AndroidMexican),
            Spanish,
            PESOS,
            &[('C', DIEGO), ('R', MARIA)],
            28,
        ),
        DEPARTURE,
    ),
    until(
        direct(
            "Beatriz Nogueira",
            text(Phone::AndroidBrazilian),
            Portuguese,
            REAIS,
            &[('C', BEATRIZ), ('R', MARIA)],
            36,
        ),
        DEPARTURE,
    ),
    until(
        direct(
            "Teresa Moura",
            zip(Phone::IosPortuguese),
            Portuguese,
            EUROS,
            &[('C', TERESA), ('R', MARIA)],
            20,
        ),
        DEPARTURE,
    ),
    direct(
        "Katrin Vogel",
        zip(Phone::AndroidGerman),
        German,
        EUROS,
        &[('C', KATRIN), ('R', KARIM)],
        36,
    ),
    direct(
        "Stefan Huber",
        text(Phone::IosGerman),
        German,
        EUROS,
        &[('C', STEFAN), ('R', KARIM)],
        26,
    ),
    direct(
        "Nour Haddad",
        text(Phone::AndroidEmirates),
        Arabic,
        DIRHAMS,
        &[('C', NOUR), ('R', KARIM)],
        28,
    ),
    direct(
        "Yael Barak",
        text(Phone::AndroidIsraeli),
        Hebrew,
        SHEKELS,
        &[('C', YAEL), ('R', AIKO)],
        28,
    ),
    direct(
        "佐藤 健",
        text(Phone::AndroidJapanese),
        Japanese,
        YEN,
        &[('C', KEN), ('R', AIKO)],
        28,
    ),
    from(
        direct(
            "Lucía Herrera (Karim)",
            text(Phone::IosGerman),
            Spanish,
            EUROS,
            &[('C', LUCIA), ('R', KARIM)],
            12,
        ),
        DEPARTURE,
    ),
    from(
        direct(
            "Diego Fuentes (Karim)",
            text(Phone::IosGerman),
            Spanish,
            PESOS,
            &[('C', DIEGO), ('R', KARIM)],
            10,
        ),
        DEPARTURE,
    ),
    from(
        direct(
            "Beatriz Nogueira (Aiko)",
            text(Phone::IosBritish),
            Portuguese,
            REAIS,
            &[('C', BEATRIZ), ('R', AIKO)],
            14,
        ),
        DEPARTURE,
    ),
    from(
        direct(
            "Teresa Moura (Aiko)",
            text(Phone::IosBritish),
            Portuguese,
            EUROS,
            &[('C', TERESA), ('R', AIKO)],
            8,
        ),
        DEPARTURE,
    ),
    group(direct(
        "Harbour Roasters x Calder",
        text(Phone::IosBritish),
        English,
        POUNDS,
        &[('C', ROWAN), ('C', TESS), ('R', AIKO), ('R', TOMASZ)],
        30,
    )),
    group(direct(
        "Alpenhof Eröffnung",
        text(Phone::AndroidGerman),
        German,
        EUROS,
        &[('C', STEFAN), ('C', MIRIAM), ('R', KARIM)],
        20,
    )),
    group(direct(
        "Bluebird rollout 🐦",
        text(Phone::AndroidAmerican),
        American,
        DOLLARS,
        &[('C', DANA), ('C', MARCUS), ('R', AIKO)],
        24,
    )),
    inside("Sales team", text(Phone::AndroidBritish), talk::SALES, 44),
    inside(
        "Warehouse & Sales",
        text(Phone::AndroidBritish),
        talk::LOGISTICS,
        40,
    ),
    group(direct(
        "Lagos shipments",
        text(Phone::AndroidLagos),
        English,
        NAIRA,
        &[('C', AMARA), ('C', CHIDI), ('R', KARIM), ('R', TOMASZ)],
        16,
    )),
    until(
        group(direct(
            "Alameda obras",
            text(Phone::AndroidSpanish),
            Spanish,
            EUROS,
            &[('C', LUCIA), ('C', PABLO), ('R', MARIA)],
            16,
        )),
        DEPARTURE,
    ),
    Conversation {
        scenes: talk::COUNSEL,
        ..direct(
            "Helen Marsh",
            text(Phone::IosBritish),
            English,
            POUNDS,
            &[('B', RUTH), ('L', HELEN)],
            10,
        )
    },
    until(
        direct(
            "Lucía Herrera",
            TELEGRAM,
            Spanish,
            EUROS,
            &[('C', LUCIA), ('R', MARIA)],
            14,
        ),
        DEPARTURE,
    ),
    inside("Fair Milan", TELEGRAM, talk::LEADS, 18),
    until(
        direct(
            "Diego Fuentes",
            TELEGRAM,
            Spanish,
            PESOS,
            &[('C', DIEGO), ('R', MARIA)],
            12,
        ),
        DEPARTURE,
    ),
    direct(
        "Nour Haddad",
        TELEGRAM,
        Arabic,
        DIRHAMS,
        &[('C', NOUR), ('R', KARIM)],
        14,
    ),
    direct(
        "Stefan Huber",
        TELEGRAM,
        German,
        EUROS,
        &[('C', STEFAN), ('R', KARIM)],
        14,
    ),
    direct(
        "Amara Okafor",
        TELEGRAM,
        English,
        NAIRA,
        &[('C', AMARA), ('R', KARIM)],
        14,
    ),
    inside("sales", SLACK, talk::SALES, 60),
    inside("warehouse", SLACK, talk::LOGISTICS, 50),
    inside("leads", SLACK, talk::LEADS, 46),
    inside("random", SLACK, talk::SOCIAL, 40),
    inside("approvals", SLACK, talk::SALES, 20),
    group(direct(
        "ext-bluebird",
        SLACK,
        American,
        DOLLARS,
        &[('C', DANA), ('C', MARCUS), ('R', AIKO), ('R', RUTH)],
        24,
    )),
    direct(
        "佐藤 健",
        LINE,
        Japanese,
        YEN,
        &[('C', KEN), ('R', AIKO)],
        18,
    ),
    direct(
        "森 陽斗",
        LINE,
        Japanese,
        YEN,
        &[('C', HARUTO), ('R', AIKO)],
        16,
    ),
    group(direct(
        "港町喫茶グループ",
        LINE,
        Japanese,
        YEN,
        &[('C', KEN), ('C', HARUTO), ('R', AIKO)],
        16,
    )),
    group(direct(
        "横浜納品",
        LINE,
        Japanese,
        YEN,
        &[('C', HARUTO), ('C', KEN), ('R', AIKO)],
        12,
    )),
];

#[cfg(test)]
mod tests {
    use super::super::scene::TemplateLine;
    use super::*;

    #[test]
    fn every_role_of_the_talk_has_a_player_at_any_time() {
        for conversation in CONVERSATIONS {
            for at in [conversation.from, conversation.until.plus(-1)] {
                let lines = conversation.scenes.iter().flat_map(|scene| scene.iter());
                for line in lines.filter_map(|line| TemplateLine::cut(line)) {
                    let played = conversation
                        .roles
                        .iter()
                        .any(|(role, person)| *role == line.role && person.is_there(at));
                    assert!(played, "{}: {}", conversation.title, line.role);
                }
            }
        }
    }

    #[test]
    fn titles_are_unique_on_each_platform() {
        let keys: Vec<String> = CONVERSATIONS
            .iter()
            .map(|conversation| match conversation.place {
                Place::WhatsApp(..) => conversation.title.to_owned(),
                Place::Records(app) => format!("{}/{}", app.name(), conversation.title),
            })
            .collect();
        let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), CONVERSATIONS.len());
    }

    #[test]
    fn a_name_is_called_in_the_script_of_the_talk() {
        assert_eq!(AIKO.call(Language::Hebrew), "אייקו");
        assert_eq!(AIKO.call(Language::Japanese), "レヴィ");
        assert_eq!(KARIM.call(Language::German), "Karim");
        assert_eq!(KEN.call(Language::Japanese), "佐藤");
    }
}
