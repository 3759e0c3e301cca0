//! What is on its way in: files being received, waiting for answers, being imported.
//!
//! A file belongs to whoever sends it; nobody else sees it. Its bytes are staged under seal and go when
//! it is imported, thrown away, left alone for an hour, or when the server ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::refusal::Refusal;
use crate::app::import::{ImportReceipt, ImportRequest};
use crate::app::{Upload, Uploaded};
use crate::crypto::Digest;
use crate::domain::{JobId, Timestamp, UploadId, UserNo};
use crate::ingest::{ANSWER_NEW, DateOrder, Question, local_time};

/// Files of one person at once.
const OWN_MAX: usize = 64;
/// Files of everybody at once.
const ALL_MAX: usize = 256;
/// How long a file waits for its sender.
const IDLE_MAX: Duration = Duration::from_secs(3_600);

/// What somebody said about a file; empty where they said nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pub zone: String,
    pub start: String,
    pub date_order: String,
    pub trust_headers: String,
    pub me: String,
    pub mapping: String,
    pub import_rest: String,
    pub title: String,
    /// Id of a conversation, or `new`.
    pub continues: String,
    /// `dry` to see what would happen.
    pub run: String,
}

impl Said {
    /// Takes a field of a form; others are left alone.
    pub(super) fn take(&mut self, name: &str, value: String) {
        match name {
            "zone" => self.zone = value,
            "start" => self.start = value,
            "date_order" => self.date_order = value,
            "trust_headers" => self.trust_headers = value,
            "me" => self.me = value,
            "mapping" => self.mapping = value,
            "import_rest" => self.import_rest = value,
            "title" => self.title = value,
            "continues" => self.continues = value,
            "run" => self.run = value,
            _ => {}
        }
    }

    /// What was said before, and now: what is said now counts.
    pub(super) fn then(&self, now: &Said) -> Said {
        let later = |before: &String, now: &String| match now.trim() {
            "" => before.clone(),
            said => said.to_owned(),
        };
        Said {
            zone: later(&self.zone, &now.zone),
            start: later(&self.start, &now.start),
            date_order: later(&self.date_order, &now.date_order),
            trust_headers: later(&self.trust_headers, &now.trust_headers),
            me: later(&self.me, &now.me),
            mapping: later(&self.mapping, &now.mapping),
            import_rest: later(&self.import_rest, &now.import_rest),
            title: later(&self.title, &now.title),
            continues: later(&self.continues, &now.continues),
            run: now.run.clone(),
        }
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_dry(&self) -> bool {
        self.run == "dry"
    }

    /// Whether what was said can be understood.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.read().map(drop)
    }

    /// The import that was asked for.
    pub(super) fn request(&self, file: Uploaded) -> Result<ImportRequest, Refusal> {
        Ok(ImportRequest {
            uploaded: Some(file),
            ..self.read()?
        })
    }

    fn read(&self) -> Result<ImportRequest, Refusal> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let date_order = match given(&self.date_order) {
            None => None,
            Some(name) => Some(
                DateOrder::from_name(&name)
                    .ok_or_else(|| Refusal::usage("The order of dates is dmy, mdy or ymd."))?,
            ),
        };
        let zone = given(&self.zone);
        if let Some(zone) = &zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            return Err(Refusal::usage(format!(
                "\"{zone}\" is no time zone; write one such as Europe/Lisbon."
            )));
        }
        let start = match given(&self.start) {
            None => None,
            Some(text) => Some(local_time(&text).ok_or_else(|| {
                Refusal::usage("The beginning is a day and a time, such as 2024-05-06 09:15.")
            })?),
        };
        let continues = given(&self.continues);
        let new_conversation = continues.as_deref() == Some(ANSWER_NEW);
        let conversation = match continues.filter(|_| !new_conversation) {
            None => None,
            Some(id) => Some(
                id.parse()
                    .map_err(|_| Refusal::usage("That is not the id of a conversation."))?,
            ),
        };
        Ok(ImportRequest {
            zone,
            start,
            date_order,
            trust_headers: given(&self.trust_headers).map(|answer| answer == "yes"),
            me: given(&self.me),
            mapping_text: given(&self.mapping),
            import_rest: self.import_rest == "yes",
            title: given(&self.title),
            conversation,
            new_conversation,
            dry_run: self.is_dry(),
            ..ImportRequest::default()
        })
    }
}

/// How a file stands, as it is shown.
#[derive(Clone, Debug)]
pub(super) enum Stand {
    /// Bytes are still to come.
    Receiving,
    /// It is here, and nothing was begun.
    Here,
    /// An import of it is under way.
    Working(JobId),
    /// Something must be decided first.
    Asks(Vec<Question>),
    /// Nothing of it was taken.
    Refused(crate::ingest::Refusal),
    /// This is what an import would do.
    Tried(Arc<ImportReceipt>),
    /// It was imported.
    Done(Arc<ImportReceipt>),
}

