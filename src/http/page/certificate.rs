//! A certificate of destruction as a page that can be printed, with the answer of its verifier.

use chrono_tz::Tz;
use maud::{Markup, html};

use super::part;
use crate::app::CertificateStory;
use crate::domain::Timestamp;
use crate::retention::{Certificate, Item};

/// Items that are written on the page; the file has all of them.
const ITEMS: usize = 1_000;

/// The page.
pub(super) fn view(story: &CertificateStory, zone: Tz) -> Markup {
    let certificate = &story.certificate;
    let no = certificate.batch.number;
    html! {
        p { a.back href={ "/dispositions/" (no) } { "← List " (no) } }
        h1 { "Certificate of destruction " (certificate.number) }
        (verdict(story))
        p {
            a.button href={ "/dispositions/" (no) "/certificate.json" } { "Download as JSON" }
        }
        (facts(story, zone))
        (authority(certificate))
        (exceptions(certificate))
        (afterwards(certificate))
        (items(certificate, zone))
    }
}

fn verdict(story: &CertificateStory) -> Markup {
    html! {
        @match &story.broken {
            None => p.notice.good role="status" {
                strong { "It holds. " }
                "Form, signature, items and the entry of the run in the audit log were verified just now, with the key of this log. "
                "Whoever has the file can repeat it without this archive: "
                code { "wordkeep verify certificate.json" }
            },
            Some(what) => p.notice.bad role="alert" {
                strong { "It does not hold: " } (part::words(what))
            },
        }
    }
}

fn at(micros: i64, zone: Tz) -> Markup {
    part::time(Timestamp(micros), zone, part::MINUTE)
}

fn person(story: &CertificateStory, id: &str) -> Markup {
    html! {
        @match story.people.get(id) { Some(login) => (part::name(login)), None => {} }
        " " code { (id) }
    }
}

fn facts(story: &CertificateStory, zone: Tz) -> Markup {
    let certificate = &story.certificate;
    let (batch, method) = (&certificate.batch, &certificate.method);
    html! {
        dl.facts {
            dt { "Destroyed" } dd { strong { (part::count(batch.erased, "message", "messages")) } }
            @if let Some(decided) = batch.decided { dt { "Decided" } dd { (at(decided, zone)) } }
            dt { "List" } dd { (batch.number) ", put together " (at(batch.computed, zone)) }
            dt { "Asked for by" } dd { (person(story, &batch.requested_by)) }
            @for approval in &certificate.approvals {
                dt { "Approved by" } dd { (person(story, &approval.by)) ", " (at(approval.at, zone)) }
            }
            dt { "Method" }
            dd {
                (method.name) ": " (part::count(method.keys_destroyed.len() as u64, "key", "keys")) " destroyed, "
                (part::count(method.blobs, "file", "files")) " of " (part::number(method.blob_bytes)) " bytes"
            }
            dt { "Checked afterwards" }
            dd {
                @if certificate.verification.key_absent { "keys gone, " } @else { "keys NOT gone, " }
                @if certificate.verification.index_absent { "index empty of them, " } @else { "index NOT empty of them, " }
                (part::count(certificate.verification.scan_hits, "trace", "traces")) " found in "
                (part::number(certificate.verification.sampled)) " samples"
            }
            dt { "Clock" } dd { (at(certificate.clock.compliance, zone)) ", " (certificate.clock.quality) }
            dt { "Log" } dd { code { (certificate.origin) } ", " (part::entry(crate::domain::EntryNo(certificate.log.index))) }
            dt { "Root of the items" } dd { code { (batch.items_root) } }
        }
    }
}

fn authority(certificate: &Certificate) -> Markup {
    html! {
        h2 { "By which rules" }
        div.scroll {
            table.grid {
                thead { tr {
                    th scope="col" { "Rule" } th scope="col" { "Period" } th scope="col" { "From" }
                    th scope="col" { "Lock" } th scope="col" { "Follows" } th.figure scope="col" { "Messages" }
                } }
                tbody {
                    @for one in &certificate.authority {
                        tr {
                            th scope="row" { code { (one.policy) } " version " (one.version) }
                            td { (one.period) } td { (one.trigger) } td { (one.lock) }
                            td { (part::words(&one.citation)) }
                            td.figure { (part::number(one.items)) }
                        }
                    }
                }
            }
        }
    }
}

fn exceptions(certificate: &Certificate) -> Markup {
    html! {
        @if !certificate.exceptions.is_empty() {
            h2 { "On the list, and stayed" }
            ul.rows {
                @for one in &certificate.exceptions {
                    li { code { (one.message) } ": " (part::words(&one.reason)) }
                }
            }
        }
    }
}

fn afterwards(certificate: &Certificate) -> Markup {
    html! {
        h2 { "What remains elsewhere" }
        ul { @for copy in &certificate.copies { li { (part::words(copy)) } } }
    }
}

fn items(certificate: &Certificate, zone: Tz) -> Markup {
    let more = certificate.items.len().saturating_sub(ITEMS);
    html! {
        details {
            summary { (part::count(certificate.items.len() as u64, "item", "items")) ", by keyed identity; no content" }
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Identity" } th scope="col" { "Sent" } th scope="col" { "Due" }
                    } }
                    tbody { @for item in certificate.items.iter().take(ITEMS) { (row(item, zone)) } }
                }
            }
            @if more > 0 { p { "and " (part::number(more as u64)) " more in the file" } }
        }
    }
}

fn row(item: &Item, zone: Tz) -> Markup {
    html! {
        tr {
            th scope="row" { code { (item.id) } }
            td { (at(item.sent, zone)) }
            td { (at(item.due, zone)) }
        }
    }
}
