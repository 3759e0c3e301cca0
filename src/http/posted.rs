//! Forms and addresses as values, with refusals in our own words.

use std::ops::Deref;

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

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
