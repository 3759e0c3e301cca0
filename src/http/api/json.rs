//! JSON as values, with refusals in our own words; instants as RFC 3339.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{
    KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::SchemaType, schema::Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::super::refusal::Refusal;
use crate::domain::Timestamp;

/// What a handler of the API gives.
pub(super) type Answer = Result<Response, Refusal>;

/// The body of a request.
pub(super) struct Given<T>(pub T);

impl<T, S> FromRequest<S> for Given<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refusal;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Given(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "Send JSON",
                "Send the body as JSON, with Content-Type: application/json.",
            )),
            Err(JsonRejection::BytesRejection(error)) => Err(Refusal::new(
                error.status(),
                "body",
                "The body was not taken",
                "The body is longer than a request may be, or it did not arrive.",
            )),
            Err(error) => Err(wrong(&error.body_text())),
        }
    }
}

/// What a reader of JSON says, without the words around it.
fn wrong(why: &str) -> Refusal {
    let reason = why
        .strip_prefix("Failed to deserialize the JSON body into the target type: ")
        .or_else(|| why.strip_prefix("Failed to parse the request body as JSON: "))
        .unwrap_or(why);
    Refusal::usage(format!("The body is wrong: {reason}."))
}

/// An id or a number in the path. What is malformed cannot be there.
pub(super) struct Named<T>(pub T);

impl<T, S> FromRequestParts<S> for Named<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let named: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, state).await;
        named
            .map(|Path(value)| Named(value))
            .map_err(|_| Refusal::not_found())
    }
}

/// An id of the path as what it is. One of another kind, or malformed, is not there.
pub(super) fn id<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

/// An id or a word inside a body.
pub(super) fn read<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Refusal>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error: T::Err| Refusal::usage(format!("\"{field}\" is wrong: {error}.")))
}

/// An object as the answer, with a status of our own.
pub(super) fn answer(status: StatusCode, value: &impl Serialize) -> Answer {
    Ok((status, Json(value)).into_response())
}

/// An instant, RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant(pub Timestamp);

impl Instant {
    /// The instant; `None` for one that never comes, or always was.
    pub(super) fn of(at: Timestamp) -> Option<Instant> {
        match at {
            Timestamp::NEVER | Timestamp::ALWAYS => None,
            at => Some(Instant(at)),
        }
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let utc = DateTime::from_timestamp_micros(self.0.0).unwrap_or_default();
        serializer.serialize_str(&utc.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::parse_from_rfc3339(&text).map_err(|_| {
            D::Error::custom("a time is written like 2024-02-29T12:00:00Z (RFC 3339)")
        })?;
        Ok(Instant(Timestamp(at.timestamp_micros())))
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339, in UTC when we write it"))
            .into()
    }
}

impl ToSchema for Instant {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Instant")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc_and_read_with_any_offset() {
        let at = Instant(Timestamp::from_seconds(1_700_000_000));
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, "\"2023-11-14T22:13:20Z\"");
        assert_eq!(serde_json::from_str::<Instant>(&text).unwrap(), at);
        let elsewhere: Instant = serde_json::from_str("\"2023-11-15T00:13:20+02:00\"").unwrap();
        assert_eq!(elsewhere, at);
        for wrong in ["\"2023-11-14\"", "\"2023-11-14T22:13:20\"", "17"] {
            assert!(serde_json::from_str::<Instant>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Instant::of(Timestamp::NEVER), None);
    }
}
