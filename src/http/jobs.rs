//! Long acts: started, watched, stopped. A few run at once, the others wait their turn.
//!
//! A job belongs to whoever started it; nobody else sees it. How it ended is kept in the record, so
//! that it is still told after a restart; what it did stands there and in the log anyway.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

pub use super::job_end::{JobEnd, JobResult, Tone};
use super::refusal::Refusal;
use crate::app::Appliance;
use crate::app::import::Progress;
use crate::domain::{JobId, Timestamp, UserNo};

/// Jobs that run at once.
const RUNNING_MAX: usize = 3;
/// Jobs that may wait.
const WAITING_MAX: usize = 64;
/// Jobs that are over and still remembered.
const KEPT_MAX: usize = 200;
/// How long the end of the server waits for jobs that were asked to stop.
const ENDING_WAIT: Duration = Duration::from_secs(20);

/// What is said of a job that the end of the server cut off.
pub const INTERRUPTED: &str = "The server ended before it was over. What was written until then is \
    whole and stays; start it again, and it goes on from there.";

/// How a job stands.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Others come first.
    Waiting,
    /// Under way: at which stage, how much of how much (0 when nobody knows).
    Running {
        /// What is being done.
        stage: String,
        /// So much is done.
        done: u64,
        /// Of so much in all.
        total: u64,
        /// Since when it is at this stage.
        since: Instant,
    },
    /// Over, with its result.
    Done(JobEnd),
    /// Refused, with the reason.
    Refused(Refusal),
    /// Stopped because somebody asked, with what is safe.
    Stopped(String),
    /// The server ended before it was over.
    Interrupted,
}

impl JobState {
    /// Whether nothing more happens.
    pub const fn is_over(&self) -> bool {
        !matches!(self, JobState::Waiting | JobState::Running { .. })
    }

    /// The name for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            JobState::Waiting => "waiting",
            JobState::Running { .. } => "running",
            JobState::Done(_) => "done",
            JobState::Refused(_) => "refused",
            JobState::Stopped(_) => "stopped",
            JobState::Interrupted => "interrupted",
        }
    }
}

/// A job as it is shown.
#[derive(Clone, Debug)]
pub struct JobLine {
    /// Its id.
    pub id: JobId,
    /// What it does, in a few words of ours.
    pub title: Cow<'static, str>,
    /// When it was asked for.
    pub began: Timestamp,
    /// When it ended, where that is known.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub state: JobState,
    /// Whether it can be stopped half-way.
    pub stops: bool,
    /// Whether somebody asked it to stop.
    pub stopping: bool,
}

/// A job as asked for.
pub struct NewJob {
    /// Its id, as [`Appliance::mint_job`] gives it.
    pub id: JobId,
    /// Whose.
    pub owner: UserNo,
    /// What it does, in a few words of ours.
    pub title: &'static str,
    /// Whether it hears when somebody asks it to stop.
    pub stops: bool,
}

/// What a use-case tells while it runs.
pub struct Teller {
    job: Arc<Job>,
}

impl Teller {
    /// How far it is: `total` 0 when nobody knows.
    pub fn tell(&self, stage: &str, done: u64, total: u64) {
        let mut state = lock(&self.job.state);
        if let JobState::Running {
            stage: at,
            done: so_far,
            total: all,
            since,
        } = &mut *state
        {
            if at != stage {
                stage.clone_into(at);
                *since = Instant::now();
            }
            (*so_far, *all) = (done, total);
        }
    }
}

impl Teller {
    /// Hears how far a use-case is, and lets it go on until somebody asks the job to stop.
    pub fn heed(&self) -> impl FnMut(&'static str, u64, u64) -> bool + '_ {
        |stage, done, total| {
            self.tell(stage, done, total);
            !self.is_asked_to_stop()
        }
    }

    /// Whether somebody asked the job to stop.
    pub fn is_asked_to_stop(&self) -> bool {
        self.job.stopping.load(Ordering::Relaxed)
    }
}

impl Progress for Teller {
    fn begins(&self, _name: &str, bytes: u64) {
        self.tell("reading", 0, bytes);
    }

