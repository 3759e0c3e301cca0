//! `index.html`: the messages to be read and printed. No script, nothing from elsewhere, every word
//! of a message escaped and kept apart from the words around it, whatever its direction.

use std::io::{self, Write};

use chrono_tz::Tz;

use super::manifest::Manifest;
use super::record::{AttachmentOf, Record};
use super::table::in_zone;
use crate::crypto::{Digest, hex};

const STYLE: &str = include_str!("page.css");
/// Nothing runs and nothing is fetched, whatever slipped in.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Text for a page: what HTML would read as its own is written out, and control characters, which
/// HTML does not know, are shown as replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(letter),
            '\r' => {}
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

/// Writes the page message by message.
pub(super) struct Page<'a> {
    to: &'a mut dyn Write,
    zone: Tz,
    conversation: Option<String>,
    day: String,
}

impl<'a> Page<'a> {
    /// Begins the page with what was asked, by whom and why. Files and proof are not known yet.
    pub fn begin(to: &'a mut dyn Write, about: &Manifest, zone: Tz) -> io::Result<Page<'a>> {
        let id = escaped(&about.export);
        write!(
            to,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>Export {id}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>Exported messages</h1>\n<p class=\"id\">{id}</p>\n<dl>\n"
        )?;
        let counts = &about.counts;
        let context = match about.context {
            0 => String::new(),
            lines => format!(", {lines} on each side as context"),
        };
        let facts = [
            ("Query", about.query.typed.clone()),
            ("Read as", about.query.read_as.clone()),
            (
                "Found",
                format!(
                    "{} messages in {} conversations{context}; {} in this file",
                    counts.hits, counts.conversations, counts.messages
                ),
            ),
            ("Times in", zone.name().to_owned()),
            ("Reason", about.reason.clone()),
            ("Matter", about.matter.clone().unwrap_or_default()),
            (
                "Exported by",
                format!("{} ({})", about.actor.id, about.actor.role),
            ),
            ("Exported at", about.made.compliance.clone()),
            ("Seen by them", about.scope.statement.clone()),
            (
                "Complete",
                format!(
                    "through import batch {} of {}",
                    about.complete.through, about.complete.of
                ),
            ),
        ];
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            let value = escaped(value);
            writeln!(to, "<dt>{name}</dt><dd dir=\"auto\">{value}</dd>")?;
        }
        write!(
            to,
            "</dl>\n<p class=\"fine\">This page is for reading. What proves it is manifest.json beside \
             it: README.txt says how.</p>\n</header>\n<main>\n"
        )?;
        Ok(Page {
            to,
            zone,
            conversation: None,
            day: String::new(),
        })
    }

    /// Adds a message; those of one conversation come one after the other.
    pub fn message(&mut self, record: &Record, digest: &Digest) -> io::Result<()> {
        self.place(record)?;
        let class = if record.hit { "hit" } else { "context" };
        let id = escaped(&record.id);
        writeln!(self.to, "<article class=\"{class}\" id=\"{id}\">")?;
        self.head(record)?;
        if let Some(version) = record.latest() {
            if !version.body.is_empty() {
                let body = escaped(&version.body);
                writeln!(self.to, "<p class=\"body\" dir=\"auto\">{body}</p>")?;
            }
            self.attachments(record, &version.attachments)?;
            for reaction in &version.reactions {
                let line = escaped(&reaction.line());
                writeln!(self.to, "<p class=\"fine\" dir=\"auto\">{line}</p>")?;
            }
        }
        let earlier = record.versions.len().saturating_sub(1);
        for version in record.versions[..earlier].iter().rev() {
            let body = escaped(&version.body);
            writeln!(
                self.to,
                "<div class=\"earlier\"><p class=\"fine\">before, version {}:</p>\
                 <p class=\"body\" dir=\"auto\">{body}</p></div>",
                version.no + 1
            )?;
        }
        self.origin(record, digest)?;
        self.to.write_all(b"</article>\n")
    }

    /// Opens the section of its conversation and the heading of its day.
    fn place(&mut self, record: &Record) -> io::Result<()> {
        let conversation = &record.conversation;
        if self.conversation.as_ref() != Some(&conversation.id) {
            if self.conversation.is_some() {
                self.to.write_all(b"</section>\n")?;
            }
            let (title, id) = (escaped(&conversation.title), escaped(&conversation.id));
            let (app, kind) = (escaped(&record.app), escaped(&conversation.kind));
            write!(
                self.to,
                "<section>\n<h2 dir=\"auto\">{title}</h2>\n\
                 <p class=\"sub\">{app} &middot; {kind} &middot; <span class=\"id\">{id}</span></p>\n"
            )?;
            self.conversation = Some(conversation.id.clone());
            self.day.clear();
        }
        let day = in_zone(&record.sent.instant, self.zone, "%A %-d %B %Y");
        if day != self.day {
            writeln!(self.to, "<h3>{day}</h3>")?;
            self.day = day;
        }
        Ok(())
    }

