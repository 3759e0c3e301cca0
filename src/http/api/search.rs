//! Searching: hits with snippets, counts, facets, and how a query is read. Queries stand in bodies.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked as InAddress;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, answer};
use super::operation::{Gives, Operation, Parameter, Shape};
use super::paging::{Total, limited};
use crate::app::{Reading, SUGGESTIONS_MAX, SearchAnswer, SearchRequest};
use crate::domain::{ApiScope, Right};
use crate::query::{Problem, TextPlace};
use crate::search::{CONTEXT_LINES_MAX, ClauseCount, Facet, FacetField, Hit, Line, Order, Step};

const TOPIC: &str = "Search";
/// Suggestions when nobody says how many.
const SUGGESTIONS: usize = 10;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::post("/api/v1/search", Access::With(Right::ReadContent), || {
        post(hits)
    })
    .doing(
        Operation::read(
            TOPIC,
            "search",
            "Answers a query: hits with snippets, exact total, how it was read",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<Found>()),
        )
        .with(Shape::of::<Question>())
        .expiring(),
    ),
    Route::post(
        "/api/v1/search/count",
        Access::With(Right::ReadContent),
        || post(count),
    )
    .doing(
        Operation::read(
            TOPIC,
            "countHits",
            "Counts the hits of a query, exactly",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<Counted>()),
        )
        .with(Shape::of::<Asked>()),
    ),
    Route::post(
        "/api/v1/search/facets",
        Access::With(Right::ReadContent),
        || post(facets),
    )
    .doing(
        Operation::read(
            TOPIC,
            "spreadHits",
            "Spreads the hits of a query over platforms, people, conversations and years",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<Spread>()),
        )
        .with(Shape::of::<AskedBy>()),
    ),
    Route::post(
        "/api/v1/search/histogram",
        Access::With(Right::ReadContent),
        || post(histogram),
    )
    .doing(
        Operation::read(
            TOPIC,
            "spreadOverTime",
            "Spreads the hits of a query over days, months or years",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<OverTime>()),
        )
        .with(Shape::of::<AskedOverTime>()),
    ),
    Route::get("/api/v1/suggest", Access::With(Right::ReadContent), || {
        get(suggest)
    })
    .doing(
        Operation::read(
            TOPIC,
            "suggest",
            "Says how a word of a query could go on: fields, people, conversations, saved searches",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<Suggestions>()),
        )
        .asking(&[
            Parameter::text("beginning", "What was typed so far"),
            Parameter::number("limit", "Most suggestions, 1 to 50; 10 when absent"),
        ]),
    ),
    Route::post(
        "/api/v1/query/check",
        Access::With(Right::ReadContent),
        || post(check),
    )
    .doing(
        Operation::read(
            TOPIC,
            "checkQuery",
            "Says how a query is read, without running it",
            ApiScope::SearchRead,
            Gives::One(Shape::of::<ReadAs>()),
        )
        .with(Shape::of::<Asked>()),
    ),
];

/// A search for a page of hits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The query, in the language of the search box.
    query: String,
    /// Zone of its dates and of local times, such as Europe/Lisbon; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// newest, oldest or best; newest when absent.
    #[serde(default)]
    order: Option<String>,
    /// Most hits of the page, 1 to 1000; 100 when absent.
    #[serde(default)]
    limit: Option<usize>,
    /// Messages shown before and after each hit, 0 to 50.
    #[serde(default)]
    context: u32,
    /// Where the page before ended.
    #[serde(default)]
    cursor: Option<String>,
    /// Warnings block.
    #[serde(default)]
    strict: bool,
    /// Warnings accepted by code, such as W03.
    #[serde(default)]
    accept: Vec<String>,
}

/// A query alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The query, in the language of the search box.
    query: String,
    /// Zone of its dates; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// Warnings block.
    #[serde(default)]
    strict: bool,
    /// Warnings accepted by code, such as W03.
    #[serde(default)]
    accept: Vec<String>,
}

/// A query and what its hits are counted by.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskedBy {
    /// The query, in the language of the search box.
    query: String,
    /// Zone of its dates; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// app, from, conversation, year; all of them when absent.
    #[serde(default)]
    fields: Vec<String>,
}

/// A query and the steps over which its hits are spread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AskedOverTime {
    /// The query, in the language of the search box.
    query: String,
    /// Zone of its dates and of the steps; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// day, month or year; month when absent.
    #[serde(default)]
    step: Option<String>,
}