    fn advances(&self, _messages: u64, _rejected: u64, bytes: u64) {
        let total = match &*lock(&self.job.state) {
            JobState::Running { total, .. } => *total,
            _ => 0,
        };
        self.tell("reading", bytes, total);
    }

    fn cancelled(&self) -> bool {
        self.is_asked_to_stop()
    }
}

/// What a job does.
pub type Act = Box<dyn FnOnce(&Appliance, &Teller) -> crate::app::Result<JobResult> + Send>;

struct Job {
    id: JobId,
    owner: UserNo,
    title: &'static str,
    stops: bool,
    began: Timestamp,
    stopping: AtomicBool,
    state: Mutex<JobState>,
    ended: Mutex<Option<Timestamp>>,
}

impl Job {
    fn line(&self) -> JobLine {
        JobLine {
            id: self.id,
            title: Cow::Borrowed(self.title),
            began: self.began,
            ended: *lock(&self.ended),
            state: lock(&self.state).clone(),
            stops: self.stops,
            stopping: self.stopping.load(Ordering::Relaxed),
        }
    }
}

#[derive(Default)]
struct Board {
    /// Every job that is remembered, eldest first.
    jobs: VecDeque<Arc<Job>>,
    waiting: VecDeque<(Arc<Job>, Arc<Appliance>, Act)>,
    running: usize,
    ended: bool,
}

/// The jobs of this server.
#[derive(Clone, Default)]
pub struct Jobs {
    shared: Arc<(Mutex<Board>, Condvar)>,
}

impl Jobs {
    /// Starts a job, or lets it wait its turn.
    ///
    /// # Errors
    /// When too many wait, or the server ends.
    pub fn start(
        &self,
        appliance: &Arc<Appliance>,
        new: NewJob,
        act: Act,
    ) -> Result<JobId, Refusal> {
        let job = Arc::new(Job {
            id: new.id,
            owner: new.owner,
            title: new.title,
            stops: new.stops,
            began: appliance.now().wall,
            stopping: AtomicBool::new(false),
            state: Mutex::new(JobState::Waiting),
            ended: Mutex::new(None),
        });
        let id = job.id;
        let mut board = self.board();
        if board.ended || board.waiting.len() >= WAITING_MAX {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                "Too much at once",
                "Wait until some of what is under way is over, and try again.",
            ));
        }
        board.jobs.push_back(Arc::clone(&job));
        forget_elders(&mut board.jobs);
        if board.running >= RUNNING_MAX {
            aside(&job, appliance, begin);
        }
        board.waiting.push_back((job, Arc::clone(appliance), act));
        if board.running < RUNNING_MAX {
            board.running += 1;
            let jobs = self.clone();
            let spawned = std::thread::Builder::new()
                .name("wordkeep-job".to_owned())
                .spawn(move || jobs.work());
            if spawned.is_err() {
                board.running -= 1;
                board.waiting.pop_back();
                board.jobs.pop_back();
                return Err(Refusal::broken());
            }
        }
        Ok(id)
    }

    /// Does what waits until nothing does.
    fn work(&self) {
        loop {
            let next = {
                let mut board = self.board();
                let next = board.waiting.pop_front();
                if next.is_none() {
                    board.running -= 1;
                    self.shared.1.notify_all();
                }
                next
            };
            let Some((job, appliance, act)) = next else {
                return;
            };
            run(&job, &appliance, act);
        }
    }

    /// The jobs of somebody, newest first.
    pub fn of(&self, owner: UserNo) -> Vec<JobLine> {
        let board = self.board();
        let own = board.jobs.iter().rev().filter(|job| job.owner == owner);
        own.map(|job| job.line()).collect()
    }

    /// One job of somebody.
    pub fn find(&self, owner: UserNo, id: JobId) -> Option<JobLine> {
        self.job(owner, id).map(|job| job.line())
    }

    /// Asks a job to stop. What waits is not begun; what runs stops where it can. Says whether there is
    /// such a job.
    pub fn stop(&self, owner: UserNo, id: JobId) -> bool {
        let Some(job) = self.job(owner, id) else {
            return false;
        };
        job.stopping.store(true, Ordering::Relaxed);
        let mut board = self.board();
        let place = board.waiting.iter().position(|(one, ..)| one.id == id);
        if let Some((_, appliance, _)) = place.and_then(|place| board.waiting.remove(place)) {
            *lock(&job.state) = JobState::Stopped("It was not begun.".to_owned());
            aside(&job, &appliance, end);
        }
        true
    }

    /// Ends everything: nothing new begins, what can stop is asked to, and is waited for a while.
    pub fn end(&self) {
        let began = Instant::now();
        let mut board = self.board();
        board.ended = true;
        for (job, appliance, _) in std::mem::take(&mut board.waiting) {
            *lock(&job.state) = JobState::Stopped("The server ended.".to_owned());
            end(&job, &appliance);
        }
        for job in &board.jobs {
            job.stopping.store(true, Ordering::Relaxed);
        }
        while board.running > 0 && began.elapsed() < ENDING_WAIT {
            let waited = self
                .shared
                .1
                .wait_timeout(board, Duration::from_millis(100));
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if board.running > 0 {
            tracing::warn!(running = board.running, "the server ends before its jobs");
        }
    }

    fn job(&self, owner: UserNo, id: JobId) -> Option<Arc<Job>> {
        let board = self.board();
        let mut own = board.jobs.iter().filter(|job| job.owner == owner);
        own.find(|job| job.id == id).map(Arc::clone)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.shared.0)
    }
}

