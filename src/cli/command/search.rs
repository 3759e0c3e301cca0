//! `wordkeep search`: hits, how the query was read, exact counts.

use std::io::{self, Write};
use std::ops::Range;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Ended;
use crate::app::{SearchAnswer, SearchRequest};
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::printable::{line, rfc3339, thousands};
use crate::cli::printer::Shape;
use crate::query::{Problem, render_carets};
use crate::search::{CONTEXT_LINES_MAX, FacetField, Hit, Line, Order, PAGE_HITS_MAX, Snippet};

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Find messages

Examples:
  $ wordkeep search '(discount OR \"10%\") w/5 friday'
  $ wordkeep search 'from:rui refund sent:2024-02' --context 3
  $ wordkeep search 'deal' --count --plain
  $ wordkeep search 'invoice NOT paid' --sort old --tz Europe/Lisbon --jsonl > hits.jsonl

Before the hits stands how the query was read, and after them how many messages match, exactly, and
through which import the answer is complete. A time with ~ comes from a source that named no zone.
Every search is written to the audit log with its words before anything is shown.

When there are more hits than --limit, the last line gives the --cursor of the next page. Queries are
explained by `wordkeep query check QUERY`.";

/// Start and end of a highlight on a terminal: bold and underlined.
const HIGHLIGHT: (&str, &str) = ("\u{1b}[1;4m", "\u{1b}[0m");

/// The order of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// Latest first
    New,
    /// Earliest first
    Old,
    /// Best match first
    Best,
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::New => Order::Newest,
            Sort::Old => Order::Oldest,
            Sort::Best => Order::Best,
        }
    }
}

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// The query; several words need no quotes around them unless the shell wants them
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// Zone of dates, such as Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Hits to show, at most 1000
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=PAGE_HITS_MAX as i64))]
    limit: u32,
    /// Messages to show before and after each hit, at most 50
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(CONTEXT_LINES_MAX)))]
    context: u32,
    /// Order of the hits
    #[arg(long, value_enum, default_value_t = Sort::New)]
    sort: Sort,
    /// Only count
    #[arg(long)]
    count: bool,
    /// How the hits spread over app, from, conversation, year
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = facet)]
    facets: Vec<FacetField>,
    /// Go on where the page before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
    /// Accept a warning in strict mode, by its code; may be repeated
    #[arg(long, value_name = "CODE")]
    accept: Vec<String>,
    /// Show what a request for erasure restricted, too: for lawyers and records officers
    #[arg(long)]
    restricted: bool,
    /// End with 1 when nothing is found
    #[arg(long)]
    fail_empty: bool,
}

fn facet(name: &str) -> Result<FacetField, String> {
    FacetField::from_name(name).ok_or_else(|| {
        let known = FacetField::ALL.map(FacetField::name).join(", ");
        format!("known are {known}")
    })
}

/// Searches.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    let (appliance, mut session) = context.open_session()?;
    session.restricted = typed.restricted;
    let request = SearchRequest {
        zone: typed.tz,
        limit: typed.limit as usize,
        order: typed.sort.into(),
        context_lines: typed.context,
        facets: typed.facets,
        strict: typed.strict,
        accept: typed.accept,
        cursor: typed.cursor,
        count_only: typed.count,
        ..SearchRequest::new(typed.query.join(" "))
    };
    let found = appliance.search(&session, &request)?;
    let is_empty = found.answer.total == 0;
    say_reading(context, &found);
    let wire = Found::of(&found);
    match context.printer.shape() {
        Shape::Json => context.printer.one(&wire, |_| Ok(()))?,
        Shape::JsonLines => {
            for hit in &wire.hits {
                context.printer.one(hit, |_| Ok(()))?;
            }
        }
        Shape::Plain if typed.count => writeln!(context.printer.sink(), "{}", wire.total)?,
        Shape::Plain => write_plain(context.printer.sink(), &found)?,
        Shape::Human => {
            let coloured = context.printer.is_coloured();
            write_human(context.printer.sink(), &found, coloured)?;
        }
    }
    context.printer.flush()?;
    say_end(context, &found);
    Ok(if is_empty && typed.fail_empty {
        Exit::Negative
    } else {
        Exit::Done
    })
}

/// How the query was read, beside the result.
fn say_reading(context: &Context, found: &SearchAnswer) {
    let reading = &found.reading;
    context.say(&format!("Read as: {}", line(&reading.read_as)));
    context.say(&format!("Query:   {}", line(&reading.canonical)));
    if reading.resolved != reading.canonical {
        context.say(&format!("Today:   {}", line(&reading.resolved)));
    }
    let problems: Vec<Problem> = reading
        .problems
        .iter()
        .chain(&found.answer.notes)
        .cloned()
        .collect();
    if !problems.is_empty() {
        context.say(render_carets(&reading.text, &problems).trim_end());
    }
}

