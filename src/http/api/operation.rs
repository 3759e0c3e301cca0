//! What a route of the API takes and gives: the description is made from it, and the gate keeps it.

use std::borrow::Cow;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::jobs::Job;
use crate::domain::ApiScope;

/// A shape of JSON by its name, with everything it is made of.
#[derive(Clone, Copy)]
pub(in crate::http) struct Shape {
    /// Its name in the description.
    pub name: fn() -> Cow<'static, str>,
    /// Its schema.
    pub schema: fn() -> RefOr<Schema>,
    /// The schemas it is made of.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// The shape of a type.
    pub(super) const fn of<T: ToSchema>() -> Shape {
        Shape {
            name: T::name,
            schema: T::schema,
            parts: T::schemas,
        }
    }
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub(in crate::http) enum Gives {
    /// One object.
    One(Shape),
    /// A page of a list.
    Page(Shape),
    /// JSON that is described elsewhere.
    Other(&'static str),
    /// Headers alone.
    Empty(&'static str),
    /// Bytes of a media type, and what they are.
    Bytes(&'static str, &'static str),
}

/// A value behind the question mark.
#[derive(Clone, Copy)]
pub(in crate::http) struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    /// Type and format of JSON Schema.
    pub kind: (&'static str, Option<&'static str>),
}

impl Parameter {
    pub(in crate::http) const fn text(name: &'static str, about: &'static str) -> Parameter {
        Parameter {
            name,
            about,
            kind: ("string", None),
        }
    }

    pub(super) const fn time(name: &'static str, about: &'static str) -> Parameter {
        Parameter {
            name,
            about,
            kind: ("string", Some("date-time")),
        }
    }

    pub(in crate::http) const fn number(name: &'static str, about: &'static str) -> Parameter {
        Parameter {
            name,
            about,
            kind: ("integer", None),
        }
    }
}

/// What every list takes.
pub(super) const PAGED: &[Parameter] = &[
    Parameter::text("cursor", "Where the page before ended, as it said itself"),
    Parameter::number(
        "limit",
        "Most items of the page, 1 to 1000; 100 when absent",
    ),
];

/// What a route does, for programs and for the gate.
pub(in crate::http) struct Operation {
    /// Its name, once in the whole API.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The topic it is listed under.
    pub topic: &'static str,
    /// A scope that lets a token pass; `None` where any token or none does.
    pub scope: Option<ApiScope>,
    /// What stands behind the question mark.
    pub asks: &'static [Parameter],
    /// The body of the request.
    pub takes: Option<Shape>,
    /// Status and body of the answer.
    pub gives: (u16, Gives),
    /// It creates or starts something: done once for each key.
    pub keyed: bool,
    /// It changes an object that is there: the state that was seen must be said.
    pub conditional: bool,
    /// A person must have given the password a moment ago.
    pub dangerous: bool,
    /// The body is a file, or a part of one.
    pub takes_bytes: bool,
    /// It may be refused because of what happened since.
    pub conflicts: bool,
    /// Its answer holds a secret that is shown once.
    pub secret: bool,
    /// Its pages are cut from a state that is not kept for ever.
    pub expires: bool,
    /// The details of the job it starts.
    pub result: Option<Shape>,
}

impl Operation {
    /// One that reads an object or a list.
    pub(in crate::http) const fn read(
        topic: &'static str,
        name: &'static str,
        about: &'static str,
        scope: ApiScope,
        gives: Gives,
    ) -> Operation {
        Operation {
            name,
            about,
            topic,
            scope: Some(scope),
            asks: match gives {
                Gives::Page(_) => PAGED,
                _ => &[],
            },
            takes: None,
            gives: (200, gives),
            keyed: false,
            conditional: false,
            dangerous: false,
            takes_bytes: false,
            conflicts: false,
            secret: false,
            expires: false,
            result: None,
        }
    }

    /// The same with a body, such as a query.
    pub(super) const fn with(mut self, takes: Shape) -> Operation {
        self.takes = Some(takes);
        self
    }

    /// The same with other values behind the question mark.
    pub(in crate::http) const fn asking(mut self, asks: &'static [Parameter]) -> Operation {
        self.asks = asks;
        self
    }

    /// It creates or starts something.
    pub(super) const fn starting(mut self, takes: Shape) -> Operation {
        self.takes = Some(takes);
        self.gives.0 = 201;
        self.keyed = true;
        self
    }

    /// It starts something long: the answer is the job.
    pub(super) const fn starting_job(mut self, takes: Shape) -> Operation {
        self.takes = Some(takes);
        self.gives = (202, Gives::One(Shape::of::<Job>()));
        self.keyed = true;
        self
    }

    /// What the job it starts tells programs in the end.
    pub(super) const fn resulting(mut self, result: Shape) -> Operation {
        self.result = Some(result);
        self
    }

    /// What is asked for was taken up, and may not be done yet.
    pub(super) const fn accepted(mut self) -> Operation {
        self.gives.0 = 202;
        self
    }

    /// It may stand in conflict with what happened since, though it changes nothing.
    pub(in crate::http) const fn conflicting(mut self) -> Operation {
        self.conflicts = true;
        self
    }

    /// Its answer holds a secret that is shown once: nothing keeps it on disk.
    pub(super) const fn secret(mut self) -> Operation {
        self.secret = true;
        self
    }

    /// Its pages are cut from a state that is not kept for ever.
    pub(super) const fn expiring(mut self) -> Operation {
        self.expires = true;
        self
    }

    /// The body is a file, or a part of one.
    pub(super) const fn taking_bytes(mut self) -> Operation {
        self.takes_bytes = true;
        self
    }

    /// It answers without a body.
    pub(super) const fn empty(mut self) -> Operation {
        self.gives.0 = 204;
        self
    }

    /// It cannot be taken back.
    pub(super) const fn dangerous(mut self) -> Operation {
        self.dangerous = true;
        self
    }

    /// Whoever comes with a token or none.
    pub(super) const fn without_scope(mut self) -> Operation {
        self.scope = None;
        self
    }

    /// It changes an object.
    pub(super) const fn changing(mut self, takes: Option<Shape>) -> Operation {
        self.takes = takes;
        self.conditional = true;
        self
    }
}