/// Runs one job to its end, whatever that is.
fn run(job: &Arc<Job>, appliance: &Appliance, act: Act) {
    begin(job, appliance);
    *lock(&job.state) = JobState::Running {
        stage: "begun".to_owned(),
        done: 0,
        total: 0,
        since: Instant::now(),
    };
    let teller = Teller {
        job: Arc::clone(job),
    };
    let ended = catch_unwind(AssertUnwindSafe(|| act(appliance, &teller)));
    let state = match ended {
        Ok(Ok(result)) => JobState::Done(result.into()),
        Ok(Err(crate::app::AppError::Interrupted(saved))) => JobState::Stopped(saved),
        Ok(Err(error)) => JobState::Refused(Refusal::from(error)),
        Err(_) => JobState::Refused(Refusal::broken()),
    };
    *lock(&job.ended) = Some(appliance.now().wall);
    *lock(&job.state) = state;
    end(job, appliance);
}

/// Writes down that a job began. A record that cannot be written does not stop it: what it does says
/// so itself.
fn begin(job: &Job, appliance: &Appliance) {
    if let Err(error) = appliance.job_began(job.owner, job.id, job.title) {
        tracing::warn!(%error, "a job is not remembered");
    }
}

/// Writes down how a job ended.
fn end(job: &Job, appliance: &Appliance) {
    let Some(told) = lock(&job.state).told() else {
        return;
    };
    let kept = appliance
        .job_began(job.owner, job.id, job.title)
        .and_then(|()| appliance.job_ended(job.id, &told));
    if let Err(error) = kept {
        tracing::warn!(%error, "the end of a job is not remembered");
    }
}

/// Writes something down while the asker goes on: the record may be busy.
fn aside(job: &Arc<Job>, appliance: &Arc<Appliance>, write: fn(&Job, &Appliance)) {
    let (job, appliance) = (Arc::clone(job), Arc::clone(appliance));
    let spawned = std::thread::Builder::new()
        .name("wordkeep-job-note".to_owned())
        .spawn(move || write(&job, &appliance));
    if let Err(error) = spawned {
        tracing::warn!(%error, "a job is not remembered");
    }
}

/// Forgets what was over first, as soon as too much is remembered.
fn forget_elders(jobs: &mut VecDeque<Arc<Job>>) {
    while jobs.len() > KEPT_MAX {
        let over = jobs.iter().position(|job| lock(&job.state).is_over());
        match over {
            Some(place) => jobs.remove(place),
            None => return,
        };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
