//! What has to be true before a version counts, and what compliance locks need to be kept.

use super::book::Book;
use super::error::{Result, RetentionError};
use super::facts::Present;
use super::rules::Term;
use super::scope::Scope;
use super::survey::survey;
use super::weaken::ScopeChange;
use crate::archive::Archive;
use crate::domain::{Disposition, Lock, MessageNo, PolicyVersion, STAGES_MAX, Timestamp, Trigger};
use crate::store::{Epochs, MessageFloor, SimulationRow};

/// Whether a version may be enabled: the newest simulation of it was made after the last change of
/// any rule or hold.
///
/// # Errors
/// `Refused`, saying what to do.
pub fn may_enable(simulation: Option<&SimulationRow>, epochs: Epochs) -> Result<()> {
    match simulation {
        None => Err(RetentionError::Refused(
            "enabling needs a simulation of this version: run one and look at it".to_owned(),
        )),
        Some(row) if row.epochs != epochs => Err(RetentionError::Refused(
            "rules or holds changed since the simulation: run it again".to_owned(),
        )),
        Some(_) => Ok(()),
    }
}

/// Whether the parts of a version go together.
///
/// # Errors
/// `Refused`, saying what to do.
pub fn check_version(version: &PolicyVersion) -> Result<()> {
    let refused = |why: &str| Err(RetentionError::Refused(why.to_owned()));
    if let Disposition::Reviewed(count) = version.disposition
        && (count == 0 || count > STAGES_MAX)
    {
        return refused("a disposition is reviewed by one to five people");
    }
    if version.trigger == Trigger::LabelApplied && version.level.label().is_none() {
        return refused("a period that begins with a label needs the level of that label");
    }
    if version.lock != Lock::None && !version.action.retains() {
        return refused("a lock keeps what a policy keeps: this one only lets go");
    }
    Ok(())
}

/// How a scope differs from the one before.
pub fn scope_change(before: &Scope, after: &Scope) -> ScopeChange {
    if after.is_same(before) {
        ScopeChange::Same
    } else if after.surely_covers(before) {
        ScopeChange::Wider
    } else {
        ScopeChange::Other
    }
}

/// The locks that have to be recorded with messages, because what they hang on may change: scopes
/// that ask for words, flags or neighbours, and the last activity of a chat, which a purge may take
/// away. Write them (`WriteTx::raise_floor`) before such a change
/// and from time to time; what is recorded already is left out.
///
/// # Errors
/// When a record cannot be read or a scope cannot be answered.
pub fn locks_to_record(
    archive: &Archive,
    book: &Book,
    present: &Present,
) -> Result<Vec<(MessageNo, MessageFloor)>> {
    let at = present.now.compliance;
    let changing = |term: &Term| {
        let scope = book.policy_scope(term.version.id);
        term.ever_locked(at)
            && (term.version.trigger == Trigger::LastActivity
                || scope.is_some_and(|scope| !scope.is_fixed()))
    };
    let mut found = Vec::new();
    if !book.rules().terms().iter().any(changing) {
        return Ok(found);
    }
    survey(archive, &[book], present, |looked| {
        let locked_until = looked.verdicts[0].locked_until;
        if locked_until > book.floor(looked.row.no).locked_until {
            let floor = MessageFloor {
                locked_until,
                extended_until: Timestamp::ALWAYS,
            };
            found.push((looked.row.no, floor));
        }
        Ok(())
    })?;
    Ok(found)
}
