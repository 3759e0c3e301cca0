//! Directories of others: who came, who changed, who left. A leaver is out when the call returns.
//!
//! A directory changes only users that a directory brought, or that somebody gave into its care: who was
//! added here by hand stays. It never ends the last administrator, and a program with a token never makes one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{AppError, Appliance, Result};
use super::Session;
use super::users::{regrant, starting_grants};
use crate::audit::{Action, Appended, Draft};
use crate::auth::{self, create_unlocked_user, is_last_administrator};
use crate::domain::{Now, Right, Role, UserId, UserNo};
use crate::ingest::read_rows;
use crate::store::{DirectoryUserRow, Rows, UserRow, WriteTx};

/// Most people of one file.
pub const DIRECTORY_PEOPLE_MAX: usize = 20_000;
/// Longest name or number that a directory gives, in characters.
const WORDS_CHARS_MAX: usize = 256;
/// People in one transaction: each seals two texts at most.
const AT_ONCE: usize = 20;

/// Somebody as a directory tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// Log-in name.
    pub login: String,
    /// Their role; `None` leaves the role as it is, and makes somebody new a manager, who sees nothing
    /// until something is granted.
    pub role: Option<Role>,
    /// What the directory shows for them; may be empty.
    pub name: String,
    /// The directory's own name for them; may be empty.
    pub external: String,
    /// Whether they work here.
    pub active: bool,
}

/// A user that a directory brought.
#[derive(Clone, Debug)]
pub struct DirectoryLine {
    /// The user.
    pub user: UserRow,
    /// The directory's own name for them.
    pub external: String,
    /// What the directory shows for them.
    pub name: String,
}

/// What a directory changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncChange {
    /// Somebody new, in this role.
    New(Role),
    /// They get another role.
    Role(Role),
    /// They came back.
    Back,
    /// They left: no log-in, no session, no token from now on.
    Left,
    /// Somebody who was here is given into the care of the directory.
    Adopted,
    /// Nothing is done, for this reason.
    Refused(String),
}

impl SyncChange {
    /// The name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            SyncChange::New(_) => "new",
            SyncChange::Role(_) => "changed",
            SyncChange::Back => "back",
            SyncChange::Left => "left",
            SyncChange::Adopted => "adopted",
            SyncChange::Refused(_) => "refused",
        }
    }
}

/// What was done, or would be.
#[derive(Clone, Debug)]
pub struct SyncReport {
    /// Who is changed and how, by login; who stays as they are is not named.
    pub changes: Vec<(String, SyncChange)>,
    /// People who stay as they are.
    pub same: usize,
    /// The entry of the whole; `None` when nothing was done.
    pub audit: Option<Appended>,
}

/// Reads a table of people: a row of headings, then one row for each. Headings are `login` (or
/// `userName`), and if wanted `role`, `name` (`displayName`), `active` and `id` (`externalId`).
///
/// # Errors
/// When it is no table, a heading is missing or unknown, somebody stands twice, or a role is unknown.
pub fn read_directory(bytes: &[u8]) -> Result<Vec<DirectoryPerson>> {
    let usage = |text: String| AppError::Usage(text);
    let rows = read_rows(bytes)
        .ok_or_else(|| usage("the file is no table: UTF-8, commas, quotes doubled".to_owned()))?;
    let mut rows = rows.into_iter();
    let headings = rows.next().unwrap_or_default();
    let mut columns = Vec::new();
    for heading in &headings {
        columns.push(match heading.trim().to_lowercase().as_str() {
            "login" | "username" => "login",
            "role" => "role",
            "name" | "displayname" => "name",
            "active" => "active",
            "id" | "externalid" => "id",
            other => {
                return Err(usage(format!(
                    "there is no column \"{other}\": login, role, name, active and id are read"
                )));
            }
        });
    }
    if !columns.contains(&"login") {
        return Err(usage(
            "the first row must have the heading login".to_owned(),
        ));
    }
    let mut people = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, cells) in rows.enumerate() {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let row = number + 2;
        let person =
            person_of(&columns, &cells).map_err(|why| usage(format!("row {row}: {why}")))?;
        if !seen.insert(person.login.to_lowercase()) {
            return Err(usage(format!("row {row}: {} stands twice", person.login)));
        }
        people.push(person);
    }
    match people.len() {
        // An empty file is a failed export, not a house that everybody left.
        0 => Err(usage("the file names nobody".to_owned())),
        1..=DIRECTORY_PEOPLE_MAX => Ok(people),
        _ => Err(usage(format!(
            "a file names at most {DIRECTORY_PEOPLE_MAX} people"
        ))),
    }
}

