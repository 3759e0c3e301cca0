//! Hits as they are read: in their conversations, with the messages around them.

use maud::{Markup, html};

use super::super::part;
use super::chosen::tick;
use super::view::{By, View};
use crate::domain::{ConversationId, Presence, SearchId};
use crate::search::{Hit, Line, Piece};

/// Hits of one search, as they are shown.
pub(super) struct Hits {
    pub search: SearchId,
    pub view: View,
    /// Whether they can be chosen.
    pub choose: bool,
}

impl Hits {
    /// All of a page, grouped as the address says.
    pub(super) fn list(&self, hits: &[Hit]) -> Markup {
        let same_conversation = |one: &Hit, next: &Hit| one.conversation.id == next.conversation.id;
        let day = |hit: &Hit| hit.line.time.local.date();
        html! {
            @match self.view.by {
                By::Conversation => {
                    @for group in hits.chunk_by(same_conversation) {
                        section.group { (self.heading(group)) (self.passages(group)) }
                    }
                }
                By::Day => {
                    @for group in hits.chunk_by(|one, next| day(one) == day(next)) {
                        section.group {
                            @if let Some(first) = group.first() {
                                h2.by-day { (day(first).format("%A, %-d %B %Y")) }
                            }
                            @for some in group.chunk_by(same_conversation) {
                                (self.place(some)) (self.passages(some))
                            }
                        }
                    }
                }
                By::Nothing => section.group {
                    h2.unseen { "Hits" }
                    @for hit in hits.chunks(1) { (self.place(hit)) (self.passages(hit)) }
                },
            }
        }
    }

    fn heading(&self, hits: &[Hit]) -> Markup {
        html! {
            @if let Some(first) = hits.first() {
                h2 {
                    a href={ "/c/" (first.conversation.id) "?from=" (self.search) } { (part::name(&first.conversation.title)) }
                    " " small { (part::app(first.line.app)) }
                }
            }
        }
    }

    /// Where hits stand, when the heading does not say it.
    fn place(&self, hits: &[Hit]) -> Markup {
        html! {
            @if let Some(first) = hits.first() {
                p.place {
                    a href={ "/c/" (first.conversation.id) "?from=" (self.search) } { (part::name(&first.conversation.title)) }
                    " " small { (part::app(first.line.app)) }
                }
            }
        }
    }

    fn passages(&self, hits: &[Hit]) -> Markup {
        html! {
            @for passage in passages(hits) {
                ol.lines {
                    @for (line, hit) in passage {
                        @match hit {
                            Some(hit) => (self.hit(hit)),
                            None => (context(line)),
                        }
                    }
                }
            }
        }
    }

    fn hit(&self, hit: &Hit) -> Markup {
        let search = &self.search;
        let by = hit
            .line
            .sender
            .as_ref()
            .map_or("the platform", |sender| &sender.label);
        html! {
            li.line.hit {
                @if self.choose { (tick(hit.line.id, by)) }
                a.when href=(place(hit.conversation.id, hit, search)) { (when(&hit.line)) }
                (sender(&hit.line))
                div.text {
                    @if hit.pieces.is_empty() {
                        (part::words(&hit.line.opening)) @if hit.line.cut { "…" }
                    }
                    @for piece in &hit.pieces { p { (marked(piece)) } }
                    (facts(&hit.line.presence, hit.versions))
                    @for file in &hit.attachments { " " span.chip { "file " (part::name(file)) } }
                    (preview(search, hit))
                }
            }
        }
    }
}

/// Hits with the messages around them, in the order they were said; hits that stand close together
/// are one passage, and no message is shown twice in it.
fn passages(hits: &[Hit]) -> Vec<Vec<(&Line, Option<&Hit>)>> {
    let mut passages: Vec<Vec<(&Line, Option<&Hit>)>> = Vec::new();
    for hit in hits {
        let around = hit.before.iter().chain(&hit.after).map(|line| (line, None));
        let lines: Vec<(&Line, Option<&Hit>)> = around.chain([(&hit.line, Some(hit))]).collect();
        let meets = passages.last().is_some_and(|last| {
            lines
                .iter()
                .any(|(line, _)| last.iter().any(|(known, _)| known.id == line.id))
        });
        match passages.last_mut() {
            Some(last) if meets => last.extend(lines),
            _ => passages.push(lines),
        }
    }
    for passage in &mut passages {
        // Of a message that is a hit and stands around another, the hit is shown.
        passage.sort_by_key(|(line, hit)| (line.time.sent, line.id, hit.is_none()));
        passage.dedup_by_key(|(line, _)| line.id);
    }
    passages
}

fn when(line: &Line) -> Markup {
    html! {
        @if line.time.zone_assumed { span.assumed title="The source says no zone; this one is assumed" { "≈ " } }
        (part::local(line.time.local, line.time.sent, part::MINUTE))
    }
}

fn sender(line: &Line) -> Markup {
    html! {
        @match &line.sender {
            Some(sender) => span.sender { (part::name(&sender.label)) },
            None => span.sender.system { "notice" },
        }
    }
}

fn context(line: &Line) -> Markup {
    html! {
        li.line.context {
            (when(line)) (sender(line))
            span.text { (part::words(&line.opening)) @if line.cut { "…" } }
        }
    }
}

/// The address of a message in its conversation, and the search it came from.
fn place(conversation: ConversationId, hit: &Hit, search: &SearchId) -> String {
    let message = hit.line.id;
    format!("/c/{conversation}?at={message}&from={search}#{message}")
}

/// The messages around a hit, without leaving the list; without script a way to them.
fn preview(search: &SearchId, hit: &Hit) -> Markup {
    let (conversation, message) = (hit.conversation.id, hit.line.id);
    html! {
        details.preview hx-get={ "/c/" (conversation) "/around?at=" (message) "&from=" (search) }
            hx-trigger="toggle once" hx-target="find div" {
            summary { "Preview" }
            div { a href=(place(conversation, hit, search)) { "Open the conversation here" } }
        }
    }
}

/// A piece with what matched in it.
fn marked(piece: &Piece) -> Markup {
    let snippet = &piece.snippet;
    html! {
        @if snippet.cut_before { "…" }
        (part::marked(&snippet.text, &snippet.highlights))
        @if snippet.cut_after { "…" }
    }
}

/// What happened to a message, in words.
pub(in crate::http::page) fn facts(presence: &Presence, versions: u16) -> Markup {
    html! {
        @if presence.has(Presence::EDITED) || versions > 1 { " " span.chip { "edited" } }
        @if presence.has(Presence::DELETED) { " " span.chip.bad { "deleted, kept here" } }
        @if presence.has(Presence::FORWARDED) { " " span.chip { "forwarded" } }
    }
}