/// Hits over time.
#[derive(Serialize, ToSchema)]
struct OverTime {
    total: Total,
    /// The zone of the steps.
    zone: String,
    /// Steps that have any, eldest first.
    bars: Vec<Bar>,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// Hits of one step.
#[derive(Serialize, ToSchema)]
struct Bar {
    /// As `date:` of a query would say it.
    date: String,
    count: u64,
}

/// What stands behind the question mark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    #[serde(default)]
    beginning: String,
    limit: Option<usize>,
}

/// Ways to go on.
#[derive(Serialize, ToSchema)]
struct Suggestions {
    items: Vec<GoesOn>,
}

/// A way to go on.
#[derive(Serialize, ToSchema)]
struct GoesOn {
    /// field, person, conversation or search.
    kind: &'static str,
    /// What people call it.
    label: String,
    /// What a query would say.
    insert: String,
}

/// How a query was read.
#[derive(Serialize, ToSchema)]
struct ReadAs {
    /// What it means, as a sentence.
    read_as: String,
    /// Fully parenthesised, names as ids.
    canonical: String,
    /// The same with relative dates absolute.
    resolved: String,
    /// Zone of its dates.
    zone: String,
    /// Notes and warnings.
    problems: Vec<Doubt>,
}

/// A note or a warning about a query.
#[derive(Serialize, ToSchema)]
struct Doubt {
    /// Stable code, such as W03.
    code: &'static str,
    /// note, warning or error.
    severity: &'static str,
    /// First byte of its place in the query.
    start: usize,
    /// One past the last byte.
    end: usize,
    /// What it says.
    message: String,
}