fn say_end(context: &Context, found: &SearchAnswer) {
    for clause in &found.zero {
        let count = clause
            .count
            .map_or("too many to count in time".to_owned(), thousands);
        context.say(&format!("alone:   {}  {count}", line(&clause.text)));
    }
    let mark = &found.answer.watermark;
    let millis = found.took.as_millis();
    // Who sees a part is told whether it is complete, and not by figures of the whole.
    let how_far = match mark.of {
        0 => "complete".to_owned(),
        of => format!(
            "complete through {} of {}",
            thousands(mark.through),
            thousands(of)
        ),
    };
    let entry = found.audit.0;
    context.say(&format!("{how_far}   {millis} ms   audit #{entry}"));
    if found.withheld > 0 {
        context.say(&format!(
            "{} more match and are restricted by a request for erasure: --restricted shows them",
            thousands(found.withheld)
        ));
    }
    if let Some(next) = &found.next {
        context.say(&format!("next page: --cursor {next}"));
    }
}

/// The time of a line with its zone; `~` where the zone was assumed.
pub(super) fn time_of(shown: &Line) -> String {
    let time = &shown.time;
    let offset = chrono::TimeZone::from_utc_datetime(&time.zone, &utc(shown)).format("%:z");
    let mark = if time.zone_assumed { "~" } else { "" };
    format!("{mark}{} {offset}", time.local.format("%Y-%m-%d %H:%M:%S"))
}

fn utc(shown: &Line) -> chrono::NaiveDateTime {
    let micros = shown.time.sent.0;
    chrono::DateTime::from_timestamp_micros(micros)
        .unwrap_or_default()
        .naive_utc()
}

fn sender_of(shown: &Line) -> &str {
    shown
        .sender
        .as_ref()
        .map_or("(notice)", |sender| sender.label.as_str())
}

/// The hits as people read them.
pub(super) fn write_human(
    to: &mut dyn Write,
    found: &SearchAnswer,
    coloured: bool,
) -> io::Result<()> {
    for hit in &found.answer.hits {
        let title = line(&hit.conversation.title);
        let sender = line(sender_of(&hit.line));
        writeln!(
            to,
            "{}  {title}  {sender}  {}",
            time_of(&hit.line),
            hit.line.id
        )?;
        for shown in &hit.before {
            write_context(to, shown)?;
        }
        for text in words_of(hit, coloured) {
            writeln!(to, "  > {text}")?;
        }
        for shown in &hit.after {
            write_context(to, shown)?;
        }
        for name in &hit.attachments {
            writeln!(to, "    file: {}", line(name))?;
        }
    }
    for facet in &found.facets {
        writeln!(to, "{}:", facet.field.name())?;
        for value in &facet.values {
            writeln!(
                to,
                "  {:>9}  {}",
                thousands(value.count),
                line(&value.label)
            )?;
        }
    }
    let total = thousands(found.answer.total);
    let shown = thousands(found.answer.hits.len() as u64);
    match found.answer.total {
        1 => writeln!(to, "1 message"),
        _ if found.next.is_some() => writeln!(to, "{total} messages, {shown} shown"),
        _ => writeln!(to, "{total} messages"),
    }
}

fn write_context(to: &mut dyn Write, shown: &Line) -> io::Result<()> {
    let sender = line(sender_of(shown));
    let cut = if shown.cut { "…" } else { "" };
    writeln!(
        to,
        "    {}  {sender}: {}{cut}",
        time_of(shown),
        line(&shown.opening)
    )
}

/// The pieces that matched; the beginning of the message where only facts decided.
fn words_of(hit: &Hit, coloured: bool) -> Vec<String> {
    if hit.pieces.is_empty() {
        let cut = if hit.line.cut { "…" } else { "" };
        return vec![format!("{}{cut}", line(&hit.line.opening))];
    }
    hit.pieces
        .iter()
        .map(|piece| highlighted(&piece.snippet, coloured))
        .collect()
}

fn highlighted(snippet: &Snippet, coloured: bool) -> String {
    let mut out = String::new();
    if snippet.cut_before {
        out.push('…');
    }
    let mut from = 0;
    for Range { start, end } in snippet.highlights.iter().cloned() {
        let (Some(plain), Some(matched)) =
            (snippet.text.get(from..start), snippet.text.get(start..end))
        else {
            continue;
        };
        out.push_str(&line(plain));
        match coloured {
            true => out.push_str(&format!("{}{}{}", HIGHLIGHT.0, line(matched), HIGHLIGHT.1)),
            false => out.push_str(&line(matched)),
        }
        from = end;
    }
    out.push_str(&line(snippet.text.get(from..).unwrap_or_default()));
    if snippet.cut_after {
        out.push('…');
    }
    out
}

