//! WhatsApp exports as phones write them: header shapes, notices and media marks per phone.
//! The shapes are those of the Unicode CLDR short dates, as `ingest` documents them.

use super::calendar::Local;
use super::cast::{Conversation, Media};
use super::language::Language;
use super::media;
use super::scene::Carries;
use super::story::{Line, Notice, What};
use super::world::Entry;

/// U+200E, which iOS puts before everything it generates.
const MARK: char = '\u{200E}';
/// U+202F, between the time and its half of the day.
const THIN: char = '\u{202F}';

/// A phone that exports: its system and its region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phone {
    AndroidBritish,
    AndroidLagos,
    AndroidAmerican,
    AndroidGerman,
    AndroidSpanish,
    AndroidMexican,
    AndroidBrazilian,
    AndroidEmirates,
    AndroidIsraeli,
    AndroidJapanese,
    IosBritish,
    IosAmerican,
    IosGerman,
    IosPortuguese,
}

impl Phone {
    /// Whether it is an iPhone.
    pub const fn is_ios(self) -> bool {
        use Phone::{IosAmerican, IosBritish, IosGerman, IosPortuguese};
        matches!(self, IosBritish | IosAmerican | IosGerman | IosPortuguese)
    }

    /// The IANA zone its clock follows.
    pub const fn zone(self) -> &'static str {
        match self {
            Phone::AndroidBritish | Phone::IosBritish => "Europe/London",
            Phone::AndroidLagos => "Africa/Lagos",
            Phone::AndroidAmerican | Phone::IosAmerican => "America/Chicago",
            Phone::AndroidGerman | Phone::IosGerman => "Europe/Vienna",
            Phone::AndroidSpanish => "Europe/Madrid",
            Phone::AndroidMexican => "America/Mexico_City",
            Phone::AndroidBrazilian => "America/Sao_Paulo",
            Phone::AndroidEmirates => "Asia/Dubai",
            Phone::AndroidIsraeli => "Asia/Jerusalem",
            Phone::AndroidJapanese => "Asia/Tokyo",
            Phone::IosPortuguese => "Europe/Lisbon",
        }
    }

    /// The order of its dates, as the answer to an import that asks: `dmy`, `mdy`, `ymd`.
    pub const fn date_order(self) -> &'static str {
        match self {
            Phone::AndroidAmerican | Phone::IosAmerican => "mdy",
            Phone::AndroidJapanese => "ymd",
            _ => "dmy",
        }
    }

    /// The language of its menus.
    const fn menus(self) -> Language {
        match self {
            Phone::AndroidGerman | Phone::IosGerman => Language::German,
            Phone::AndroidSpanish | Phone::AndroidMexican => Language::Spanish,
            Phone::AndroidBrazilian | Phone::IosPortuguese => Language::Portuguese,
            Phone::AndroidEmirates => Language::Arabic,
            Phone::AndroidIsraeli => Language::Hebrew,
            Phone::AndroidJapanese => Language::Japanese,
            _ => Language::English,
        }
    }

    /// The head of a message up to the author.
    pub fn head(self, at: Local) -> String {
        let (y, m, d) = at.date();
        let yy = y % 100;
        let (h, min, s) = at.clock();
        let (h12, pm) = (if h % 12 == 0 { 12 } else { h % 12 }, h >= 12);
        match self {
            Phone::AndroidBritish | Phone::AndroidLagos => {
                format!("{d:02}/{m:02}/{y}, {h:02}:{min:02} - ")
            }
            Phone::AndroidAmerican => {
                let half = if pm { "PM" } else { "AM" };
                format!("{m}/{d}/{yy:02}, {h12}:{min:02}{THIN}{half} - ")
            }
            Phone::AndroidGerman => format!("{d:02}.{m:02}.{yy:02}, {h:02}:{min:02} - "),
            Phone::AndroidSpanish => format!("{d}/{m}/{yy:02}, {h}:{min:02} - "),
            Phone::AndroidMexican => {
                let half = if pm { "p.\u{A0}m." } else { "a.\u{A0}m." };
                format!("{d:02}/{m:02}/{yy:02}, {h12}:{min:02}{THIN}{half} - ")
            }
            Phone::AndroidBrazilian => format!("{d:02}/{m:02}/{y} {h:02}:{min:02} - "),
            Phone::AndroidEmirates => {
                let half = if pm { "م" } else { "ص" };
                format!("{d}\u{200F}/{m}\u{200F}/{y}، {h12}:{min:02} {half} - ")
            }
            Phone::AndroidIsraeli => format!("{d}.{m}.{y}, {h}:{min:02} - "),
            Phone::AndroidJapanese => format!("{y}/{m:02}/{d:02} {h}:{min:02} - "),
            Phone::IosBritish => format!("[{d:02}/{m:02}/{y}, {h:02}:{min:02}:{s:02}] "),
            Phone::IosAmerican => {
                let half = if pm { "PM" } else { "AM" };
                format!("[{m}/{d}/{yy:02}, {h12}:{min:02}:{s:02}{THIN}{half}] ")
            }
            Phone::IosGerman => format!("[{d:02}.{m:02}.{yy:02}, {h:02}:{min:02}:{s:02}] "),
            Phone::IosPortuguese => format!("[{d:02}/{m:02}/{yy:02}, {h:02}:{min:02}:{s:02}] "),
        }
    }

    /// The name of the exported file, without its ending.
    pub fn export_name(self, title: &str) -> String {
        if self.is_ios() {
            return format!("WhatsApp Chat - {title}");
        }
        match self.menus() {
            Language::German => format!("WhatsApp Chat mit {title}"),
            Language::Spanish => format!("Chat de WhatsApp con {title}"),
            Language::Portuguese => format!("Conversa do WhatsApp com {title}"),
            Language::Arabic => format!("محادثة WhatsApp مع {title}"),
            Language::Hebrew => format!("צ'אט WhatsApp עם {title}"),
            Language::Japanese => format!("WhatsApp Chat - {title}とのトーク"),
            Language::English | Language::American => format!("WhatsApp Chat with {title}"),
        }
    }
}

