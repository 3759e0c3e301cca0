//! Exports of the platforms besides WhatsApp: one JSONL file per platform with the mapping file
//! that tells an import which key is which part of a message.

use serde_json::{Map, Value, json};

use super::calendar::Local;
use super::cast::Conversation;
use super::media;
use super::scene::Carries;
use super::story::{Line, What};
use crate::domain::App;

/// The file and its mapping.
pub struct Export {
    /// One record a line, in order of time.
    pub text: String,
    /// The mapping as JSON.
    pub mapping: String,
}

/// A conversation with its lines.
pub type Told = (&'static Conversation, Vec<Line>);

/// Writes the conversations of one platform. Times are in UTC.
pub fn export(app: App, told: &[Told]) -> Export {
    let mut records: Vec<(Local, usize, usize)> = Vec::new();
    for (place, (_, lines)) in told.iter().enumerate() {
        records.extend(
            lines
                .iter()
                .enumerate()
                .map(|(number, line)| (line.at, place, number)),
        );
    }
    records.sort_unstable();
    let mut text = String::new();
    for (number, (_, place, line)) in records.iter().enumerate() {
        let (conversation, lines) = &told[*place];
        let parts = Parts {
            id: number as u64 + 1,
            chat: *place as u64 + 1,
            conversation,
            line: &lines[*line],
        };
        text.push_str(&parts.record(app).to_string());
        text.push('\n');
    }
    Export {
        text,
        mapping: mapping(app).to_string(),
    }
}

/// What one record is made of.
struct Parts<'a> {
    id: u64,
    chat: u64,
    conversation: &'a Conversation,
    line: &'a Line,
}

impl Parts<'_> {
    fn record(&self, app: App) -> Value {
        let mut record = Map::new();
        let mut put = |key: &str, value: Value| record.insert(key.to_owned(), value);
        let title = self.conversation.title;
        let author = self.line.who.name;
        match app {
            App::Telegram => {
                put("id", json!(self.id));
                put(
                    "chat_id",
                    json!(format!("-100{:07}", 4_170_000 + self.chat)),
                );
                put("chat", json!(title));
                put("date", json!(rfc3339(self.line.at)));
                put("from", json!(author));
            }
            App::Slack => {
                put(
                    "channel_id",
                    json!(format!("C0{:07}", 8_130_000 + self.chat)),
                );
                put("channel", json!(title));
                // Slack's `ts` is the time and the id at once.
                let micros = self.id % 1_000_000;
                put("ts", json!(format!("{}.{micros:06}", self.line.at.0)));
                put("user", json!(author));
            }
            _ => {
                put("room", json!(title));
                put("time", json!(rfc3339(self.line.at)));
                put("name", json!(author));
            }
        }
        put("text", json!(self.words()));
        if let What::Forwarded(from, _) = &self.line.what {
            put("forwarded_from", json!(from.name));
        }
        if let What::File(carries) = self.line.what {
            put("file", json!(self.file_name(carries)));
        }
        Value::Object(record)
    }

    fn words(&self) -> &str {
        match &self.line.what {
            What::Text(text) | What::Edited(text) | What::Forwarded(_, text) => text,
            What::File(_) | What::Deleted | What::Notice(_) => "",
        }
    }

    fn file_name(&self, carries: Carries) -> String {
        match carries {
            Carries::Pdf => media::document_name(self.conversation.language, self.line.at, self.id),
            Carries::Photo => format!("photo_{}.jpg", self.id),
            Carries::Voice | Carries::Nothing => format!("voice_{}.ogg", self.id),
        }
    }
}

/// The mapping file of a platform, in the form of `schema/json/import-mapping.json`.
fn mapping(app: App) -> Value {
    let platform = json!({ "constant": app.name() });
    match app {
        App::Telegram => json!({
            "app": platform, "conversation": "chat_id", "title": "chat", "sender": "from",
            "ts": "date", "ts_format": "rfc3339", "body": "text", "id": "id",
            "id_scope": "chat", "attachment_path": "file", "extra": ["forwarded_from"],
        }),
        App::Slack => json!({
            "app": platform, "conversation": "channel_id", "title": "channel", "sender": "user",
            "ts": "ts", "ts_format": "unix", "body": "text", "id": "ts", "id_scope": "chat",
            "attachment_path": "file",
        }),
        _ => json!({
            "app": platform, "conversation": "room", "sender": "name", "ts": "time",
            "ts_format": "rfc3339", "body": "text", "attachment_path": "file",
        }),
    }
}

fn rfc3339(at: Local) -> String {
    let (year, month, day) = at.date();
    let (hour, minute, second) = at.clock();
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
