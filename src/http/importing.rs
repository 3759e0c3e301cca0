//! Files becoming imports: parts written under seal, imports begun, what came of them told to people and
//! programs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};

use super::api::imports::ImportEnd;
use super::guard::Who;
use super::house::House;
use super::intake::{Said, Stand, UploadLine};
use super::jobs::{Act, JobResult, NewJob, Tone};
use super::page::import_report::sentence;
use super::refusal::Refusal;
use crate::app::import::ImportReceipt;
use crate::app::{AppError, Upload};
use crate::domain::{JobId, UploadId, UserNo};

/// A file whose import ended without having told so, such as one stopped before it began, is here again.
pub(super) fn settled(house: &House, owner: UserNo, line: UploadLine) -> UploadLine {
    let Stand::Working(id) = line.stand else {
        return line;
    };
    let job = house.jobs.find(owner, id);
    if job.is_some_and(|job| !job.state.is_over()) {
        return line;
    }
    // It may have told in between.
    match house.intake.find(owner, line.id) {
        Ok(UploadLine {
            stand: Stand::Working(_),
            ..
        }) => {
            house.intake.stands(owner, line.id, Stand::Here);
            UploadLine {
                stand: Stand::Here,
                ..line
            }
        }
        Ok(told) => told,
        Err(_) => line,
    }
}

/// Seals the next bytes of a file.
pub(super) async fn write(
    house: &House,
    mut upload: Box<Upload>,
    bytes: Bytes,
) -> Result<Box<Upload>, Refusal> {
    house
        .ask(move |_| {
            upload.receive(&bytes)?;
            Ok(upload)
        })
        .await
}

/// Ends a file: it is here whole.
pub(super) async fn finish(
    house: &House,
    owner: UserNo,
    id: UploadId,
    upload: Box<Upload>,
) -> Result<(), Refusal> {
    let whole = house.ask(move |_| upload.finish()).await;
    let whole = whole.inspect_err(|_| house.intake.discard(owner, id))?;
    house.intake.whole(owner, id, whole)
}

/// Starts the import of a file that is here.
///
/// # Errors
/// When the file is not here whole, is being imported, or what was said of it is wrong.
pub(super) fn begin_import(
    house: &House,
    who: &Who,
    id: UploadId,
    said: &Said,
) -> Result<JobId, Refusal> {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let owner = who.session.actor.no;
    let line = settled(house, owner, house.intake.find(owner, id)?);
    if matches!(line.stand, Stand::Working(_)) {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "conflict",
            "It is being imported",
            "Wait until the import is over.",
        ));
    }
    let request = house.intake.request(owner, id, said)?;
    let new = NewJob {
        id: appliance.mint_job(),
        owner,
        title: match request.dry_run {
            true => "Trying an import",
            false => "Import",
        },
        stops: true,
    };
    house.intake.stands(owner, id, Stand::Working(new.id));
    let (intake, session) = (house.intake.clone(), who.session.clone());
    let act: Act = Box::new(move |appliance, teller| {
        let page = format!("/imports/uploads/{id}");
        let (stand, result) = match appliance.import(&session, &request, teller) {
            Ok(receipt) => {
                let receipt = Arc::new(receipt);
                let result = import_result(&receipt, &page).telling(&ImportEnd::of(&receipt));
                match request.dry_run {
                    true => (Stand::Tried(receipt), Ok(result)),
                    false => (Stand::Done(receipt), Ok(result)),
                }
            }
            Err(AppError::Questions(questions)) => {
                let text = "Something must be decided before anything is imported.";
                let told = ImportEnd::asking(&questions);
                let mut result = JobResult::new(Tone::Warning, text).telling(&told);
                result.page = Some(page);
                (Stand::Asks(questions), Ok(result))
            }
            Err(AppError::Refused(refusal)) => {
                let told = ImportEnd::refused(&refusal);
                let mut result = JobResult::new(Tone::Bad, refusal.reason.clone()).telling(&told);
                result.page = Some(page);
                (Stand::Refused(refusal), Ok(result))
            }
            Err(error) => (Stand::Here, Err(error)),
        };
        intake.stands(owner, id, stand);
        result
    });
    let started = house.jobs.start(&appliance, new, act);
    started.inspect_err(|_| {
        house.intake.stands(owner, id, Stand::Here);
    })
}

fn import_result(receipt: &ImportReceipt, page: &str) -> JobResult {
    let tone = match receipt.counts.rejected {
        0 => Tone::Good,
        _ => Tone::Warning,
    };
    let mut result = JobResult::new(tone, sentence(receipt));
    result.page = Some(match receipt.id.or(receipt.same_as) {
        Some(id) => format!("/imports/{id}"),
        None => page.to_owned(),
    });
    result.audit = receipt.audit;
    result
}

/// Where a part stands in its file: first byte, last byte, bytes of the whole (RFC 9110, 14.4).
pub(super) fn place_of(headers: &HeaderMap) -> Option<(u64, u64, u64)> {
    let text = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let place = (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (place.0 <= place.1 && place.1 < place.2).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(u64, u64, u64)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_RANGE, text.parse().unwrap());
        place_of(&headers)
    }

    #[test]
    fn a_part_says_where_it_stands() {
        assert_eq!(of("bytes 0-9/100"), Some((0, 9, 100)));
        assert_eq!(of("bytes 99-99/100"), Some((99, 99, 100)));
        for wrong in [
            "bytes 9-0/100",
            "bytes 0-100/100",
            "bytes */100",
            "0-9/100",
            "bytes 0-9/*",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(place_of(&HeaderMap::new()), None);
    }
}
