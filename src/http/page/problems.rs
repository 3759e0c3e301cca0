//! Help on what was refused: the page that the `type` of a problem leads to, one for each kind.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::get;
use maud::html;

use super::super::guard::signed_in;
use super::super::house::House;
use super::super::problem::{PROBLEMS, problem_kind};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/problems", Access::Anyone, || get(list)),
    Route::get("/problems/{code}", Access::Anyone, || get(show)),
];

/// The frame with the navigation of whoever is signed in.
async fn frame_of(house: &Arc<House>, frame: Frame, headers: &HeaderMap) -> Frame {
    match signed_in(house, headers).await {
        Some(who) => frame.of(&who),
        None => frame,
    }
}

async fn list(State(house): State<Arc<House>>, frame: Frame, headers: HeaderMap) -> Page {
    let frame = frame_of(&house, frame, &headers).await;
    let content = html! {
        h1 { "What can be wrong" }
        p { "Every refusal names one of these. Programs find the name at the end of " code { "type" } "." }
        div.scroll {
            table.grid {
                thead { tr { th scope="col" { "Name" } th scope="col" { "What happened" } th scope="col" { "Status" } } }
                tbody {
                    @for one in PROBLEMS {
                        tr {
                            th scope="row" { a href={ "/problems/" (one.kind) } { code { (one.kind) } } }
                            td { (one.title) }
                            td { @for status in one.statuses { (status) " " } }
                        }
                    }
                }
            }
        }
    };
    Ok(frame
        .at(Section::Outside, "What can be wrong")
        .page(&content))
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    headers: HeaderMap,
    Path(code): Path<String>,
) -> Page {
    let frame = frame_of(&house, frame, &headers).await;
    let one = problem_kind(&code).ok_or_else(Refusal::not_found)?;
    let content = html! {
        p { a.back href="/problems" { "← What can be wrong" } }
        h1 { (one.title) }
        p { (one.means) }
        h2 { "What to do" }
        p { (one.remedy) }
        dl.facts {
            dt { "For programs" }
            dd { code { "/problems/" (one.kind) } ", status " @for status in one.statuses { (status) " " } }
        }
    };
    Ok(frame.at(Section::Outside, one.title).page(&content))
}
