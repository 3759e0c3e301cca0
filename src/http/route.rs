//! The one table of routes: method, path, who may take it. The router is made from it.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;

use super::api::{self, Operation, Post, gate};
use super::guard::{Gate, guard, unknown_path};
use super::headers::harden;
use super::house::House;
use super::{assets, health, page, scim};
use crate::domain::Right;

/// Longest body of a form, in bytes; files go other ways.
pub(super) const FORM_BYTES_MAX: usize = 256 << 10;

/// Who may take a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without an entry in the log: health, the page that asks for the secret, files.
    Unlogged,
    /// Everybody: signing in and setting up; what is done there is logged.
    Anyone,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever is signed in with a role that carries the right.
    With(Right),
}

/// One row of the table.
pub struct Route {
    /// The method of HTTP.
    pub method: Method,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// Who may take it.
    pub access: Access,
    /// Longest body, in bytes; what is longer than a form is read by the handler as it comes.
    body_max: usize,
    /// What it does, for programs; pages say it themselves.
    pub(super) operation: Option<Operation>,
    handler: fn() -> MethodRouter<Arc<House>>,
}

impl Route {
    /// A route that shows something.
    pub(super) const fn get(
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<House>>,
    ) -> Route {
        Route::new(Method::GET, path, access, handler)
    }

    /// A route that does something.
    pub(super) const fn post(
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<House>>,
    ) -> Route {
        Route::new(Method::POST, path, access, handler)
    }

    /// A route of any method.
    pub(super) const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> MethodRouter<Arc<House>>,
    ) -> Route {
        Route {
            method,
            path,
            access,
            body_max: FORM_BYTES_MAX,
            operation: None,
            handler,
        }
    }

    /// A route that takes files: its body may be longer than a form. A form in parts carries the mark of
    /// its session as its first field, and only [`super::posted::Files`] gives its handler the asker.
    pub(super) const fn files(
        path: &'static str,
        access: Access,
        body_max: usize,
        handler: fn() -> MethodRouter<Arc<House>>,
    ) -> Route {
        Route {
            method: Method::POST,
            path,
            access,
            body_max,
            operation: None,
            handler,
        }
    }

    /// A route of any method whose body is as long as a file, read by the handler as it comes.
    pub(super) const fn taking(
        method: Method,
        path: &'static str,
        access: Access,
        body_max: usize,
        handler: fn() -> MethodRouter<Arc<House>>,
    ) -> Route {
        Route {
            method,
            path,
            access,
            body_max,
            operation: None,
            handler,
        }
    }

    /// What it does, for programs: the gate of the API keeps it.
    pub(super) const fn doing(mut self, operation: Operation) -> Route {
        self.operation = Some(operation);
        self
    }

    /// Whether programs take it: their tokens count, and refusals are JSON.
    pub fn is_api(&self) -> bool {
        is_for_programs(self.path)
    }
}

/// Whether programs ask there: refusals are JSON, and tokens count.
pub(super) fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/scim/") || path == api::mcp::PATH
}

/// Every route there is, room by room.
pub const ROUTES: &[&[Route]] = &[
    health::ROUTES,
    assets::ROUTES,
    page::unlock::ROUTES,
    page::setup::ROUTES,
    page::wizard::ROUTES,
    page::sign_in::ROUTES,
    page::sso::ROUTES,
    page::home::ROUTES,
    page::search::ROUTES,
    page::terms::ROUTES,
    page::conversation::ROUTES,
    page::step_up::ROUTES,
    page::account::ROUTES,
    page::imports::ROUTES,
    page::import_report::ROUTES,
    page::job::ROUTES,
    page::audit::ROUTES,
    page::users::ROUTES,
    page::four_eyes::ROUTES,
    page::system::ROUTES,
    page::help::ROUTES,
    page::help_api::ROUTES,
    page::matters::ROUTES,
    page::holds::ROUTES,
    page::notices::ROUTES,
    page::notice_forms::ROUTES,
    page::notice::ROUTES,
    page::retention::ROUTES,
    page::policies::ROUTES,
    page::dispositions::ROUTES,
    page::requests::ROUTES,
    page::why::ROUTES,
    page::message::ROUTES,
    page::labels::ROUTES,
    page::events::ROUTES,
    page::exports::ROUTES,
    page::problems::ROUTES,
    api::describe::ROUTES,
    api::search::ROUTES,
    api::conversations::ROUTES,
    api::imports::ROUTES,
    api::uploads::ROUTES,
    api::jobs::ROUTES,
    api::exports::ROUTES,
    api::events::ROUTES,
    api::labels::ROUTES,
    api::policies::ROUTES,
    api::matters::ROUTES,
    api::holds::ROUTES,
    api::notices::ROUTES,
    api::dispositions::ROUTES,
    api::users::ROUTES,
    api::tokens::ROUTES,
    api::audit::ROUTES,
    api::mcp::ROUTES,
    scim::ROUTES,
];

/// The whole of it, ready to be served.
pub fn router(house: &Arc<House>) -> Router {
    let mut router: Router<Arc<House>> = Router::new();
    for route in ROUTES.iter().copied().flatten() {
        let at_door = Gate {
            house: Arc::clone(house),
            access: route.access,
            is_api: route.is_api(),
            takes_files: route.body_max > FORM_BYTES_MAX,
        };
        let mut handler = (route.handler)();
        if let Some(operation) = &route.operation {
            let post = Post {
                house: Arc::clone(house),
                operation,
            };
            handler = handler.layer(from_fn_with_state(post, gate));
        }
        let handler = handler
            .layer(DefaultBodyLimit::max(route.body_max))
            .layer(from_fn_with_state(at_door, guard));
        router = router.route(route.path, handler);
    }
    let lost = Arc::clone(house);
    router
        .fallback(move |uri: Uri, headers: HeaderMap| {
            let house = Arc::clone(&lost);
            async move { unknown_path(house, &uri, &headers).await }
        })
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(from_fn_with_state(Arc::clone(house), harden))
        .layer(from_fn(bounded_address))
        .with_state(Arc::clone(house))
}

/// Longest address, in bytes: everything longer belongs into a body.
const ADDRESS_BYTES_MAX: usize = 4 << 10;

async fn bounded_address(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    use axum::response::IntoResponse;
    if request.uri().to_string().len() > ADDRESS_BYTES_MAX {
        return axum::http::StatusCode::URI_TOO_LONG.into_response();
    }
    next.run(request).await
}
