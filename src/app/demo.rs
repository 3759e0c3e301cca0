//! The tour: a made-up company imported, searched, shown in context, held, let go and proven, in a
//! data directory that is gone afterwards. Every step is a use-case as anybody would call it.

mod govern;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::export::{BundleReport, ExportReceipt, ExportRequest, verify_bundle};
use super::import::{ImportReceipt, ImportRequest, Progress};
use super::sample::{Content, Sample, SampleFile, TourStep, generate};
use super::{
    AppError, Appliance, BatchLine, ConversationRequest, ConversationSlice, Given, HoldExtent,
    HostClock, NewAppliance, NewHold, NewPolicy, Planned, PolicyChanged, Result, SearchAnswer,
    SearchRequest, Session, Settings, Simulated, VerifyReport, VerifyRequest, Witnesses,
    write_secret,
};
use crate::archive::Erased;
use crate::crypto::{Entropy, Secret, StretchCost, hex, random_bytes};
use crate::domain::{BatchNo, Role, Timestamp};
use crate::ingest::{DateOrder, zip_of};
use crate::retention::Certificate;
use govern::DemoClock;

pub use stage::{Staged, stage_demo};

/// Messages shown on each side of a hit of the tour.
const CONTEXT: u32 = 2;

/// The tour as asked for.
#[derive(Clone, Debug)]
pub struct DemoRequest {
    /// Where to work; `None` is a temporary directory that is removed at the end.
    pub dir: Option<PathBuf>,
    /// Messages of the made-up company.
    pub messages: usize,
    /// Seed of the made-up company.
    pub seed: u64,
}

