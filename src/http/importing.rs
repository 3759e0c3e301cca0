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
use crate::app::import::{ImportReceipt, ImportRequest};
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

/// Starts the import of a file that is here, with the further files of its import.
///
/// # Errors
/// As [`begin_import_of`].
pub(super) fn begin_import(
    house: &House,
    who: &Who,
    id: UploadId,
    said: &Said,
) -> Result<JobId, Refusal> {
    begin_import_of(house, who, id, said, &[])
}

/// Starts the import of some of the files of an announced import; of all that were not imported yet when
/// none is named. One job, one report for each file.
///
/// # Errors
/// When a file is not here whole, is being imported, or what was said of it is wrong.
pub(super) fn begin_import_of(
    house: &House,
    who: &Who,
    id: UploadId,
    said: &Said,
    only: &[String],
) -> Result<JobId, Refusal> {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let owner = who.session.actor.no;
    let asked = asked_for(house, owner, id, said, only)?;
    let is_dry = said.is_dry();
    let new = NewJob {
        id: appliance.mint_job(),
        owner,
        title: match is_dry {
            true => "Trying an import",
            false => "Import",
        },
        stops: true,
    };
    for one in &asked {
        house.intake.stands(owner, one.id, Stand::Working(new.id));
    }
    let ids: Vec<UploadId> = asked.iter().map(|one| one.id).collect();
    let (intake, session) = (house.intake.clone(), who.session.clone());
    let act: Act = Box::new(move |appliance, teller| {
        let several = asked.len() > 1;
        let mut ends = Vec::new();
        for (done, one) in asked.iter().enumerate() {
            let end = match appliance.import(&session, &one.request, teller) {
                // Beside others, a file that is no chat is refused like one that cannot be read.
                Err(AppError::Usage(reason)) if several => Err(AppError::Refused(refusal(reason))),
                end => end,
            };
            match FileEnd::of(end, one, is_dry) {
                Ok(end) => {
                    intake.stands(owner, one.id, end.stand.clone());
                    ends.push(end);
                }
                Err(error) => {
                    for left in &asked[done..] {
                        intake.stands(owner, left.id, Stand::Here);
                    }
                    return Err(error);
                }
            }
        }
        Ok(all_of(ends))
    });
    let started = house.jobs.start(&appliance, new, act);
    started.inspect_err(|_| {
        for id in ids {
            house.intake.stands(owner, id, Stand::Here);
        }
    })
}

/// A file that is to be imported.
struct AskedFile {
    id: UploadId,
    name: String,
    request: ImportRequest,
}

/// The files that are to be imported now.
fn asked_for(
    house: &House,
    owner: UserNo,
    id: UploadId,
    said: &Said,
    only: &[String],
) -> Result<Vec<AskedFile>, Refusal> {
    let files = house.intake.files(owner, id)?.into_iter();
    let files: Vec<UploadLine> = files.map(|line| settled(house, owner, line)).collect();
    if let Some(name) = only
        .iter()
        .find(|name| files.iter().all(|line| line.name != **name))
    {
        return Err(Refusal::usage(format!(
            "This import has no file \"{name}\"."
        )));
    }
    if files
        .iter()
        .any(|line| matches!(line.stand, Stand::Working(_)))
    {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "conflict",
            "It is being imported",
            "Wait until the import is over.",
        ));
    }
    let first = files
        .first()
        .map(|line| line.said.clone())
        .unwrap_or_default();
    let open = |line: &&UploadLine| !matches!(line.stand, Stand::Done(_));
    let named = |line: &&UploadLine| only.is_empty() || only.contains(&line.name);
    let mut wanted: Vec<&UploadLine> = files.iter().filter(open).filter(named).collect();
    if wanted.is_empty() {
        wanted = files.iter().filter(named).collect();
    }
    wanted
        .into_iter()
        .map(|line| {
            Ok(AskedFile {
                id: line.id,
                name: line.name.clone(),
                request: house.intake.request(owner, line.id, &first.then(said))?,
            })
        })
        .collect()
}

fn refusal(reason: String) -> crate::ingest::Refusal {
    crate::ingest::Refusal {
        reason,
        places: Vec::new(),
        total: 0,
    }
}

/// What came of one file.
struct FileEnd {
    name: String,
    stand: Stand,
    result: JobResult,
    told: ImportEnd,
}

impl FileEnd {
    fn of(
        end: crate::app::Result<ImportReceipt>,
        file: &AskedFile,
        is_dry: bool,
    ) -> crate::app::Result<FileEnd> {
        let page = format!("/imports/uploads/{}", file.id);
        let (stand, result, told) = match end {
            Ok(receipt) => {
                let receipt = Arc::new(receipt);
                let result = import_result(&receipt, &page);
                let told = ImportEnd::of(&receipt);
                match is_dry {
                    true => (Stand::Tried(receipt), result, told),
                    false => (Stand::Done(receipt), result, told),
                }
            }
            Err(AppError::Questions(questions)) => {
                let text = "Something must be decided before anything is imported.";
                let mut result = JobResult::new(Tone::Warning, text);
                result.page = Some(page);
                let told = ImportEnd::asking(&questions);
                (Stand::Asks(questions), result, told)
            }
            Err(AppError::Refused(refusal)) => {
                let mut result = JobResult::new(Tone::Bad, refusal.reason.clone());
                result.page = Some(page);
                let told = ImportEnd::refused(&refusal);
                (Stand::Refused(refusal), result, told)
            }
            Err(error) => return Err(error),
        };
        Ok(FileEnd {
            name: file.name.clone(),
            stand,
            result,
            told,
        })
    }
}

/// What the job of several files tells; that of one tells what came of it.
fn all_of(ends: Vec<FileEnd>) -> JobResult {
    let count = |is: fn(&Stand) -> bool| ends.iter().filter(|end| is(&end.stand)).count();
    let asks = count(|stand| matches!(stand, Stand::Asks(_)));
    let refused = count(|stand| matches!(stand, Stand::Refused(_)));
    let tone = match (refused, asks) {
        (0, 0) if ends.iter().all(|end| end.result.tone == Tone::Good) => Tone::Good,
        (0, _) => Tone::Warning,
        _ => Tone::Bad,
    };
    let audit = ends.iter().filter_map(|end| end.result.audit).next_back();
    let (files, single) = (ends.len(), ends.len() == 1);
    let mut last = None;
    let mut told = Vec::new();
    for end in ends {
        told.push((end.name, end.told));
        last = Some(end.result);
    }
    let details = ImportEnd::of_all(told);
    let result = match last {
        Some(result) if single => result,
        _ => {
            let mut result = JobResult::new(
                tone,
                format!(
                    "{files} files: {} new messages, {} known; {asks} ask something first, {refused} \
                     refused.",
                    details.fresh(),
                    details.known()
                ),
            );
            (result.page, result.audit) = (Some("/imports".to_owned()), audit);
            result
        }
    };
    result.telling(&details)
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
