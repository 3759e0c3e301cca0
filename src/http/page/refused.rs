//! A refusal as a page: in the frame, at the place where content stands, with what to do.

use axum::response::Response;
use maud::html;

use super::super::cookie::Theme;
use super::super::guard::Who;
use super::super::house::House;
use super::super::problem::problem_kind;
use super::super::refusal::Refusal;
use super::frame::{Frame, Section};

/// The page.
pub(in crate::http) fn page(
    house: &House,
    who: Option<&Who>,
    theme: Theme,
    refusal: &Refusal,
) -> Response {
    let frame = Frame::new(house, who, theme).at(Section::Outside, refusal.title);
    let content = html! {
        section.refused role="alert" {
            h1 { (refusal.title) }
            @if refusal.faults.is_empty() {
                p { (refusal.detail) }
            } @else {
                pre.carets hx-disable { (refusal.detail) }
            }
            p.acts {
                a.button href="/" { @if who.is_some() { "Home" } @else { "Sign in" } }
                @if who.is_some() && problem_kind(refusal.kind).is_some() {
                    a.button href={ "/problems/" (refusal.kind) } { "What this means" }
                }
            }
        }
    };
    refusal.dress(frame.page(&content))
}
