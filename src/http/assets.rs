//! The files of the pages, in the program itself: no address leads out of the house.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::refusal::Refusal;
use super::route::{Access, Route};

/// One file.
pub(super) struct Asset {
    /// Its name in addresses; changes with the version of the program.
    pub name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Every file.
pub(super) const ASSETS: &[Asset] = &[
    Asset {
        name: "wordkeep.css",
        kind: STYLE,
        bytes: include_bytes!("assets/wordkeep.css"),
    },
    Asset {
        // What htmx needs before it begins, and htmx itself: one request for both.
        name: "boot.js",
        kind: SCRIPT,
        bytes: concat!(
            include_str!("assets/boot.js"),
            "\n",
            include_str!("assets/htmx-2.0.11.min.js")
        )
        .as_bytes(),
    },
    Asset {
        name: "keys.js",
        kind: SCRIPT,
        bytes: include_bytes!("assets/keys.js"),
    },
    Asset {
        name: "hits.js",
        kind: SCRIPT,
        bytes: include_bytes!("assets/hits.js"),
    },
    Asset {
        name: "conv.js",
        kind: SCRIPT,
        bytes: include_bytes!("assets/conv.js"),
    },
    Asset {
        name: "upload.js",
        kind: SCRIPT,
        bytes: include_bytes!("assets/upload.js"),
    },
    Asset {
        name: "mark.svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("assets/mark.svg"),
    },
];

pub(super) const ROUTES: &[Route] = &[Route::get(
    "/assets/{version}/{name}",
    Access::Unlogged,
    || get(file),
)];

/// Where a page finds a file. The version of the program is part of the address, so that a browser
/// may keep what it has for ever.
pub(super) fn address(name: &str) -> String {
    format!("/assets/{}/{name}", env!("CARGO_PKG_VERSION"))
}

async fn file(Path((_, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(Refusal::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    Ok((headers, asset.bytes).into_response())
}