    fn head(&mut self, record: &Record) -> io::Result<()> {
        let (class, name) = match &record.sender {
            Some(sender) if !sender.name.is_empty() => ("who", sender.name.as_str()),
            Some(sender) => ("who", sender.handle.as_deref().unwrap_or("(no name)")),
            None => ("sub", "(notice)"),
        };
        let time = in_zone(&record.sent.instant, self.zone, "%H:%M:%S %:z");
        write!(
            self.to,
            "<div class=\"head\"><bdi class=\"{class}\">{}</bdi> <time datetime=\"{}\">{time}</time>",
            escaped(name),
            escaped(&record.sent.instant)
        )?;
        let shown = [
            ("edited", "edited"),
            ("deleted", "deleted by its sender, kept here"),
            ("forwarded", "forwarded"),
            ("disappearing", "disappearing message"),
        ];
        for (fact, words) in shown.iter().filter(|(fact, _)| record.has(fact)) {
            write!(self.to, " <span class=\"note {fact}\">{words}</span>")?;
        }
        let doubts = [
            ("zone-assumed", "the source names no zone"),
            ("time-assumed", "the source gives no time"),
            ("time-ambiguous", "the clock showed this time twice"),
        ];
        for (doubt, words) in doubts {
            if record.sent.doubts.iter().any(|known| known == doubt) {
                write!(self.to, " <span class=\"note doubt\">{words}</span>")?;
            }
        }
        if !record.hit {
            self.to.write_all(b" <span class=\"note\">context</span>")?;
        }
        self.to.write_all(b"</div>\n")
    }

    fn attachments(&mut self, record: &Record, named: &[AttachmentOf]) -> io::Result<()> {
        if named.is_empty() {
            return Ok(());
        }
        self.to.write_all(b"<ul>\n")?;
        for (ordinal, attachment) in (0..).zip(named) {
            let name = match attachment.name.as_str() {
                "" => "(no name)".to_owned(),
                name => escaped(name),
            };
            let file = record.files.iter().find(|file| file.attachment == ordinal);
            match file {
                Some(file) => writeln!(
                    self.to,
                    "<li><a href=\"{}\"><bdi>{name}</bdi></a> <span class=\"fine\">{} bytes, SHA-256 \
                     <span class=\"id\">{}</span></span></li>",
                    escaped(&file.file),
                    file.size,
                    escaped(&file.sha256)
                )?,
                None => writeln!(
                    self.to,
                    "<li><bdi>{name}</bdi> <span class=\"fine\">{}</span></li>",
                    escaped(&attachment.state.replace('-', " "))
                )?,
            }
        }
        self.to.write_all(b"</ul>\n")
    }

    fn origin(&mut self, record: &Record, digest: &Digest) -> io::Result<()> {
        let id = escaped(&record.id);
        write!(self.to, "<p class=\"id\">{id}")?;
        if let Some(source) = record.versions.first().map(|version| &version.source) {
            let file = escaped(source.file.as_deref().unwrap_or("(no name kept)"));
            let import = escaped(source.import.as_deref().unwrap_or_default());
            write!(
                self.to,
                " &middot; <bdi>{file}</bdi>, bytes {} to {} of entry {} &middot; {import}",
                source.first_byte,
                source.first_byte + source.bytes,
                source.entry
            )?;
        }
        writeln!(self.to, " &middot; digest {}</p>", &hex(digest)[..16])
    }

    /// Ends the page.
    pub fn end(self) -> io::Result<()> {
        if self.conversation.is_some() {
            self.to.write_all(b"</section>\n")?;
        } else {
            self.to.write_all(b"<p>No message matches.</p>\n")?;
        }
        self.to.write_all(b"</main>\n</body>\n</html>\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_would_read_is_written_out() {
        assert_eq!(
            escaped("<script>alert('x')</script>&\"\u{0}\u{7}\r\nb\u{202e}"),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\u{fffd}\u{fffd}\nb\u{202e}"
        );
    }

    #[test]
    fn the_style_fetches_nothing() {
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    }
}
