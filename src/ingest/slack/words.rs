//! The words of a record and whom they name.
//!
//! Slack writes `&`, `<` and `>` of the words as entities and nothing else so; that is how the words are
//! packed and is undone. Its own marks, such as `<@U1>` or `<https://example.org|here>`, stay as written.

use std::borrow::Cow;

use serde_json::Value;

use super::people::Directory;
use super::record::Record;
use crate::ingest::credential::without_credentials;

/// The words.
pub(super) fn body(record: &Record) -> String {
    let plain = written(record)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    without_credentials(&plain).into_owned()
}

/// The words as they are packed: the text; where there is none, that of the blocks, and then that of what
/// is attached.
fn written(record: &Record) -> Cow<'_, str> {
    if let Some(text) = record.text.as_deref().filter(|text| !text.is_empty()) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for block in record.blocks.iter().flatten() {
        line_break(&mut out);
        flatten(block, &mut out, 0);
    }
    if out.trim().is_empty() {
        out.clear();
        for attachment in record.attachments.iter().flatten() {
            line_break(&mut out);
            let member = |name: &str| attachment.get(name).and_then(Value::as_str);
            let said = ["text", "fallback", "title"].into_iter().filter_map(member);
            out += said.into_iter().find(|text| !text.is_empty()).unwrap_or("");
        }
    }
    Cow::Owned(out.trim_end_matches('\n').to_owned())
}

fn line_break(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}

/// Blocks lie at most this deep in each other.
const BLOCK_DEPTH_MAX: usize = 32;

/// The words of a block, in the marks that Slack writes in texts.
fn flatten(block: &Value, out: &mut String, depth: usize) {
    if depth > BLOCK_DEPTH_MAX {
        return;
    }
    let member = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
    match member("type") {
        "text" | "plain_text" | "mrkdwn" => *out += member("text"),
        "link" => match member("text") {
            "" => *out += &format!("<{}>", member("url")),
            text => *out += &format!("<{}|{text}>", member("url")),
        },
        "user" => *out += &format!("<@{}>", member("user_id")),
        "channel" => *out += &format!("<#{}>", member("channel_id")),
        "usergroup" => *out += &format!("<!subteam^{}>", member("usergroup_id")),
        "broadcast" => *out += &format!("<!{}>", member("range")),
        "emoji" => *out += &format!(":{}:", member("name")),
        "date" => *out += member("fallback"),
        "image" => *out += member("alt_text"),
        kind => {
            if let Some(text) = block.get("text").filter(|text| text.is_object()) {
                flatten(text, out, depth + 1);
            }
            let lists = ["elements", "fields"].map(|name| block.get(name));
            for part in lists
                .into_iter()
                .flatten()
                .filter_map(Value::as_array)
                .flatten()
            {
                let own_line = kind != "rich_text_section" && kind != "rich_text_preformatted";
                if own_line && kind != "rich_text_quote" {
                    line_break(out);
                }
                flatten(part, out, depth + 1);
            }
        }
    }
}

/// At most so many people are named by one message.
const MENTIONS_MAX: usize = 1_000;

/// Somebody the words name.
pub(super) struct Named {
    pub label: String,
    pub id: String,
}

/// Whom the words name: `<@U1>` or `<@U1|name>`, by the names the lists give.
pub(super) fn mentions(record: &Record, directory: &Directory) -> Vec<Named> {
    let text = written(record);
    let mut named: Vec<Named> = Vec::new();
    for mark in text.split("<@").skip(1) {
        let Some((mark, _)) = mark.split_once('>') else {
            continue;
        };
        let (id, label) = mark.split_once('|').unwrap_or((mark, ""));
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if named.len() >= MENTIONS_MAX {
            break;
        }
        if id.is_empty() || !plain || named.iter().any(|one| one.id == id) {
            continue;
        }
        let label = match (directory.name(id), label) {
            (Some(name), _) => name,
            (None, "") => id,
            (None, label) => label,
        };
        named.push(Named {
            label: label.to_owned(),
            id: id.to_owned(),
        });
    }
    named
}
