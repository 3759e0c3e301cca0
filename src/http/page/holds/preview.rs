//! The preview of a hold as a job: begun from the form, shown on its page, with a way back to the form.

use axum::response::Response;
use maud::html;

use super::super::super::jobs::{Act, JobLine, JobResult, Tone};
use super::super::frame::{Frame, Section};
use super::super::matters::Matter;
use super::super::search::chosen::Choice;
use super::super::trial::{self, Shelf};
use super::super::{form, part};
use super::{STEPS, Typed, kept, second_step};
use crate::app::{HoldExtent, NewHold, Session};
use crate::domain::{GRACE_DAYS, JobId};

impl Typed {
    /// The form for hits that somebody chose: those of now, and none that come later.
    pub(super) fn of(choice: Choice) -> Typed {
        let typed = Typed {
            grace: GRACE_DAYS.to_string(),
            ..Typed::default()
        };
        match choice {
            Choice::Messages(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Typed {
                    by: "messages".to_owned(),
                    messages: ids.join(" "),
                    ..typed
                }
            }
            Choice::Everything(kept) => Typed {
                by: "query".to_owned(),
                query: kept.text,
                extent: "now".to_owned(),
                ..typed
            },
        }
    }
}

/// A form of a hold, and what its preview found.
#[derive(Clone)]
pub(in crate::http) struct Preview {
    typed: Typed,
    extent: Option<HoldExtent>,
}

/// What a preview does as a job; the form waits with it, for it may hold words that stand in no address.
pub(super) fn previewing(
    session: Session,
    shelf: Shelf<Preview>,
    (typed, new): (Typed, NewHold),
    (job, page): (JobId, String),
) -> Act {
    let mut preview = Preview {
        typed,
        extent: None,
    };
    shelf.put(job, preview.clone());
    Box::new(move |appliance, teller| {
        let (target, accept) = (&new.target, &new.accept);
        let heed = &mut teller.heed();
        let extent = appliance.preview_hold_watched(&session, target, None, accept, heed)?;
        let count = part::count(extent.messages, "message", "messages");
        let mut result = JobResult::new(Tone::Good, format!("It would protect {count}."));
        result.page = Some(trial::address(&page, job));
        preview.extent = Some(extent);
        shelf.put(job, preview);
        Ok(result)
    })
}

/// The preview that somebody asked for: what it found, or how far it is, with a way back to the form.
pub(super) fn previewed(
    frame: &Frame,
    matter: &Matter,
    job: &JobLine,
    preview: Option<&Preview>,
) -> Response {
    let path = format!("/matters/{}", matter.line.id);
    if let Some(Preview {
        typed,
        extent: Some(extent),
    }) = preview
    {
        return second_step(frame, matter, typed, extent);
    }
    let frame = frame.clone().at(Section::Matters, "Place a hold: preview");
    let head = html! {
        p { a.back href=(path) { "← " (part::name(&matter.line.name)) } }
        h1 { "Preview of a hold" }
        (form::step(2, &STEPS))
    };
    let again = html! {
        form method="post" action={ (path) "/hold" } {
            (frame.mark())
            @if let Some(preview) = preview { (kept(&preview.typed)) }
            button type="submit" name="act" value="change" { "Back to the form" }
        }
    };
    trial::alone(&frame, job, &format!("{path}/hold"), &head, &again)
}