fn person_of(columns: &[&str], cells: &[String]) -> std::result::Result<DirectoryPerson, String> {
    let mut person = DirectoryPerson {
        active: true,
        ..DirectoryPerson::default()
    };
    if cells.len() > columns.len() {
        return Err("there are more cells than headings".to_owned());
    }
    for (column, cell) in columns.iter().zip(cells) {
        let cell = cell.trim();
        match *column {
            "login" => cell.clone_into(&mut person.login),
            "name" => cell.clone_into(&mut person.name),
            "id" => cell.clone_into(&mut person.external),
            "role" if cell.is_empty() => {}
            "role" => {
                let role = Role::from_name(cell);
                person.role = Some(role.ok_or_else(|| format!("\"{cell}\" is no role"))?);
            }
            _ => {
                person.active = match cell.to_lowercase().as_str() {
                    "" | "true" | "yes" | "1" => true,
                    "false" | "no" | "0" => false,
                    other => return Err(format!("active is yes or no, not \"{other}\"")),
                }
            }
        }
    }
    match person.login.is_empty() {
        true => Err("the login is missing".to_owned()),
        false => Ok(person),
    }
}

/// What is done with one user.
#[derive(Clone, Debug)]
enum Step {
    Person(DirectoryPerson),
    Leaver(UserNo),
}

impl Appliance {
    /// Takes over a whole directory: whoever is new is added without a password, whoever changed is
    /// changed, whoever a directory brought and it no longer names has left. `adopt` gives users into its
    /// care that are here already. With `dry_run` nothing is done.
    ///
    /// # Errors
    /// For anybody but an administrator.
    pub fn sync_directory(
        &self,
        session: &Session,
        people: &[DirectoryPerson],
        adopt: bool,
        dry_run: bool,
    ) -> Result<SyncReport> {
        self.require(session, Right::SyncDirectory, Action::DirectorySync)?;
        let named: BTreeSet<String> = people
            .iter()
            .map(|person| person.login.to_ascii_lowercase())
            .collect();
        let mut steps = Vec::new();
        {
            let rows = self.archive.store().read()?;
            for row in rows.directory_users()? {
                let user = rows.user(row.user)?;
                if user.is_some_and(|user| !user.disabled && !named.contains(&user.login)) {
                    steps.push(Step::Leaver(row.user));
                }
            }
        }
        // Leavers first: their access is what harms.
        steps.extend(people.iter().cloned().map(Step::Person));
        let mut report = SyncReport {
            changes: Vec::new(),
            same: 0,
            audit: None,
        };
        if dry_run {
            self.look_ahead(session, &steps, adopt, &mut report)?;
            return Ok(report);
        }
        for some in steps.chunks(AT_ONCE) {
            let now = self.clock.now();
            let done = self.change(now, |tx| {
                let mut done = Vec::new();
                for step in some {
                    done.push(self.directory_step(tx, session, step, adopt, now)?);
                }
                Ok(done)
            })?;
            report.note(done);
        }
        let now = self.clock.now();
        report.audit = Some(self.change(now, |tx| {
            let count = |name| {
                report
                    .changes
                    .iter()
                    .filter(|(_, change)| change.name() == name)
                    .count() as u64
            };
            let draft = self
                .draft(session, Action::DirectorySync)
                .count("new", count("new"))
                .count("changed", count("changed"))
                .count("left", count("left"))
                .count("refused", count("refused"));
            self.log(tx, now, draft, None)
        })?);
        self.sign_log()?;
        Ok(report)
    }

    /// What [`Appliance::sync_directory`] would do, found without doing it.
    fn look_ahead(
        &self,
        session: &Session,
        steps: &[Step],
        adopt: bool,
        report: &mut SyncReport,
    ) -> Result<()> {
        let rows = self.archive.store().read()?;
        let mut found = Vec::new();
        for step in steps {
            found.push(decide(&rows, session, step, adopt)?);
        }
        report.note(found);
        Ok(())
    }

