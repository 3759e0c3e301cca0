//! Files on their way in from programs: announced, sent in parts, resumed, imported, asked about.
//!
//! An import is announced first and has an id of its own (`upl_…`); its files are sent to it, each whole
//! or in parts; then it is run as often as needed: tried, asked about, answered, imported. One job takes
//! all files that were not imported yet; each has a report of its own.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, head, post, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt as _;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::importing::{begin_import_of, place_of, settled, write};
use super::super::intake::{Said, Stand, UploadLine};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::imports::{Import, ImportEnd, announced};
use super::jobs::started;
use super::json::{Answer, Given, Named, id};
use super::operation::{Gives, Operation, Shape};
use super::state::{Seen, tagged, tagged_as};
use crate::app::{UPLOAD_BYTES_MAX, Upload};
use crate::crypto::Digest;
use crate::domain::{ApiScope, Right, UploadId, UserNo};

const TOPIC: &str = "Imports";
/// Bytes gathered before they are sealed.
const GATHERED_BYTES: usize = 1 << 20;
/// How much of a file is here (draft-ietf-httpbis-resumable-upload).
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// How much it is in all.
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Whether it is here whole: ?1 or ?0.
const UPLOAD_COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
/// SHA-256 of the whole (RFC 9530).
const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

const MAY: Access = Access::With(Right::Import);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::post("/api/v1/imports", MAY, || post(announce)).doing(
        Operation::read(
            TOPIC,
            "announceImport",
            "Announces an import; its files are sent to it afterwards",
            ApiScope::ImportWrite,
            Gives::One(Shape::of::<Import>()),
        )
        .starting(Shape::of::<Answers>()),
    ),
    Route::new(Method::DELETE, "/api/v1/imports/{id}", MAY, || {
        delete(discard)
    })
    .doing(
        Operation::read(
            TOPIC,
            "discardImport",
            "Throws an announced import away, with its files; what was imported stays",
            ApiScope::ImportWrite,
            Gives::Other("Nothing"),
        )
        .changing(None)
        .empty(),
    ),
    Route::taking(
        Method::PUT,
        "/api/v1/imports/{id}/files/{name}",
        MAY,
        usize::MAX,
        || put(receive),
    )
    .doing(
        Operation::read(
            TOPIC,
            "sendFile",
            "Sends a file of an announced import, whole or the next part of it; what was cut off is resumed where the answer to HEAD says",
            ApiScope::ImportWrite,
            Gives::One(Shape::of::<Import>()),
        )
        .taking_bytes(),
    ),
    Route::new(
        Method::HEAD,
        "/api/v1/imports/{id}/files/{name}",
        MAY,
        || head(received),
    )
    .doing(Operation::read(
        TOPIC,
        "askFile",
        "Says how much of a file is here: Upload-Offset, Upload-Length, Upload-Complete, and Repr-Digest once it is whole",
        ApiScope::ImportWrite,
        Gives::Empty("How much is here, in headers"),
    )),
    Route::post("/api/v1/imports/{id}/runs", MAY, || post(run)).doing(
        Operation::read(
            TOPIC,
            "runImport",
            "Imports the files, or says what would happen; what must be decided first comes back as `questions` in the details of the job and is answered by running it again",
            ApiScope::ImportWrite,
            Gives::One(Shape::of::<Import>()),
        )
        .starting_job(Shape::of::<RunOrder>())
        .resulting(Shape::of::<ImportEnd>()),
    ),
];

/// What is known about a file. What was said before counts as long as nothing else is said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Answers {
    /// Zone of the phone, such as Europe/Lisbon, where the file says none.
    #[serde(default)]
    zone: Option<String>,
    /// Local time at which a meeting began, such as 2024-05-06 09:15, where its chat has no date.
    #[serde(default)]
    start: Option<String>,
    /// dmy, mdy or ymd.
    #[serde(default)]
    date_order: Option<String>,
    /// Whether headers in a second style, or against the order of time, begin messages.
    #[serde(default)]
    trust_headers: Option<bool>,
    /// Name of the person who exported, where the file only says "me".
    #[serde(default)]
    me: Option<String>,
    /// How columns become messages: a mapping as JSON, in a text.
    #[serde(default)]
    mapping: Option<String>,
    /// Leave out what has no date that can be read, and keep it in the report.
    #[serde(default)]
    import_rest: Option<bool>,
    /// Title of the conversation, where the file does not name it.
    #[serde(default)]
    title: Option<String>,
    /// Id of the conversation it continues, or `new`.
    #[serde(default)]
    continues: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// How the files of an import are run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RunOrder {
    /// Zone of the phone, such as Europe/Lisbon, where the file says none.
    #[serde(default)]
    zone: Option<String>,
    /// Local time at which a meeting began, such as 2024-05-06 09:15, where its chat has no date.
    #[serde(default)]
    start: Option<String>,
    /// dmy, mdy or ymd.
    #[serde(default)]
    date_order: Option<String>,
    /// Whether headers in a second style, or against the order of time, begin messages.
    #[serde(default)]
    trust_headers: Option<bool>,
    /// Name of the person who exported, where the file only says "me".
    #[serde(default)]
    me: Option<String>,
    /// How columns become messages: a mapping as JSON, in a text.
    #[serde(default)]
    mapping: Option<String>,
    /// Leave out what has no date that can be read, and keep it in the report.
    #[serde(default)]
    import_rest: Option<bool>,
    /// Title of the conversation, where the file does not name it.
    #[serde(default)]
    title: Option<String>,
    /// Id of the conversation it continues, or `new`.
    #[serde(default)]
    continues: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
    /// Names of the files to run; all that were not imported yet when absent.
    #[serde(default)]
    only: Vec<String>,
}

