//! Forms and addresses as values, with refusals in our own words.

use std::ops::Deref;

use axum::extract::multipart::{Field, Multipart};
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::guard::{CSRF_FIELD, Unproven, Who};
use super::refusal::Refusal;

/// The fields of a form.
pub(super) struct Posted<T>(pub T);

impl<T, S> FromRequest<S> for Posted<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refusal;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Form::<T>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Posted(fields)),
            Err(FormRejection::FailedToDeserializeFormBody(why)) => Err(missing(&why.body_text())),
            Err(_) => Err(Refusal::usage("Send the form from its page.")),
        }
    }
}

/// What stands behind the question mark of an address.
pub(super) struct Asked<T>(pub T);

impl<T, S> FromRequestParts<S> for Asked<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(fields)) => Ok(Asked(fields)),
            Err(QueryRejection::FailedToDeserializeQueryString(why)) => {
                Err(missing(&why.body_text()))
            }
            Err(_) => Err(Refusal::usage("The address is not complete.")),
        }
    }
}

/// Longest field beside the files of a form, in bytes: a mapping is the longest.
const TEXT_BYTES_MAX: usize = 256 << 10;

/// A form with files, read part by part. Whoever sent it is known once the first part showed the mark.
pub(super) struct Files {
    /// Who sent it.
    pub who: Who,
    /// What comes after the mark.
    pub form: Multipart,
}

impl<S: Send + Sync> FromRequest<S> for Files {
    type Rejection = Refusal;
    async fn from_request(mut request: Request, state: &S) -> Result<Self, Refusal> {
        let unproven = request.extensions_mut().remove::<Unproven>();
        let known = request.extensions().get::<Who>().cloned();
        let form = Multipart::from_request(request, state).await;
        let form = form.map_err(|_| cut_off());
        let (unproven, mut form) = match (unproven, known) {
            (Some(unproven), _) => (unproven, form?),
            // The mark stood in a header.
            (None, Some(who)) => return form.map(|form| Files { who, form }),
            (None, None) => return Err(Refusal::foreign_form()),
        };
        let first = form.next_field().await.map_err(|_| cut_off())?;
        let first = first.filter(|field| field.name() == Some(CSRF_FIELD));
        let mark = text_of(first.ok_or_else(Refusal::foreign_form)?).await?;
        let who = unproven.proven(&mark)?;
        Ok(Files { who, form })
    }
}

/// The text of a field.
pub(super) async fn text_of(mut field: Field<'_>) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|_| cut_off())? {
        if bytes.len() + chunk.len() > TEXT_BYTES_MAX {
            return Err(Refusal::usage(format!(
                "A field has at most {} KiB.",
                TEXT_BYTES_MAX >> 10
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Refusal::usage("A field is not text."))
}

/// The form ended too early, or is none.
pub(super) fn cut_off() -> Refusal {
    Refusal::usage("The form did not arrive whole. Send it again.")
}

fn missing(why: &str) -> Refusal {
    let reason = why.rsplit(": ").next().unwrap_or(why);
    Refusal::usage(format!("A field is missing or wrong: {reason}."))
}

/// Something secret that somebody typed: wiped when it is no longer needed, hidden in debug output.
#[derive(Clone)]
pub(super) struct Hidden(Zeroizing<String>);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Hidden(Zeroizing::new(text)))
    }
}

impl Deref for Hidden {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