/// A file as it is shown.
#[derive(Clone, Debug)]
pub(super) struct UploadLine {
    pub id: UploadId,
    /// Empty as long as nothing of it came.
    pub name: String,
    /// When its sender announced it.
    pub began: Timestamp,
    /// SHA-256, once it is here whole.
    pub sha256: Option<Digest>,
    /// Bytes so far.
    pub received: u64,
    /// Bytes in all, as its sender said.
    pub bytes: u64,
    pub said: Said,
    pub stand: Stand,
    /// The last import of it that was begun.
    pub last: Option<JobId>,
}

enum Held {
    /// It was announced; neither its name nor its length is known.
    Nothing,
    /// Taken out while bytes are written into it.
    Lent(u64),
    Open(Box<Upload>),
    Whole(Uploaded),
    /// Nothing is kept any more.
    Gone(u64),
}

struct Shelved {
    id: UploadId,
    /// The announced import it is a further file of.
    of: Option<UploadId>,
    owner: UserNo,
    name: String,
    bytes: u64,
    began: Timestamp,
    sha256: Option<Digest>,
    touched: Instant,
    held: Held,
    said: Said,
    stand: Stand,
    last: Option<JobId>,
}

impl Shelved {
    fn line(&self) -> UploadLine {
        UploadLine {
            id: self.id,
            name: self.name.clone(),
            began: self.began,
            sha256: self.sha256,
            received: match &self.held {
                Held::Nothing => 0,
                Held::Lent(received) | Held::Gone(received) => *received,
                Held::Open(upload) => upload.received(),
                Held::Whole(file) => file.bytes(),
            },
            bytes: self.bytes,
            said: self.said.clone(),
            stand: self.stand.clone(),
            last: self.last,
        }
    }
}

/// The files on their way in.
#[derive(Clone, Default)]
pub(super) struct Intake {
    shelf: Arc<Mutex<Vec<Shelved>>>,
}

impl Intake {
    /// Puts a file on the shelf that is to be received.
    pub(super) fn begin(
        &self,
        owner: UserNo,
        id: UploadId,
        began: Timestamp,
        upload: Upload,
        bytes: u64,
    ) -> Result<(), Refusal> {
        self.announce(owner, id, began, &Said::default())?;
        self.name(owner, id, upload, bytes)
    }

    /// Puts a file on the shelf of which nothing came yet, with what its sender knows about it.
    pub(super) fn announce(
        &self,
        owner: UserNo,
        id: UploadId,
        began: Timestamp,
        said: &Said,
    ) -> Result<(), Refusal> {
        self.put(owner, id, None, began, said)
    }

    /// Puts a further file of an announced import on the shelf.
    pub(super) fn add(
        &self,
        owner: UserNo,
        id: UploadId,
        to: UploadId,
        began: Timestamp,
    ) -> Result<(), Refusal> {
        self.find(owner, to)?;
        self.put(owner, id, Some(to), began, &Said::default())
    }