impl RunOrder {
    fn parts(self) -> (Answers, Vec<String>) {
        let answers = Answers {
            zone: self.zone,
            start: self.start,
            date_order: self.date_order,
            trust_headers: self.trust_headers,
            me: self.me,
            mapping: self.mapping,
            import_rest: self.import_rest,
            title: self.title,
            continues: self.continues,
            dry_run: self.dry_run,
        };
        (answers, self.only)
    }
}

impl Answers {
    fn said(self) -> Said {
        let word = |answer: Option<bool>| match answer {
            None => String::new(),
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
        };
        Said {
            zone: self.zone.unwrap_or_default(),
            start: self.start.unwrap_or_default(),
            date_order: self.date_order.unwrap_or_default(),
            trust_headers: word(self.trust_headers),
            me: self.me.unwrap_or_default(),
            mapping: self.mapping.unwrap_or_default(),
            import_rest: word(self.import_rest),
            title: self.title.unwrap_or_default(),
            continues: self.continues.unwrap_or_default(),
            run: if self.dry_run { "dry" } else { "commit" }.to_owned(),
        }
    }
}

async fn announce(
    State(house): State<Arc<House>>,
    who: Who,
    Given(answers): Given<Answers>,
) -> Answer {
    let said = answers.said();
    said.check()?;
    let (id, now) = house
        .ask(|one| Ok((one.mint_upload(), one.now().wall)))
        .await?;
    let owner = who.session.actor.no;
    house.intake.announce(owner, id, now, &said)?;
    tagged_as(
        StatusCode::CREATED,
        &announced(&house.intake.files(owner, id)?)?,
    )
}