/// An exported chat: its text and the media beside it.
pub struct Export {
    /// The chat, UTF-8 with LF.
    pub text: String,
    /// The media of an export that includes them.
    pub media: Vec<Entry>,
}

/// Writes a conversation as the phone exports it.
pub fn export(conversation: &Conversation, phone: Phone, media: Media, lines: &[Line]) -> Export {
    let mut writer = Writer {
        conversation,
        phone,
        included: media == Media::Included,
        number: 0,
        export: Export {
            text: String::new(),
            media: Vec::new(),
        },
    };
    for line in lines {
        writer.line(line);
    }
    writer.export
}

struct Writer<'a> {
    conversation: &'a Conversation,
    phone: Phone,
    included: bool,
    number: u64,
    export: Export,
}

impl Writer<'_> {
    fn line(&mut self, line: &Line) {
        self.number += 1;
        let head = self.phone.head(line.at);
        let author = line.who.name;
        let mark = if self.phone.is_ios() {
            MARK.to_string()
        } else {
            String::new()
        };
        let written = match &line.what {
            What::Text(text) => format!("{head}{author}: {text}"),
            What::Forwarded(_, text) => format!("{head}{author}: {text}"),
            What::Edited(text) => {
                format!("{head}{author}: {text} {mark}<This message was edited>")
            }
            What::Deleted => {
                let stop = if self.phone.is_ios() { "." } else { "" };
                format!("{mark}{head}{author}: {mark}This message was deleted{stop}")
            }
            What::File(carries) => {
                let body = self.file(*carries, line.at);
                format!("{mark}{head}{author}: {mark}{body}")
            }
            What::Notice(notice) => {
                let text = notice_text(notice, self.conversation.title, self.phone.menus());
                if self.phone.is_ios() {
                    format!("{head}{}: {MARK}{text}", self.notice_author())
                } else {
                    format!("{head}{text}")
                }
            }
        };
        self.export.text.push_str(&written);
        self.export.text.push('\n');
    }

    /// iOS puts notices under the name of the chat: its subject, or the other person.
    fn notice_author(&self) -> &'static str {
        let title = self.conversation.title;
        let people = self.conversation.roles.iter();
        let other = people.map(|(_, person)| person.name);
        let mut other = other.filter(|name| title.starts_with(name));
        other.next().unwrap_or(title)
    }

    /// The words that stand for a file; the file itself joins the media when they are included.
    fn file(&mut self, carries: Carries, at: Local) -> String {
        if !self.included {
            return omitted(self.phone, carries);
        }
        let name = self.file_name(carries, at);
        let bytes = media::bytes(carries, &name);
        let body = attached(self.phone, &name);
        self.export.media.push(Entry { name, bytes });
        body
    }

    fn file_name(&self, carries: Carries, at: Local) -> String {
        let (y, m, d) = at.date();
        let (h, min, s) = at.clock();
        let number = self.number;
        let document = media::document_name(self.conversation.language, at, number);
        if !self.phone.is_ios() {
            let kind = match carries {
                Carries::Pdf => return document,
                Carries::Photo => ("IMG", "jpg"),
                _ => ("PTT", "opus"),
            };
            return format!("{}-{y}{m:02}{d:02}-WA{number:04}.{}", kind.0, kind.1);
        }
        let stamp = format!("{y}-{m:02}-{d:02}-{h:02}-{min:02}-{s:02}");
        match carries {
            Carries::Pdf => format!("{number:08}-{document}"),
            Carries::Photo => format!("{number:08}-PHOTO-{stamp}.jpg"),
            _ => format!("{number:08}-AUDIO-{stamp}.opus"),
        }
    }
}