    /// Adds somebody that a directory brings.
    ///
    /// # Errors
    /// For who may not; `Conflict` when somebody has the login already.
    pub fn add_directory_person(
        &self,
        session: &Session,
        person: &DirectoryPerson,
    ) -> Result<UserId> {
        self.one_directory_step(session, person, |tx| {
            match tx.user_by_login(&person.login.to_ascii_lowercase())? {
                Some(_) => Err(AppError::Conflict(format!(
                    "there is a user {}",
                    person.login
                ))),
                None => Ok(()),
            }
        })
    }

    /// Changes somebody that a directory brought, as it tells of them now.
    ///
    /// # Errors
    /// For who may not; `NotFound` when no directory brought them; `Blocked` when it may not be done.
    pub fn change_directory_person(
        &self,
        session: &Session,
        person: &DirectoryPerson,
    ) -> Result<UserId> {
        self.one_directory_step(session, person, |tx| {
            let user = tx.user_by_login(&person.login.to_ascii_lowercase())?;
            let brought = match user {
                Some(user) => tx.directory_user(user.no)?,
                None => None,
            };
            match brought {
                Some(_) => Ok(()),
                None => Err(AppError::NotFound(person.login.clone())),
            }
        })
    }

    fn one_directory_step(
        &self,
        session: &Session,
        person: &DirectoryPerson,
        check: impl Fn(&WriteTx<'_>) -> Result<()>,
    ) -> Result<UserId> {
        self.require(session, Right::SyncDirectory, Action::DirectorySync)?;
        let now = self.clock.now();
        let id = self.change(now, |tx| {
            check(tx)?;
            let step = Step::Person(person.clone());
            if let Some((_, SyncChange::Refused(why))) =
                self.directory_step(tx, session, &step, false, now)?.pop()
            {
                return Err(AppError::Blocked(why));
            }
            let user = auth::user_named(tx, &person.login)?;
            Ok(user.id)
        })?;
        self.sign_log()?;
        Ok(id)
    }

    /// Everybody that a directory brought.
    ///
    /// # Errors
    /// For who may not.
    pub fn directory_people(&self, session: &Session) -> Result<Vec<DirectoryLine>> {
        self.require(session, Right::SyncDirectory, Action::DirectorySync)?;
        let rows = self.archive.store().read()?;
        let users: BTreeMap<UserNo, UserRow> = rows
            .users()?
            .into_iter()
            .map(|user| (user.no, user))
            .collect();
        let mut lines = Vec::new();
        for row in rows.directory_users()? {
            let Some(user) = users.get(&row.user) else {
                continue;
            };
            let mut texts = self.archive.open_texts(&rows, row.text_no)?.into_iter();
            lines.push(DirectoryLine {
                user: user.clone(),
                external: texts.next().unwrap_or_default(),
                name: texts.next().unwrap_or_default(),
            });
        }
        Ok(lines)
    }

    /// Does one step, as far as it may be done.
    fn directory_step(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        step: &Step,
        adopt: bool,
        now: Now,
    ) -> Result<Vec<(String, SyncChange)>> {
        let changes = decide(tx, session, step, adopt)?;
        for (login, change) in &changes {
            let act = |action| self.draft(session, action).word("way", "directory");
            let of = |draft: Draft, user: &UserRow| draft.object(user.id);
            match change {
                SyncChange::New(role) => {
                    let grants = starting_grants(*role);
                    let entropy = &*self.entropy;
                    let who =
                        create_unlocked_user(tx, login, *role, grants, entropy, now.compliance)?;
                    let draft = act(Action::UserAdd)
                        .object(who.id)
                        .word("role", role.name());
                    self.log(tx, now, draft, Some(login.as_bytes()))?;
                }
                SyncChange::Role(role) => {
                    let user = auth::set_role(tx, login, *role)?;
                    regrant(tx, &user)?;
                    let draft = of(act(Action::UserRole), &user).word("role", role.name());
                    self.log(tx, now, draft, None)?;
                }
                SyncChange::Back => {
                    let user = auth::enable_user(tx, login)?;
                    self.log(tx, now, of(act(Action::UserEnable), &user), None)?;
                }
                SyncChange::Left => {
                    let user = auth::disable_user(tx, login)?;
                    self.log(tx, now, of(act(Action::UserDisable), &user), None)?;
                }
                SyncChange::Adopted | SyncChange::Refused(_) => {}
            }
        }
        // Who was taken into care stays there, also where a change of theirs was refused.
        let is_refused = matches!(changes.first(), Some((_, SyncChange::Refused(_))));
        if let (Step::Person(person), false) = (step, is_refused) {
            self.keep_told(tx, person, now)?;
        }
        Ok(changes)
    }

    /// Keeps what a directory says of somebody who is here.
    fn keep_told(&self, tx: &WriteTx<'_>, person: &DirectoryPerson, now: Now) -> Result<()> {
        let Some(user) = tx.user_by_login(&person.login.to_ascii_lowercase())? else {
            return Ok(());
        };
        if let Some(known) = tx.directory_user(user.no)? {
            let texts = self.archive.open_texts(tx, known.text_no)?;
            if texts == [person.external.as_str(), person.name.as_str()] {
                return Ok(tx.put_directory_user(&DirectoryUserRow {
                    synced: now.compliance,
                    ..known
                })?);
            }
        }
        let text_no = self
            .archive
            .seal_texts(tx, &[&person.external, &person.name])?;
        Ok(tx.put_directory_user(&DirectoryUserRow {
            user: user.no,
            synced: now.compliance,
            text_no,
        })?)
    }
}

impl SyncReport {
    fn note(&mut self, done: Vec<Vec<(String, SyncChange)>>) {
        for changes in done {
            match changes.is_empty() {
                true => self.same += 1,
                false => self.changes.extend(changes),
            }
        }
    }
}

/// What a step would change; empty when everything is as it tells.
fn decide(
    rows: &Rows,
    session: &Session,
    step: &Step,
    adopt: bool,
) -> Result<Vec<(String, SyncChange)>> {
    let person = match step {
        Step::Person(person) => person,
        Step::Leaver(no) => {
            let user = rows.user(*no)?.filter(|user| !user.disabled);
            let Some(user) = user else {
                return Ok(Vec::new());
            };
            let change = left(rows, &user)?;
            return Ok(vec![(user.login, change)]);
        }
    };
    let login = person.login.to_ascii_lowercase();
    let refused = |why: &str| Ok(vec![(login.clone(), SyncChange::Refused(why.to_owned()))]);
    let longest = person
        .name
        .chars()
        .count()
        .max(person.external.chars().count());
    if longest > WORDS_CHARS_MAX {
        return refused("a name of the directory is too long");
    }
    // A program with a token gives nobody more than it has itself.
    if person.role == Some(Role::Administrator) && session.actor.scopes.is_some() {
        return refused("a program makes no administrator");
    }
    let Some(user) = rows.user_by_login(&login)? else {
        if !person.active {
            return Ok(Vec::new());
        }
        if auth::check_login(&login).is_err() {
            return refused("a login has letters a to z, digits and . _ - @");
        }
        let role = person.role.unwrap_or(Role::Manager);
        return Ok(vec![(login, SyncChange::New(role))]);
    };
    let mut changes = Vec::new();
    if rows.directory_user(user.no)?.is_none() {
        if !adopt {
            return refused("somebody who was added by hand has this login");
        }
        changes.push((login.clone(), SyncChange::Adopted));
    }
    match (person.active, user.disabled) {
        (false, false) => {
            changes.push((login, left(rows, &user)?));
            return Ok(changes);
        }
        (false, true) => return Ok(changes),
        (true, true) => changes.push((login.clone(), SyncChange::Back)),
        (true, false) => {}
    }
    if let Some(role) = person.role.filter(|role| *role != user.role) {
        let change = match is_last_administrator(rows, &user)? {
            true => SyncChange::Refused("the last administrator stays one".to_owned()),
            false => SyncChange::Role(role),
        };
        changes.push((login, change));
    }
    Ok(changes)
}

fn left(rows: &Rows, user: &UserRow) -> Result<SyncChange> {
    Ok(match is_last_administrator(rows, user)? {
        true => SyncChange::Refused("the last administrator stays".to_owned()),
        false => SyncChange::Left,
    })
}
