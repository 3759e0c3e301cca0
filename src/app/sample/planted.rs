//! What the tour finds: six promises, the privileged advice, an edit, a deletion, a forward, a
//! voice note and a quote, each in its conversation at its date, whatever the seed.

use super::calendar::{Local, MINUTE_SECONDS};
use super::cast::{self, Conversation, Person, Place};
use super::scene::Carries;
use super::story::{Line, Notice, What};
use crate::domain::App;

/// Minutes between two planted lines.
const PAUSE_MINUTES: i64 = 3;

/// A question of the tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// What somebody wants to know.
    pub what: &'static str,
    /// The query that answers it.
    pub query: &'static str,
    /// Words of the message that answers it, as written.
    pub evidence: &'static str,
}

/// The tour. Every evidence stands in a planted line.
pub const TOUR: [Question; 9] = [
    Question {
        what: "which discount did we promise Harbour Roasters, and until when?",
        query: "promise* w/10 discount",
        evidence: "I promise you a 15% discount on every order above £20,000",
    },
    Question {
        what: "which delivery date is binding for Vogel Gastro?",
        query: "\"verbindlich bis zum\"",
        evidence: "verbindlich bis zum 14. März 2025",
    },
    Question {
        what: "whom did we promise money back?",
        query: "refund pre/10 friday",
        evidence: "We will refund the $1,840 for the broken grinder by Friday",
    },
    Question {
        what: "did anybody promise exclusivity?",
        query: "exclusividade OR exclusivity OR exclusividad",
        evidence: "exclusividade para vocês em São Paulo",
    },
    Question {
        what: "which price did we freeze in Japan?",
        query: "据え置く",
        evidence: "価格は2026年3月末まで据え置くことをお約束します",
    },
    Question {
        what: "which term of payment did we promise in Dubai?",
        query: "\"60 يوما\"",
        evidence: "أعدك بأن تبقى مدة الدفع 60 يوما",
    },
    Question {
        what: "what must not be produced, because it is advice of counsel?",
        query: "privileged w/3 confidential",
        evidence: "privileged and confidential",
    },
    Question {
        what: "who forwarded the notice about the container held in Lagos?",
        query: "container w/5 held",
        evidence: "Container MSKU 482113 is held in Lagos",
    },
    Question {
        what: "which pallet count was corrected?",
        query: "\"pallet count\"",
        evidence: "The pallet count is 14, not 12",
    },
];