/// What stands in the chat for a file that was left out.
fn omitted(phone: Phone, carries: Carries) -> String {
    if !phone.is_ios() {
        return match phone.menus() {
            Language::German => "<Medien ausgeschlossen>",
            Language::Spanish => "<Multimedia omitido>",
            Language::Portuguese => "<Mídia oculta>",
            _ => "<Media omitted>",
        }
        .to_owned();
    }
    let is_german = phone.menus() == Language::German;
    match (carries, is_german) {
        (Carries::Pdf, true) => "Dokument weggelassen",
        (Carries::Pdf, false) => "document omitted",
        (Carries::Photo, true) => "Bild weggelassen",
        (Carries::Photo, false) => "image omitted",
        (_, true) => "Audio weggelassen",
        (_, false) => "audio omitted",
    }
    .to_owned()
}

/// What stands in the chat for a file that came along.
fn attached(phone: Phone, name: &str) -> String {
    match (phone.is_ios(), phone.menus()) {
        (true, Language::German) => format!("<Anhang: {name}>"),
        (true, Language::Portuguese) => format!("<anexado: {name}>"),
        (true, _) => format!("<attached: {name}>"),
        (false, Language::German) => format!("{name} (Datei angehängt)"),
        (false, Language::Spanish) => format!("{name} (archivo adjunto)"),
        (false, Language::Portuguese) => format!("{name} (arquivo anexado)"),
        (false, Language::Japanese) => format!("{name} (ファイル添付)"),
        (false, _) => format!("{name} (file attached)"),
    }
}

fn notice_text(notice: &Notice, title: &str, menus: Language) -> String {
    match notice {
        Notice::Encrypted => encrypted(menus).to_owned(),
        Notice::Created(who) => match menus {
            Language::German => format!("{} hat die Gruppe „{title}“ erstellt.", who.name),
            Language::Spanish => format!("{} creó el grupo \"{title}\"", who.name),
            _ => format!("{} created group \"{title}\"", who.name),
        },
        Notice::Added(who, whom) => match menus {
            Language::German => format!("{} hat {} hinzugefügt.", who.name, whom.name),
            Language::Spanish => format!("{} añadió a {}", who.name, whom.name),
            _ => format!("{} added {}", who.name, whom.name),
        },
        Notice::Left(who) => match menus {
            Language::German => format!("{} hat die Gruppe verlassen.", who.name),
            Language::Spanish => format!("{} salió del grupo", who.name),
            _ => format!("{} left", who.name),
        },
        Notice::Disappearing(who) => match menus {
            Language::Spanish => format!(
                "{} activó los mensajes temporales. Los mensajes nuevos desaparecerán de este chat 90 días después de enviarse, excepto si se conservan. Toca para cambiarlo.",
                who.name
            ),
            _ => format!(
                "{} turned on disappearing messages. New messages will disappear from this chat 90 days after they're sent, except when kept. Tap to change.",
                who.name
            ),
        },
    }
}