async fn discard(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
) -> Answer {
    let (seen, id) = (Seen::read(&headers)?, id::<UploadId>(&name)?);
    let owner = who.session.actor.no;
    let lines = all_settled(&house, owner, id)?;
    seen.check(&announced(&lines)?)?;
    for job in lines.iter().filter_map(|line| line.last) {
        house.jobs.stop(owner, job);
    }
    house.intake.discard(owner, id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn run(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Given(order): Given<RunOrder>,
) -> Answer {
    let id = id::<UploadId>(&name)?;
    let (answers, only) = order.parts();
    let job = begin_import_of(&house, &who, id, &answers.said(), &only)?;
    started(&house, &who, job).await
}

/// A part of a file, as its headers say.
#[derive(Clone, Copy)]
struct Part {
    first: u64,
    /// Bytes of the part; `None` where it ends with the body.
    bytes: Option<u64>,
    /// Bytes of the whole; `None` where it ends with the body.
    total: Option<u64>,
    digest: Option<Digest>,
}

impl Part {
    fn read(headers: &HeaderMap) -> Result<Part, Refusal> {
        let digest = match headers.get(REPR_DIGEST) {
            None => None,
            Some(text) => Some(digest_of(text).ok_or_else(|| {
                Refusal::usage("Repr-Digest is written sha-256=:…: with the hash in base 64.")
            })?),
        };
        if !headers.contains_key(header::CONTENT_RANGE) {
            return Ok(Part {
                first: 0,
                bytes: None,
                total: None,
                digest,
            });
        }
        let (first, last, total) = place_of(headers).ok_or_else(|| {
            Refusal::usage("Content-Range is written bytes 0-999/5000: first, last, all.")
        })?;
        if total > UPLOAD_BYTES_MAX {
            return Err(Refusal::usage(format!(
                "A file has at most {} GiB.",
                UPLOAD_BYTES_MAX >> 30
            )));
        }
        Ok(Part {
            first,
            bytes: Some(last - first + 1),
            total: Some(total),
            digest,
        })
    }
}

/// The SHA-256 of a digest field (RFC 9530, 3); other algorithms beside it are left alone.
fn digest_of(value: &HeaderValue) -> Option<Digest> {
    let text = value.to_str().ok()?;
    let of_ours = text.split(',').find_map(|one| {
        let (name, value) = one.trim().split_once('=')?;
        name.eq_ignore_ascii_case("sha-256").then_some(value)
    })?;
    let bytes = STANDARD
        .decode(of_ours.strip_prefix(':')?.strip_suffix(':')?)
        .ok()?;
    bytes.try_into().ok()
}

/// Takes the next part of a file.
async fn receive(
    State(house): State<Arc<House>>,
    who: Who,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let id = id.parse::<UploadId>().map_err(|_| Refusal::not_found())?;
    let part = Part::read(&headers)?;
    // Whoever sends may be cut off: what arrived is kept all the same, to be resumed.
    let (at, owner) = (Arc::clone(&house), who.session.actor.no);
    let work = tokio::spawn(async move { take(&at, &who, id, name, part, body).await });
    let line = work.await.unwrap_or_else(|_| Err(Refusal::broken()))?;
    let status = match line.stand {
        Stand::Receiving => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let mut response = tagged_as(status, &announced(&house.intake.files(owner, id)?)?)?;
    tell(&mut response, &line);
    Ok(response)
}

async fn take(
    house: &Arc<House>,
    who: &Who,
    id: UploadId,
    name: String,
    part: Part,
    body: Body,
) -> Result<UploadLine, Refusal> {
    let owner = who.session.actor.no;
    let id = match place_for(house, owner, id, &name)? {
        Place::Known(file) => file,
        place => {
            let (session, asked) = (who.session.clone(), name.clone());
            let (upload, minted, now) = house
                .ask(move |one| {
                    let upload = one.begin_upload(&session, &name, None)?;
                    Ok((upload, one.mint_upload(), one.now().wall))
                })
                .await?;
            if upload.name() != asked {
                return Err(Refusal::usage(
                    "The name of a file is one line of at most 200 characters, without a path.",
                ));
            }
            let file = match place {
                Place::Further => {
                    house.intake.add(owner, minted, id, now)?;
                    minted
                }
                _ => id,
            };
            let bytes = part.total.unwrap_or(0);
            house.intake.name(owner, file, upload, bytes)?;
            file
        }
    };
    let upload = house.intake.lend(owner, id)?;
    let at = upload.received();
    let line = house.intake.find(owner, id)?;
    let other_total = part.total.is_some_and(|total| total != line.bytes);
    if at != part.first || other_total {
        house.intake.give_back(owner, id, upload);
        return Err(misplaced(at, line.bytes));
    }
    let (upload, ended) = drain(house, upload, part, body).await?;
    let at = upload.received();
    let total = part.total.unwrap_or(at);
    match ended.is_ok() && at == total {
        true => whole(house, owner, id, upload, part.digest).await?,
        false if part.total.is_none() => {
            // Without a length nobody could say where to go on.
            house.intake.forget(owner, id);
        }
        false => house.intake.give_back(owner, id, upload),
    }
    ended?;
    house.intake.find(owner, id)
}

/// Where a file of a name belongs.
enum Place {
    /// It began to come, under this id.
    Known(UploadId),
    /// Nothing of the import came yet.
    First,
    /// Others came before.
    Further,
}

fn place_for(house: &House, owner: UserNo, id: UploadId, name: &str) -> Result<Place, Refusal> {
    let files = house.intake.files(owner, id)?;
    if let Some(file) = files.iter().find(|file| file.name == name) {
        return Ok(Place::Known(file.id));
    }
    match files.first().is_some_and(|first| first.name.is_empty()) {
        true => Ok(Place::First),
        false => Ok(Place::Further),
    }
}

/// The files of an announced import as they stand.
fn all_settled(house: &House, owner: UserNo, id: UploadId) -> Result<Vec<UploadLine>, Refusal> {
    let files = house.intake.files(owner, id)?.into_iter();
    Ok(files.map(|line| settled(house, owner, line)).collect())
}

/// Seals a body as it comes. Whatever ends it, what arrived before is kept.
async fn drain(
    house: &House,
    mut upload: Box<Upload>,
    part: Part,
    body: Body,
) -> Result<(Box<Upload>, Result<(), Refusal>), Refusal> {
    let mut left = part.bytes;
    let (mut stream, mut gathered) = (body.into_data_stream(), Vec::new());
    let ended = loop {
        let piece: Option<Result<Bytes, axum::Error>> = stream.next().await;
        let (piece, end) = match piece {
            Some(Ok(piece)) => (piece, None),
            Some(Err(_)) => (Bytes::new(), Some(Err(cut_off()))),
            None => (Bytes::new(), Some(Ok(()))),
        };
        if let Some(left) = &mut left {
            match left.checked_sub(piece.len() as u64) {
                Some(less) => *left = less,
                None => {
                    break Err(Refusal::usage(
                        "The part is longer than Content-Range says.",
                    ));
                }
            }
        }
        gathered.extend_from_slice(&piece);
        if end.is_some() || gathered.len() >= GATHERED_BYTES {
            let bytes = std::mem::take(&mut gathered);
            upload = write(house, upload, bytes.into()).await?;
        }
        match end {
            Some(Ok(())) if left.is_some_and(|left| left > 0) => break Err(cut_off()),
            Some(end) => break end,
            None => {}
        }
    };
    Ok((upload, ended))
}

fn cut_off() -> Refusal {
    Refusal::new(
        StatusCode::BAD_REQUEST,
        "body",
        "The part did not arrive whole",
        "What arrived is kept: ask with HEAD where to go on.",
    )
}

fn misplaced(at: u64, total: u64) -> Refusal {
    Refusal {
        current: Some(Box::new(serde_json::json!({
            "received": at,
            "bytes": total,
        }))),
        ..Refusal::new(
            StatusCode::CONFLICT,
            "conflict",
            "The part does not go on where the file ends",
            format!("{at} bytes are here: send what follows, with the same length of the whole."),
        )
    }
}

/// Ends a file, and compares it with what its sender says it is.
async fn whole(
    house: &House,
    owner: UserNo,
    id: UploadId,
    upload: Box<Upload>,
    digest: Option<Digest>,
) -> Result<(), Refusal> {
    let file = house.ask(move |_| upload.finish()).await;
    let file = file.inspect_err(|_| house.intake.forget(owner, id))?;
    if digest.is_some_and(|digest| digest != file.sha256) {
        house.intake.forget(owner, id);
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "digest",
            "The file is not what was sent",
            "Its SHA-256 differs from Repr-Digest. It was thrown away: send it again from the start.",
        ));
    }
    house.intake.whole(owner, id, file)
}

/// How much of a file is here.
async fn received(
    State(house): State<Arc<House>>,
    who: Who,
    Path((id, name)): Path<(String, String)>,
) -> Answer {
    let id = id.parse::<UploadId>().map_err(|_| Refusal::not_found())?;
    let owner = who.session.actor.no;
    let mut response = StatusCode::OK.into_response();
    match place_for(&house, owner, id, &name)? {
        Place::Known(file) => tell(&mut response, &house.intake.find(owner, file)?),
        Place::First | Place::Further => {
            let headers = response.headers_mut();
            headers.insert(UPLOAD_OFFSET, 0.into());
            headers.insert(UPLOAD_LENGTH, 0.into());
            headers.insert(UPLOAD_COMPLETE, HeaderValue::from_static("?0"));
        }
    }
    Ok(response)
}

/// Says in headers how much is here.
fn tell(response: &mut Response, line: &UploadLine) {
    let is_whole = line.sha256.is_some();
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, line.received.into());
    headers.insert(UPLOAD_LENGTH, line.bytes.into());
    let complete = HeaderValue::from_static(if is_whole { "?1" } else { "?0" });
    headers.insert(UPLOAD_COMPLETE, complete);
    if let Some(digest) = line.sha256 {
        let text = format!("sha-256=:{}:", STANDARD.encode(digest));
        if let Ok(text) = HeaderValue::from_str(&text) {
            headers.insert(REPR_DIGEST, text);
        }
    }
}

/// How an announced import stands; not found for what is none.
pub(super) fn shown(house: &House, who: &Who, id: UploadId) -> Answer {
    let owner = who.session.actor.no;
    tagged(&announced(&all_settled(house, owner, id)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_a_digest_is_read_among_others_and_only_whole() {
        let of = |text: &'static str| digest_of(&HeaderValue::from_static(text));
        let zero = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
        assert_eq!(of(zero), Some([0; 32]));
        assert_eq!(
            of("sha-512=:AAAA:, sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"),
            Some([0; 32])
        );
        for wrong in [
            "",
            "sha-256",
            "sha-256=AAAA",
            "sha-256=:AAAA:",
            "md5=:AAAA:",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
