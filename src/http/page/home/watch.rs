//! What an auditor opens every morning: the last verification, the checkpoint, what happened since the
//! last visit, what was unusual, and who has access.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use maud::{Markup, html};

use super::super::super::guard::Who;
use super::super::super::house::House;
use super::super::super::refusal::Refusal;
use super::super::audit_words::sentence;
use super::super::frame::{Frame, role_name};
use super::super::{job, part};
use crate::app::{AccessLine, LogDigest};
use crate::audit::{Entry, Outcome};
use crate::domain::Right;

/// The morning of an auditor.
pub(super) async fn morning(
    house: &Arc<House>,
    who: &Who,
    frame: &Frame,
) -> Result<Markup, Refusal> {
    let (session, zone) = (who.session.clone(), job::zone(house));
    let (digest, names) = house
        .ask(move |one| Ok((one.log_digest(&session)?, one.actor_names(&session)?)))
        .await?;
    Ok(html! {
        div.cards {
            (verified(frame, &digest, zone))
            (visit(&digest, zone))
            section.card {
                h2 { "Checkpoint" }
                p.big { (part::count(digest.size, "entry", "entries")) }
                p { "Three lines stand for all of them. Keep them where whoever holds the data cannot change them." }
                p { a.button href="/audit/checkpoint" { "Take a checkpoint" } }
            }
        }
        (unusual(&digest, &names, zone))
        (access(&digest, zone))
        p.aside {
            "From the latest " (part::count(digest.size - digest.from, "entry", "entries")) " of the log. "
            (part::entry(digest.audit.seq))
        }
    })
}

fn verified(frame: &Frame, digest: &LogDigest, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Verification" }
            @match &digest.verified {
                Some(entry) => {
                    p.big { (part::time(entry.t_c, zone, part::MINUTE)) }
                    p {
                        @if entry.draft.result == Outcome::Done { span.chip.good { "sound" } }
                        @else { span.chip.bad { "problems were found" } }
                        " · " (part::count(digest.since_verified, "entry", "entries")) " since"
                    }
                }
                None => {
                    p.big { "Not lately" }
                    p { "Nobody ran it within the entries that were looked through." }
                }
            }
            @if frame.may(Right::Verify) { p { a.button.primary href="/audit/verify" { "Verify" } } }
        }
    }
}

fn visit(digest: &LogDigest, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "Since your last visit" }
            @match digest.last_visit {
                Some((at, entries)) => {
                    p.big { (part::count(entries, "entry", "entries")) }
                    p { "You signed in before on " (part::time(at, zone, part::MINUTE)) "." }
                }
                None => {
                    p.big { "First visit" }
                    p { "From the next one on, this says how much happened in between." }
                }
            }
            p { a.button href="/audit" { "Read the log" } }
        }
    }
}

fn unusual(digest: &LogDigest, names: &BTreeMap<String, String>, zone: Tz) -> Markup {
    html! {
        section {
            h2 { "Worth a look" }
            @if digest.unusual.is_empty() {
                p.aside { "Nothing was refused, nothing failed, and nothing far-reaching was done." }
            } @else {
                p.aside {
                    "Refused, failed or far-reaching: " (part::number(digest.unusual_count))
                    @if digest.unusual_count > digest.unusual.len() as u64 { ", the latest " (digest.unusual.len()) " here" }
                }
                div.scroll { table.grid { tbody { @for entry in &digest.unusual { (line(entry, names, zone)) } } } }
            }
        }
    }
}

fn line(entry: &Entry, names: &BTreeMap<String, String>, zone: Tz) -> Markup {
    let draft = &entry.draft;
    html! {
        tr {
            td.when { (part::time(entry.t_c, zone, part::MINUTE)) }
            td {
                (part::name(&sentence(draft, names)))
                @match draft.result {
                    Outcome::Done => {},
                    Outcome::Refused => { " " span.chip.warn { "refused" } },
                    Outcome::Failed => { " " span.chip.bad { "failed" } },
                }
            }
            td.figure { a href={ "/audit?before=" (entry.seq.0 + 1) } { "#" (entry.seq.0) } }
        }
    }
}

fn access(digest: &LogDigest, zone: Tz) -> Markup {
    let active = digest.people.iter().filter(|one| !one.disabled).count() as u64;
    let bare = digest
        .people
        .iter()
        .filter(|one| !one.disabled && !one.second_factor)
        .count();
    html! {
        section {
            h2 { "Who has access" }
            p.aside {
                (part::count(active, "person", "people")) " can sign in"
                @if bare > 0 { ", " (part::number(bare as u64)) " without a second factor" }
            }
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Login" } th scope="col" { "Role" } th scope="col" { "Second factor" }
                        th scope="col" { "Signed in" } th.figure scope="col" { "Entries" }
                    } }
                    tbody { @for one in &digest.people { (person(one, zone)) } }
                }
            }
        }
    }
}

fn person(one: &AccessLine, zone: Tz) -> Markup {
    html! {
        tr {
            th scope="row" {
                a href={ "/audit?actor=" (one.id) } { (part::name(&one.login)) }
                @if one.disabled { " " span.chip { "ended" } }
            }
            td { (role_name(one.role)) }
            td { @if one.second_factor { "yes" } @else { "no" } }
            td { @match one.last { Some(at) => (part::time(at, zone, part::MINUTE)), None => "not lately" } }
            td.figure { (part::number(one.acts)) }
        }
    }
}