const fn encrypted(menus: Language) -> &'static str {
    match menus {
        Language::German => {
            "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Niemand außerhalb dieses Chats kann sie lesen oder anhören, nicht einmal WhatsApp. Tippe, um mehr zu erfahren."
        }
        Language::Spanish => {
            "Los mensajes y las llamadas están cifrados de extremo a extremo. Nadie fuera de este chat, ni siquiera WhatsApp, puede leerlos ni escucharlos. Toca para obtener más información."
        }
        Language::Portuguese => {
            "As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta. Ninguém fora desta conversa, nem mesmo o WhatsApp, pode ler ou ouvi-las. Toque para saber mais."
        }
        Language::Arabic => {
            "الرسائل والمكالمات مشفرة تماما بين الطرفين. لا يمكن لأي شخص خارج هذه الدردشة، ولا حتى واتساب، قراءتها أو الاستماع إليها. انقر لمعرفة المزيد."
        }
        Language::Hebrew => {
            "ההודעות והשיחות מוצפנות מקצה לקצה. אף אחד מחוץ לצ'אט הזה, אפילו לא WhatsApp, לא יכול לקרוא או להאזין להן. יש להקיש כדי לקבל מידע נוסף."
        }
        Language::Japanese => {
            "メッセージと通話はエンドツーエンドで暗号化されています。このチャットの外にいる人は、WhatsAppも含めて、内容を読むことも聞くこともできません。詳しくはタップしてください。"
        }
        Language::English | Language::American => {
            "Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read or listen to them. Tap to learn more."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_those_of_the_regions() {
        let at = Local::at(2025, 3, 4, 15, 7).plus(9);
        let check = |phone: Phone, head: &str| assert_eq!(phone.head(at), head, "{phone:?}");
        check(Phone::AndroidBritish, "04/03/2025, 15:07 - ");
        check(Phone::AndroidAmerican, "3/4/25, 3:07\u{202F}PM - ");
        check(Phone::AndroidGerman, "04.03.25, 15:07 - ");
        check(Phone::AndroidSpanish, "4/3/25, 15:07 - ");
        check(Phone::AndroidMexican, "04/03/25, 3:07\u{202F}p.\u{A0}m. - ");
        check(Phone::AndroidBrazilian, "04/03/2025 15:07 - ");
        check(
            Phone::AndroidEmirates,
            "4\u{200F}/3\u{200F}/2025، 3:07 م - ",
        );
        check(Phone::AndroidIsraeli, "4.3.2025, 15:07 - ");
        check(Phone::AndroidJapanese, "2025/03/04 15:07 - ");
        check(Phone::IosBritish, "[04/03/2025, 15:07:09] ");
        check(Phone::IosAmerican, "[3/4/25, 3:07:09\u{202F}PM] ");
        check(Phone::IosGerman, "[04.03.25, 15:07:09] ");
        check(Phone::IosPortuguese, "[04/03/25, 15:07:09] ");
    }

    #[test]
    fn midnight_and_noon_are_twelve() {
        let midnight = Local::at(2025, 3, 4, 0, 5);
        assert_eq!(
            Phone::AndroidAmerican.head(midnight),
            "3/4/25, 12:05\u{202F}AM - "
        );
        let noon = Local::at(2025, 3, 4, 12, 5);
        assert_eq!(
            Phone::AndroidAmerican.head(noon),
            "3/4/25, 12:05\u{202F}PM - "
        );
    }
}