fn write_plain(to: &mut dyn Write, found: &SearchAnswer) -> io::Result<()> {
    for hit in &found.answer.hits {
        writeln!(
            to,
            "{}\t{}\t{}\t{}\t{}\t{}",
            hit.line.id,
            rfc3339(hit.line.time.sent),
            hit.conversation.id,
            line(&hit.conversation.title),
            line(sender_of(&hit.line)),
            words_of(hit, false).join(" … "),
        )?;
    }
    Ok(())
}

/// A message for programs.
#[derive(Serialize)]
pub(super) struct WireLine {
    id: String,
    sent: String,
    local: String,
    zone: String,
    zone_assumed: bool,
    sender: Option<String>,
    app: &'static str,
    opening: String,
    cut: bool,
}

impl WireLine {
    fn of(shown: &Line) -> WireLine {
        WireLine {
            id: shown.id.to_string(),
            sent: rfc3339(shown.time.sent),
            local: shown.time.local.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            zone: shown.time.zone.name().to_owned(),
            zone_assumed: shown.time.zone_assumed,
            sender: shown.sender.as_ref().map(|sender| sender.label.clone()),
            app: shown.app.name(),
            opening: shown.opening.clone(),
            cut: shown.cut,
        }
    }
}

#[derive(Serialize)]
struct WirePiece {
    text: String,
    highlights: Vec<(usize, usize)>,
}

#[derive(Serialize)]
struct WireHit {
    #[serde(flatten)]
    message: WireLine,
    conversation: String,
    conversation_title: String,
    pieces: Vec<WirePiece>,
    versions: u16,
    attachments: Vec<String>,
    before: Vec<WireLine>,
    after: Vec<WireLine>,
}

impl WireHit {
    fn of(hit: &Hit) -> WireHit {
        let pieces = hit.pieces.iter().map(|piece| WirePiece {
            text: piece.snippet.text.clone(),
            highlights: piece
                .snippet
                .highlights
                .iter()
                .map(|at| (at.start, at.end))
                .collect(),
        });
        WireHit {
            message: WireLine::of(&hit.line),
            conversation: hit.conversation.id.to_string(),
            conversation_title: hit.conversation.title.clone(),
            pieces: pieces.collect(),
            versions: hit.versions,
            attachments: hit.attachments.clone(),
            before: hit.before.iter().map(WireLine::of).collect(),
            after: hit.after.iter().map(WireLine::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct WireFacet {
    field: &'static str,
    values: Vec<(String, String, u64)>,
}

#[derive(Serialize)]
struct Found<'a> {
    query: &'a str,
    read_as: &'a str,
    canonical: &'a str,
    resolved: &'a str,
    zone: &'a str,
    notes: Vec<(&'static str, &'a str)>,
    total: u64,
    hits: Vec<WireHit>,
    facets: Vec<WireFacet>,
    next: Option<&'a str>,
    complete_through: u64,
    complete_of: u64,
    audit: u64,
}

impl Found<'_> {
    fn of(found: &SearchAnswer) -> Found<'_> {
        let (reading, answer) = (&found.reading, &found.answer);
        let notes = reading.problems.iter().chain(&answer.notes);
        let facets = found.facets.iter().map(|facet| WireFacet {
            field: facet.field.name(),
            values: facet
                .values
                .iter()
                .map(|value| (value.id.clone(), value.label.clone(), value.count))
                .collect(),
        });
        Found {
            query: &reading.text,
            read_as: &reading.read_as,
            canonical: &reading.canonical,
            resolved: &reading.resolved,
            zone: reading.zone.name(),
            notes: notes
                .map(|note| (note.code.name(), note.message.as_str()))
                .collect(),
            total: answer.total,
            hits: answer.hits.iter().map(WireHit::of).collect(),
            facets: facets.collect(),
            next: found.next.as_deref(),
            complete_through: answer.watermark.through,
            complete_of: answer.watermark.of,
            audit: found.audit.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_are_colour_on_a_terminal_and_nothing_elsewhere() {
        let snippet = Snippet {
            text: "a deal\u{1b}[2J now".to_owned(),
            start: 3,
            highlights: std::iter::once(2..6).collect(),
            cut_before: true,
            cut_after: false,
        };
        assert_eq!(highlighted(&snippet, false), "…a deal<U+001B>[2J now");
        assert_eq!(
            highlighted(&snippet, true),
            "…a \u{1b}[1;4mdeal\u{1b}[0m<U+001B>[2J now"
        );
    }
}