/// What a search found.
#[derive(Serialize, ToSchema)]
struct Found {
    items: Vec<Shown>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    total: Total,
    /// The state of the archive that all pages are cut from; told to those who see everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    /// Last sequence number that the answer knows.
    complete_through: u64,
    /// Whether nothing waits to be indexed.
    complete: bool,
    reading: ReadAs,
    /// What each clause finds alone, when the whole finds nothing.
    zero: Vec<Clause>,
    /// Matches left out because a request for erasure restricted them, for who may see them.
    withheld: u64,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// What one clause finds alone.
#[derive(Serialize, ToSchema)]
struct Clause {
    text: String,
    /// null when counting takes too long.
    count: Option<u64>,
    /// Words one letter away that do occur.
    spellings: Vec<Spelling>,
}

/// A word that occurs.
#[derive(Serialize, ToSchema)]
struct Spelling {
    word: String,
    count: u64,
}

/// A hit.
#[derive(Serialize, ToSchema)]
struct Shown {
    #[serde(flatten)]
    line: Row,
    conversation: InConversation,
    /// The zone of `local`.
    zone: String,
    /// The time as the source wrote it, without zone.
    source_local: Option<String>,
    /// The zone of the source was assumed: the instant may be hours off.
    zone_assumed: bool,
    snippets: Vec<Piece>,
    /// How many versions the message has.
    versions: u16,
    /// Names of its files.
    attachments: Vec<String>,
    before: Vec<Row>,
    after: Vec<Row>,
}

/// Where a hit stands.
#[derive(Serialize, ToSchema)]
struct InConversation {
    id: String,
    title: String,
}

/// A message in short.
#[derive(Serialize, ToSchema)]
struct Row {
    id: String,
    /// Who wrote it; null for notices of the platform.
    sender: Option<Writer>,
    sent: Instant,
    /// The same in the zone of the query, without offset.
    local: String,
    app: &'static str,
    kind: &'static str,
    /// Its opening words.
    opening: String,
    /// Whether more stands behind them.
    cut: bool,
}

/// Who wrote a message.
#[derive(Serialize, ToSchema)]
struct Writer {
    /// Id of the person, where one is known.
    person: Option<String>,
    label: String,
}

/// A piece of a text with what matched.
#[derive(Serialize, ToSchema)]
struct Piece {
    /// version, filename or extracted.
    of: &'static str,
    /// Which one, from 0.
    number: u32,
    text: String,
    /// Ranges of bytes in `text`: first, one past the last.
    highlights: Vec<Vec<usize>>,
    cut_before: bool,
    cut_after: bool,
}

/// How many match.
#[derive(Serialize, ToSchema)]
struct Counted {
    total: Total,
    reading: ReadAs,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// Hits by field.
#[derive(Serialize, ToSchema)]
struct Spread {
    total: Total,
    facets: Vec<ByField>,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// Hits by the values of one field.
#[derive(Serialize, ToSchema)]
struct ByField {
    field: &'static str,
    /// Most hits first.
    values: Vec<ByValue>,
}

/// Hits of one value.
#[derive(Serialize, ToSchema)]
struct ByValue {
    /// What a query would say; empty for hits without a value.
    id: String,
    label: String,
    count: u64,
}

async fn hits(State(house): State<Arc<House>>, who: Who, Given(asked): Given<Question>) -> Answer {
    let order = match asked.order.as_deref() {
        None => Order::Newest,
        Some(name) => Order::from_name(name)
            .ok_or_else(|| Refusal::usage("\"order\" is newest, oldest or best."))?,
    };
    if asked.context > CONTEXT_LINES_MAX {
        return Err(Refusal::usage(format!(
            "\"context\" is 0 to {CONTEXT_LINES_MAX}."
        )));
    }
    let request = SearchRequest {
        zone: asked.zone,
        limit: limited(asked.limit)?,
        order,
        context_lines: asked.context,
        strict: asked.strict,
        accept: asked.accept,
        cursor: asked.cursor,
        ..SearchRequest::new(asked.query)
    };
    let found = run(&house, &who, request).await?;
    answer(StatusCode::OK, &shown(&found))
}

async fn count(State(house): State<Arc<House>>, who: Who, Given(asked): Given<Asked>) -> Answer {
    let request = SearchRequest {
        count_only: true,
        ..asked.request()
    };
    let found = run(&house, &who, request).await?;
    let counted = Counted {
        total: Total::exact(found.answer.total),
        reading: read_as(&found.reading),
        audit: found.audit.0,
    };
    answer(StatusCode::OK, &counted)
}

async fn facets(State(house): State<Arc<House>>, who: Who, Given(asked): Given<AskedBy>) -> Answer {
    let fields = match asked.fields.is_empty() {
        true => FacetField::ALL.to_vec(),
        false => {
            let named = asked.fields.iter().map(|name| {
                FacetField::from_name(name).ok_or_else(|| {
                    Refusal::usage("\"fields\" are app, from, conversation and year.")
                })
            });
            named.collect::<Result<Vec<_>, _>>()?
        }
    };
    let request = SearchRequest {
        zone: asked.zone,
        facets: fields,
        count_only: true,
        ..SearchRequest::new(asked.query)
    };
    let found = run(&house, &who, request).await?;
    let spread = Spread {
        total: Total::exact(found.answer.total),
        facets: found.facets.iter().map(by_field).collect(),
        audit: found.audit.0,
    };
    answer(StatusCode::OK, &spread)
}

async fn histogram(
    State(house): State<Arc<House>>,
    who: Who,
    Given(asked): Given<AskedOverTime>,
) -> Answer {
    let step = match asked.step.as_deref() {
        None => Step::Month,
        Some(name) => Step::from_name(name)
            .ok_or_else(|| Refusal::usage("\"step\" is day, month or year."))?,
    };
    let request = SearchRequest {
        zone: asked.zone,
        histogram: Some(step),
        count_only: true,
        ..SearchRequest::new(asked.query)
    };
    let found = run(&house, &who, request).await?;
    let bars = found.histogram.iter().map(|(date, count)| Bar {
        date: date.clone(),
        count: *count,
    });
    let over_time = OverTime {
        total: Total::exact(found.answer.total),
        zone: found.reading.zone.name().to_owned(),
        bars: bars.collect(),
        audit: found.audit.0,
    };
    answer(StatusCode::OK, &over_time)
}

async fn suggest(
    State(house): State<Arc<House>>,
    who: Who,
    InAddress(typed): InAddress<Typed>,
) -> Answer {
    let limit = match typed.limit {
        None => SUGGESTIONS,
        Some(limit @ 1..=SUGGESTIONS_MAX) => limit,
        Some(_) => {
            return Err(Refusal::usage(format!(
                "\"limit\" is 1 to {SUGGESTIONS_MAX}."
            )));
        }
    };
    let found = house
        .ask(move |appliance| appliance.suggest(&who.session, &typed.beginning, limit))
        .await?;
    let items = found.into_iter().map(|one| GoesOn {
        kind: one.kind,
        label: one.label,
        insert: one.insert,
    });
    let suggestions = Suggestions {
        items: items.collect(),
    };
    answer(StatusCode::OK, &suggestions)
}

async fn check(State(house): State<Arc<House>>, who: Who, Given(asked): Given<Asked>) -> Answer {
    let request = asked.request();
    let reading = house
        .ask(move |appliance| appliance.check_query(&who.session, &request))
        .await?;
    answer(StatusCode::OK, &read_as(&reading))
}

impl Asked {
    fn request(self) -> SearchRequest {
        SearchRequest {
            zone: self.zone,
            strict: self.strict,
            accept: self.accept,
            ..SearchRequest::new(self.query)
        }
    }
}

async fn run(house: &House, who: &Who, request: SearchRequest) -> Result<SearchAnswer, Refusal> {
    let session = who.session.clone();
    house
        .ask(move |appliance| appliance.search(&session, &request))
        .await
}

fn shown(found: &SearchAnswer) -> Found {
    Found {
        items: found.answer.hits.iter().map(hit).collect(),
        next_cursor: found.next.clone(),
        total: Total::exact(found.answer.total),
        snapshot: found.snapshot.clone(),
        complete_through: found.answer.watermark.through,
        complete: found.answer.watermark.is_complete(),
        reading: read_as(&found.reading),
        zero: found.zero.iter().map(clause).collect(),
        withheld: found.withheld,
        audit: found.audit.0,
    }
}

fn read_as(reading: &Reading) -> ReadAs {
    ReadAs {
        read_as: reading.read_as.clone(),
        canonical: reading.canonical.clone(),
        resolved: reading.resolved.clone(),
        zone: reading.zone.name().to_owned(),
        problems: reading.problems.iter().map(remark).collect(),
    }
}

fn remark(problem: &Problem) -> Doubt {
    Doubt {
        code: problem.code.name(),
        severity: problem.severity().name(),
        start: problem.span.start,
        end: problem.span.end,
        message: problem.message.clone(),
    }
}

fn clause(clause: &ClauseCount) -> Clause {
    let spellings = clause.spellings.iter().map(|(word, count)| Spelling {
        word: word.clone(),
        count: *count,
    });
    Clause {
        text: clause.text.clone(),
        count: clause.count,
        spellings: spellings.collect(),
    }
}

fn hit(hit: &Hit) -> Shown {
    let time = &hit.line.time;
    Shown {
        line: row(&hit.line),
        conversation: InConversation {
            id: hit.conversation.id.to_string(),
            title: hit.conversation.title.clone(),
        },
        zone: time.zone.name().to_owned(),
        source_local: time.source_local.map(|local| local.to_string()),
        zone_assumed: time.zone_assumed,
        snippets: hit.pieces.iter().map(piece).collect(),
        versions: hit.versions,
        attachments: hit.attachments.clone(),
        before: hit.before.iter().map(row).collect(),
        after: hit.after.iter().map(row).collect(),
    }
}

fn row(line: &Line) -> Row {
    Row {
        id: line.id.to_string(),
        sender: line.sender.as_ref().map(|sender| Writer {
            person: sender.person.map(|person| person.to_string()),
            label: sender.label.clone(),
        }),
        sent: Instant(line.time.sent),
        local: line.time.local.format("%Y-%m-%dT%H:%M:%S").to_string(),
        app: line.app.name(),
        kind: line.kind.name(),
        opening: line.opening.clone(),
        cut: line.cut,
    }
}

fn piece(piece: &crate::search::Piece) -> Piece {
    let (of, number) = match piece.place {
        TextPlace::Version(number) => ("version", number),
        TextPlace::Filename(number) => ("filename", number),
        TextPlace::Extracted(number) => ("extracted", number),
    };
    let snippet = &piece.snippet;
    Piece {
        of,
        number,
        text: snippet.text.clone(),
        highlights: snippet
            .highlights
            .iter()
            .map(|range| vec![range.start, range.end])
            .collect(),
        cut_before: snippet.cut_before,
        cut_after: snippet.cut_after,
    }
}

fn by_field(facet: &Facet) -> ByField {
    let values = facet.values.iter().map(|value| ByValue {
        id: value.id.clone(),
        label: value.label.clone(),
        count: value.count,
    });
    ByField {
        field: facet.field.name(),
        values: values.collect(),
    }
}