/// What the tour tells while it goes.
#[derive(Debug)]
pub enum DemoEvent<'a> {
    /// The directory it works in, and whether it will be removed.
    Begins(&'a Path, bool),
    /// The data directory was made, with its administrator.
    Created(&'a Path),
    /// Export files were written; their number and messages.
    Exports(usize, usize),
    /// One of them was imported.
    Imported(&'a ImportReceipt),
    /// All of them were imported again: nothing changed.
    ImportedAgain(&'a [ImportReceipt]),
    /// A question of the tour and its answer.
    Answered(&'a TourStep, &'a SearchAnswer),
    /// A hit in its conversation.
    InContext(&'a ConversationSlice),
    /// The administrator tried to search, and this was the answer.
    Refused(&'a AppError),
    /// The lawyer gave the hits of the first question out in a file.
    Exported(&'a ExportReceipt),
    /// The file was verified like a stranger would, who knows nothing but the file and the key.
    ExportVerified(&'a BundleReport),
    /// The lawyer placed a hold: what was asked for, its query, how much it protects.
    Held(&'a NewHold, &'a str, &'a HoldExtent),
    /// A policy was written, and was refused when it was enabled without a simulation.
    NotEnabled(&'a NewPolicy, &'a AppError),
    /// It was simulated.
    Simulated(&'a Simulated),
    /// It was enabled.
    Enabled(&'a PolicyChanged),
    /// So many days passed.
    Passed(i64),
    /// What is due was put on a list.
    Listed(&'a Planned),
    /// Who asked for the list tried to approve it.
    NotApproved(&'a AppError),
    /// Others approved it.
    Approved(&'a BatchLine),
    /// What was left on the list was destroyed.
    Destroyed(BatchNo, &'a Erased),
    /// What is found of it afterwards.
    Left(&'a SearchAnswer),
    /// The certificate was verified, and what was said of one with a digit changed.
    Certified(&'a Certificate, &'a AppError),
    /// All files were imported once more: what was disposed of stays out.
    CameAgain(&'a [ImportReceipt]),
    /// Everything was verified.
    Verified(&'a VerifyReport),
    /// The directory is gone.
    Removed,
}

/// Removes the working directory, however the tour ends.
pub(super) struct Workplace {
    root: PathBuf,
    temporary: bool,
}

impl Workplace {
    /// The directory that was named, or a temporary one.
    fn new(request: &DemoRequest, entropy: &dyn Entropy) -> Workplace {
        match &request.dir {
            Some(dir) => Workplace {
                root: dir.clone(),
                temporary: false,
            },
            None => Workplace::temporary(entropy),
        }
    }

    /// One that is gone when it is dropped.
    pub(super) fn temporary(entropy: &dyn Entropy) -> Workplace {
        let unique = hex(&random_bytes::<8>(entropy));
        Workplace {
            root: scratch().join(format!("wordkeep-demo-{unique}")),
            temporary: true,
        }
    }

    /// Where it is.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

/// Where temporary files lie in memory, on Linux: nothing waits for a disk there, and a loss of power
/// leaves nothing behind.
const IN_MEMORY: &str = "/dev/shm";
/// Room the demonstration may need, in bytes, many times over.
const ROOM_MIN: u64 = 512 << 20;

/// The directory for temporary files: the one that `TMPDIR` names, else memory, else that of the system.
fn scratch() -> PathBuf {
    let memory = Path::new(IN_MEMORY);
    let named = std::env::var_os("TMPDIR").is_some();
    let room = rustix::fs::statvfs(memory).map(|there| there.f_bavail * there.f_frsize);
    match room {
        Ok(free) if !named && free >= ROOM_MIN => memory.to_owned(),
        _ => std::env::temp_dir(),
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed is sealed, and its key was never written down elsewhere.
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Runs the tour. Stops early, and cleans up, when `progress` says so.
pub fn run_demo(
    request: &DemoRequest,
    progress: &dyn Progress,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<()> {
    let entropy = super::SystemEntropy;
    let workplace = Workplace::new(request, &entropy);
    let temporary = workplace.temporary;
    tell(DemoEvent::Begins(&workplace.root, temporary));
    let clock = DemoClock::new(&entropy);
    let password = hex(&random_bytes::<8>(&entropy));
    let (appliance, administrator) = create(&workplace.root, &entropy, &clock, &password)?;
    tell(DemoEvent::Created(&appliance.settings().data));
    let staff = Staff::hire(&appliance, administrator, &password)?;
    let sample = generate(request.seed, request.messages);
    let exports = write_exports(&sample, &workplace.root.join("exports"))?;
    tell(DemoEvent::Exports(exports.len(), sample.messages));
    for export in &exports {
        let receipt = appliance.import(&staff.officer, export, progress)?;
        tell(DemoEvent::Imported(&receipt));
    }
    let again: Result<Vec<ImportReceipt>> = exports
        .iter()
        .map(|export| appliance.import(&staff.officer, export, progress))
        .collect();
    tell(DemoEvent::ImportedAgain(&again?));
    ask(&appliance, &staff, &sample, tell)?;
    give_out(&appliance, &staff, &sample, &workplace.root, tell)?;
    govern::let_go(&appliance, &staff, &clock, &exports, progress, tell)?;
    let mut quiet = |_: &'static str, _: u64, _: u64| {};
    let report = appliance.verify(&staff.officer, &VerifyRequest::default(), &mut quiet)?;
    tell(DemoEvent::Verified(&report));
    appliance.close()?;
    drop(workplace);
    if temporary {
        tell(DemoEvent::Removed);
    }
    Ok(())
}

fn create(
    root: &Path,
    entropy: &dyn Entropy,
    clock: &Arc<DemoClock>,
    password: &str,
) -> Result<(Appliance, Session)> {
    let key = random_bytes::<32>(entropy);
    let given = Given {
        data: Some(root.join("data")),
        unlock_key: Some(root.join("unlock.key")),
        zone: Some("Europe/Lisbon".to_owned()),
        ..Given::default()
    };
    let mut settings = Settings::decide(&given, |_| None)?;
    settings.token = root.join("token");
    write_secret(&settings.unlock_key, &key)?;
    let secret = Secret::key_file(&key);
    let new = NewAppliance {
        secret: &secret,
        label: "demonstration",
        administrator: "administrator",
        password,
        cost: StretchCost::SLOT,
    };
    let witnesses = Witnesses {
        clock: Some(Arc::clone(clock) as Arc<dyn HostClock>),
        ..Witnesses::default()
    };
    let appliance = Appliance::create_watched(settings, &new, witnesses)?;
    let (administrator, _) = appliance.log_in(new.administrator, new.password, 1)?;
    Ok((appliance, administrator))
}

/// One person for each role the tour needs.
struct Staff {
    administrator: Session,
    lawyer: Session,
    officer: Session,
    second: Session,
}

impl Staff {
    fn hire(appliance: &Appliance, administrator: Session, password: &str) -> Result<Staff> {
        let hire = |login: &str, role: Role| -> Result<Session> {
            appliance.add_user(&administrator, login, role, password, &[])?;
            Ok(appliance.log_in(login, password, 1)?.0)
        };
        let lawyer = hire("lawyer", Role::Lawyer)?;
        let officer = hire("officer", Role::RecordsOfficer)?;
        let second = hire("officer.two", Role::RecordsOfficer)?;
        hire("manager", Role::Manager)?;
        Ok(Staff {
            administrator,
            lawyer,
            officer,
            second,
        })
    }
}

/// Writes the export files and says how each is imported.
pub(super) fn write_exports(sample: &Sample, into: &Path) -> Result<Vec<ImportRequest>> {
    fs::create_dir_all(into).map_err(|error| AppError::file(into, &error))?;
    sample
        .files
        .iter()
        .map(|file| write_export(file, into))
        .collect()
}

fn write_export(file: &SampleFile, into: &Path) -> Result<ImportRequest> {
    let options = &file.options;
    let path = into.join(&file.name);
    let write = |path: &Path, bytes: &[u8]| {
        fs::write(path, bytes).map_err(|error| AppError::file(path, &error))
    };
    match &file.content {
        Content::Plain(bytes) => write(&path, bytes)?,
        Content::Zip(entries) => {
            let entries = entries
                .iter()
                .map(|entry| (entry.name.as_str(), entry.bytes.as_slice()));
            write(&path, &zip_of(entries, options.modified)?)?;
        }
    }
    date_file(&path, options.modified)?;
    let mapping = match &options.mapping {
        None => None,
        Some(json) => {
            let path = into.join(format!("{}.mapping.json", file.name));
            write(&path, json.as_bytes())?;
            Some(path)
        }
    };
    Ok(ImportRequest {
        path,
        zone: Some(options.zone.to_owned()),
        date_order: options.date_order.and_then(DateOrder::from_name),
        mapping,
        title: options.title.map(str::to_owned),
        ..ImportRequest::default()
    })
}

/// Gives a file the date at which the phone would have written it.
fn date_file(path: &Path, modified: Timestamp) -> Result<()> {
    let since = std::time::Duration::from_micros(u64::try_from(modified.0).unwrap_or(0));
    fs::File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.set_modified(std::time::UNIX_EPOCH + since))
        .map_err(|error| AppError::file(path, &error))
}

fn ask(
    appliance: &Appliance,
    staff: &Staff,
    sample: &Sample,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<()> {
    let mut shown = false;
    for step in &sample.tour {
        let mut request = SearchRequest::new(step.query);
        request.limit = 1;
        let answer = appliance.search(&staff.lawyer, &request)?;
        tell(DemoEvent::Answered(step, &answer));
        if let Some(hit) = answer.answer.hits.first().filter(|_| !shown) {
            shown = true;
            let slice = appliance.conversation(
                &staff.lawyer,
                &ConversationRequest {
                    id: hit.conversation.id,
                    around: Some(hit.line.id),
                    since: None,
                    until: None,
                    limit: CONTEXT,
                    zone: None,
                },
            )?;
            tell(DemoEvent::InContext(&slice));
        }
    }
    if let Some(step) = sample.tour.first()
        && let Err(refused) =
            appliance.search(&staff.administrator, &SearchRequest::new(step.query))
    {
        tell(DemoEvent::Refused(&refused));
    }
    Ok(())
}

/// Evidence out: the hits of the first question as a file that proves itself.
fn give_out(
    appliance: &Appliance,
    staff: &Staff,
    sample: &Sample,
    root: &Path,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<()> {
    let Some(step) = sample.tour.first() else {
        return Ok(());
    };
    let request = ExportRequest {
        query: step.query.to_owned(),
        reason: "demonstration: the court asks what was promised".to_owned(),
        matter: Some("DEMO-1".to_owned()),
        context: CONTEXT,
        out: root.join("evidence.tar"),
        ..ExportRequest::default()
    };
    let receipt = appliance.export(&staff.lawyer, &request, &mut |_, _, _| true)?;
    tell(DemoEvent::Exported(&receipt));
    let stranger = VerifyRequest {
        key: Some(receipt.manifest.log.key.clone()),
        ..VerifyRequest::default()
    };
    let report = verify_bundle(&request.out, &root.join("nothing-known"), &stranger)?;
    tell(DemoEvent::ExportVerified(&report));
    Ok(())
}