    fn put(
        &self,
        owner: UserNo,
        id: UploadId,
        of: Option<UploadId>,
        began: Timestamp,
        said: &Said,
    ) -> Result<(), Refusal> {
        let mut shelf = self.shelf();
        let own = shelf.iter().filter(|one| one.owner == owner).count();
        if own >= OWN_MAX || shelf.len() >= ALL_MAX {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "Too many files at once",
                "Import or throw away what waits here, and send the rest afterwards.",
            ));
        }
        shelf.push(Shelved {
            id,
            of,
            owner,
            name: String::new(),
            bytes: 0,
            began,
            sha256: None,
            touched: Instant::now(),
            held: Held::Nothing,
            said: said.clone(),
            stand: Stand::Receiving,
            last: None,
        });
        Ok(())
    }

    /// Gives an announced file its name and length. One that has them keeps them.
    pub(super) fn name(
        &self,
        owner: UserNo,
        id: UploadId,
        upload: Upload,
        bytes: u64,
    ) -> Result<(), Refusal> {
        self.with(owner, id, |one| {
            if matches!(one.held, Held::Nothing) {
                upload.name().clone_into(&mut one.name);
                one.bytes = bytes;
                one.held = Held::Open(Box::new(upload));
            }
        })
    }

    /// Takes an announced file back to where nothing of it came: what came was wrong. A further file is
    /// thrown away.
    pub(super) fn forget(&self, owner: UserNo, id: UploadId) {
        if self.with(owner, id, |one| one.of.is_some()) == Ok(true) {
            self.discard(owner, id);
            return;
        }
        let forgotten = self.with(owner, id, |one| {
            one.name.clear();
            (one.bytes, one.sha256) = (0, None);
            one.held = Held::Nothing;
            one.stand = Stand::Receiving;
        });
        drop(forgotten);
    }

    /// Takes a file out to write into it; [`Intake::give_back`] puts it back. Who is cut off between the
    /// two has to begin again.
    pub(super) fn lend(&self, owner: UserNo, id: UploadId) -> Result<Box<Upload>, Refusal> {
        self.with(owner, id, |one| {
            let received = one.line().received;
            match std::mem::replace(&mut one.held, Held::Lent(received)) {
                Held::Open(upload) => Ok(upload),
                held => {
                    one.held = held;
                    Err(Refusal::new(
                        StatusCode::CONFLICT,
                        "conflict",
                        "The file is not being received",
                        "It is whole already, or another part of it is being written.",
                    ))
                }
            }
        })?
    }

    /// Puts a file back that was lent.
    pub(super) fn give_back(&self, owner: UserNo, id: UploadId, upload: Box<Upload>) {
        let given = self.with(owner, id, |one| one.held = Held::Open(upload));
        // Thrown away meanwhile: then its bytes go too.
        drop(given);
    }

    /// Marks a file as received whole.
    pub(super) fn whole(&self, owner: UserNo, id: UploadId, file: Uploaded) -> Result<(), Refusal> {
        self.with(owner, id, |one| {
            one.bytes = file.bytes();
            one.sha256 = Some(file.sha256);
            one.held = Held::Whole(file);
            one.stand = Stand::Here;
        })
    }

    /// What an import of a file is to be, after what was said before and now.
    pub(super) fn request(
        &self,
        owner: UserNo,
        id: UploadId,
        now: &Said,
    ) -> Result<ImportRequest, Refusal> {
        self.with(owner, id, |one| {
            let Held::Whole(file) = &one.held else {
                return Err(Refusal::usage("The file is not here whole: send it again."));
            };
            let said = one.said.then(now);
            let request = said.request(file.clone())?;
            one.said = said;
            Ok(request)
        })?
    }

    /// Tells how a file stands now. What is imported or thrown away keeps no bytes.
    pub(super) fn stands(&self, owner: UserNo, id: UploadId, stand: Stand) {
        let told = self.with(owner, id, |one| {
            match &stand {
                Stand::Done(_) => one.held = Held::Gone(one.line().received),
                Stand::Working(job) => one.last = Some(*job),
                _ => {}
            }
            one.stand = stand;
        });
        drop(told);
    }

    /// Somebody's files, newest first.
    pub(super) fn of(&self, owner: UserNo) -> Vec<UploadLine> {
        let shelf = self.shelf();
        let own = shelf.iter().rev().filter(|one| one.owner == owner);
        own.map(Shelved::line).collect()
    }

    /// One of somebody's files.
    pub(super) fn find(&self, owner: UserNo, id: UploadId) -> Result<UploadLine, Refusal> {
        self.with(owner, id, |one| one.line())
    }

    /// The files of an announced import, in the order in which they came; the first stands for the
    /// import itself.
    pub(super) fn files(&self, owner: UserNo, id: UploadId) -> Result<Vec<UploadLine>, Refusal> {
        self.find(owner, id)?;
        let shelf = self.shelf();
        let own = shelf.iter().filter(|one| one.owner == owner);
        Ok(own
            .filter(|one| one.id == id || one.of == Some(id))
            .map(Shelved::line)
            .collect())
    }

    /// Throws a file away, with its bytes, and the further files of its import.
    pub(super) fn discard(&self, owner: UserNo, id: UploadId) {
        self.shelf()
            .retain(|one| one.owner != owner || (one.id != id && one.of != Some(id)));
    }

    fn with<T>(
        &self,
        owner: UserNo,
        id: UploadId,
        act: impl FnOnce(&mut Shelved) -> T,
    ) -> Result<T, Refusal> {
        let mut shelf = self.shelf();
        let mut own = shelf.iter_mut().filter(|one| one.owner == owner);
        let one = own
            .find(|one| one.id == id)
            .ok_or_else(Refusal::not_found)?;
        one.touched = Instant::now();
        let (done, of) = (act(one), one.of);
        // An import waits as long as any of its files is worked on.
        if let Some(first) = shelf.iter_mut().find(|one| Some(one.id) == of) {
            first.touched = Instant::now();
        }
        Ok(done)
    }

    /// The shelf, without what nobody came back for.
    fn shelf(&self) -> MutexGuard<'_, Vec<Shelved>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|one| {
            matches!(one.stand, Stand::Working(_)) || one.touched.elapsed() < IDLE_MAX
        });
        shelf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_later_counts_and_the_rest_stays() {
        let mut first = Said::default();
        first.take("zone", "Europe/Lisbon".to_owned());
        first.take("run", "dry".to_owned());
        first.take("unknown", "x".to_owned());
        let mut second = Said::default();
        second.take("date_order", "dmy".to_owned());
        let both = first.then(&second);
        assert_eq!(
            (both.zone.as_str(), both.date_order.as_str()),
            ("Europe/Lisbon", "dmy")
        );
        assert!(first.is_dry() && !both.is_dry());
    }
}