/// A planted line: who, what sort, which words.
type Planted = (Person, Sort, &'static str);

#[derive(Clone, Copy)]
enum Sort {
    Says,
    Edits,
    Deletes,
    Sends(Carries),
    Forwards(Person),
    SetsTimer,
}

struct PlantedScene {
    app: App,
    title: &'static str,
    start: Local,
    lines: &'static [Planted],
}

use Sort::{Deletes, Edits, Forwards, Says, Sends, SetsTimer};

const SCENES: &[PlantedScene] = &[
    PlantedScene {
        app: App::WhatsApp,
        title: "Rowan Fields",
        start: Local::at(2025, 10, 14, 11, 20),
        lines: &[
            (
                cast::ROWAN,
                Says,
                "Aiko, before I sign: is the discount only for this order?",
            ),
            (
                cast::AIKO,
                Says,
                "No. I promise you a 15% discount on every order above £20,000 until 31 March 2026.",
            ),
            (cast::ROWAN, Says, "Can I have that in the quote as well?"),
            (cast::AIKO, Sends(Carries::Pdf), ""),
            (cast::AIKO, Says, "It is on page 2 of the quote."),
            (cast::AIKO, Sends(Carries::Voice), ""),
            (cast::ROWAN, Says, "Perfect. Signed and sent ✍️"),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Katrin Vogel",
        start: Local::at(2025, 2, 20, 9, 40),
        lines: &[
            (
                cast::KATRIN,
                Says,
                "Karim, die Eröffnung ist am 15. März. Ich brauche einen festen Termin, kein „voraussichtlich“.",
            ),
            (
                cast::KARIM,
                Says,
                "Wir liefern die beiden Corva 3 verbindlich bis zum 14. März 2025, sonst tragen wir die Miete der Leihgeräte.",
            ),
            (cast::KATRIN, Says, "Gut. Darauf verlasse ich mich."),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Dana Whitlock",
        start: Local::at(2025, 6, 3, 15, 5),
        lines: &[
            (
                cast::DANA,
                Says,
                "The grinder died again. I want my money back, not another repair.",
            ),
            (
                cast::AIKO,
                Says,
                "Understood. We will refund the $1,840 for the broken grinder by Friday, you have my word.",
            ),
            (cast::DANA, Says, "Thank you. Same card please."),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Beatriz Nogueira",
        start: Local::at(2025, 9, 9, 16, 10),
        lines: &[
            (
                cast::BEATRIZ,
                Says,
                "Maria, antes de comprar as dez máquinas preciso saber: vocês vão vender para a concorrência aqui?",
            ),
            (
                cast::MARIA,
                Says,
                "Fechado: exclusividade para vocês em São Paulo até dezembro de 2026, não vendemos para nenhum outro distribuidor na cidade.",
            ),
            (cast::BEATRIZ, Says, "Então pode mandar as dez 🎉"),
        ],
    },
    PlantedScene {
        app: App::Line,
        title: "佐藤 健",
        start: Local::at(2025, 4, 15, 6, 30),
        lines: &[
            (
                cast::KEN,
                Says,
                "来期の価格改定が心配です。当店も対象になりますか？",
            ),
            (
                cast::AIKO,
                Says,
                "ご安心ください。価格は2026年3月末まで据え置くことをお約束します。",
            ),
            (
                cast::KEN,
                Says,
                "ありがとうございます。それなら追加で三台お願いします。",
            ),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Nour Haddad",
        start: Local::at(2025, 12, 2, 13, 0),
        lines: &[
            (
                cast::NOUR,
                Says,
                "كريم، هل ستبقى شروط الدفع كما هي في العام القادم؟",
            ),
            (
                cast::KARIM,
                Says,
                "نعم، أعدك بأن تبقى مدة الدفع 60 يوما طوال عام 2026.",
            ),
            (cast::NOUR, Says, "ممتاز، سأخبر الإدارة 🙏"),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Helen Marsh",
        start: Local::at(2026, 2, 17, 18, 15),
        lines: &[
            (
                cast::RUTH,
                Says,
                "Helen, this is privileged and confidential: Maria leaves in two weeks and may have promised exclusivity in Brazil by chat. Are we bound?",
            ),
            (
                cast::HELEN,
                Says,
                "Privileged: on these facts, yes, probably until the date she named. Do not delete anything, and have the seat handed over before her last day.",
            ),
            (cast::RUTH, Says, "Understood. Nobody touches her chats."),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Warehouse & Sales",
        start: Local::at(2025, 7, 8, 10, 12),
        lines: &[
            (cast::KARIM, Says, "How many pallets came in for Innsbruck?"),
            (cast::TOMASZ, Edits, "The pallet count is 14, not 12."),
            (cast::KARIM, Says, "Thanks, correcting the customs form."),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Harbour Roasters x Calder",
        start: Local::at(2025, 5, 22, 14, 40),
        lines: &[
            (
                cast::TESS,
                Says,
                "This is what he wrote me back then:\n12/03/2025, 10:15 - Rowan Fields: we take both machines\n12/03/2025, 10:16 - Aiko Levi: noted",
            ),
            (cast::ROWAN, Deletes, ""),
            (cast::AIKO, Says, "I saw that, Rowan 😄 No harm done."),
        ],
    },
    PlantedScene {
        app: App::Telegram,
        title: "Amara Okafor",
        start: Local::at(2025, 11, 19, 8, 25),
        lines: &[
            (
                cast::KARIM,
                Forwards(cast::TOMASZ),
                "Container MSKU 482113 is held in Lagos until the import duty is paid.",
            ),
            (
                cast::AMARA,
                Says,
                "Duty was paid on Monday, sending you the receipt.",
            ),
            (cast::AMARA, Sends(Carries::Pdf), ""),
        ],
    },
    PlantedScene {
        app: App::WhatsApp,
        title: "Diego Fuentes",
        start: Local::at(2025, 8, 26, 12, 30),
        lines: &[
            (cast::DIEGO, SetsTimer, ""),
            (
                cast::MARIA,
                Says,
                "Diego, por favor desactívalo, la empresa tiene que conservar los mensajes.",
            ),
            (cast::DIEGO, Says, "Ah, perdón, fue sin querer 🙈"),
        ],
    },
];

/// The planted scenes of a conversation.
pub fn scenes(conversation: &Conversation) -> Vec<Vec<Line>> {
    let app = match conversation.place {
        Place::WhatsApp(..) => App::WhatsApp,
        Place::Records(app) => app,
    };
    let here = |scene: &&PlantedScene| scene.app == app && scene.title == conversation.title;
    SCENES.iter().filter(here).map(lines).collect()
}

fn lines(scene: &PlantedScene) -> Vec<Line> {
    let numbered = scene.lines.iter().enumerate();
    numbered
        .map(|(number, (who, sort, words))| Line {
            at: scene
                .start
                .plus(number as i64 * PAUSE_MINUTES * MINUTE_SECONDS),
            who: *who,
            what: match sort {
                Says => What::Text((*words).to_owned()),
                Edits => What::Edited((*words).to_owned()),
                Deletes => What::Deleted,
                Sends(file) => What::File(*file),
                Forwards(from) => What::Forwarded(*from, (*words).to_owned()),
                SetsTimer => What::Notice(Notice::Disappearing(*who)),
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::cast::CONVERSATIONS;
    use super::*;

    #[test]
    fn every_planted_scene_has_its_conversation_and_its_people() {
        let told: usize = CONVERSATIONS.iter().map(|talk| scenes(talk).len()).sum();
        assert_eq!(told, SCENES.len());
        for conversation in &CONVERSATIONS {
            for line in scenes(conversation).into_iter().flatten() {
                let knows = |(_, person): &(char, Person)| *person == line.who;
                assert!(conversation.roles.iter().any(knows), "{line:?}");
                assert!(line.at >= conversation.from && line.at < conversation.until);
            }
        }
    }

    #[test]
    fn every_evidence_of_the_tour_is_planted() {
        for question in TOUR {
            let planted = SCENES
                .iter()
                .flat_map(|scene| scene.lines)
                .any(|(_, _, words)| words.contains(question.evidence));
            assert!(planted, "{}", question.evidence);
        }
    }
}
