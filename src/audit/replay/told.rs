//! How what the replay knows is written down: instants as microseconds, roles by their names, terms
//! as the facts of an entry tell them.

use serde::{Deserialize, Serialize};

use super::super::terms::Terms;
use crate::domain::{Lock, PolicyAction, Timestamp};

/// An instant.
pub(super) mod instant {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Timestamp;

    pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        at.0.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp)
    }
}

/// An instant or none.
pub(super) mod maybe {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Timestamp;

    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(|at| at.0).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(Timestamp))
    }
}

/// Instants by a name.
pub(super) mod instants {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::Timestamp;

    type Named = BTreeMap<String, Timestamp>;

    pub fn serialize<S: Serializer>(all: &Named, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(all.iter().map(|(name, at)| (name, at.0)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Named, D::Error> {
        let all = BTreeMap::<String, i64>::deserialize(from)?;
        Ok(all
            .into_iter()
            .map(|(name, at)| (name, Timestamp(at)))
            .collect())
    }
}

/// A role.
pub(super) mod role {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::Role;

    pub fn serialize<S: Serializer>(role: &Role, to: S) -> Result<S::Ok, S::Error> {
        role.name().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Role, D::Error> {
        let name = String::deserialize(from)?;
        Role::from_name(&name).ok_or_else(|| D::Error::custom("a role that there is not"))
    }
}

/// The terms of a policy version under the names of the facts of its entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::audit) struct ToldTerms {
    pub(in crate::audit) action: String,
    pub(in crate::audit) period: String,
    pub(in crate::audit) zone: String,
    pub(in crate::audit) lock: String,
    pub(in crate::audit) lock_until: Option<i64>,
    pub(in crate::audit) reviewers: u64,
    pub(in crate::audit) trigger: String,
    pub(in crate::audit) level: String,
}

impl From<Terms> for ToldTerms {
    fn from(terms: Terms) -> Self {
        ToldTerms {
            action: terms.action.name().to_owned(),
            period: terms.period.to_string(),
            zone: terms.zone.name().to_owned(),
            lock: terms.lock.name().to_owned(),
            lock_until: match terms.lock {
                Lock::None => None,
                Lock::Governance(until) | Lock::Compliance(until) => Some(until.0),
            },
            reviewers: terms.reviewers,
            trigger: terms.trigger,
            level: terms.level,
        }
    }
}

impl TryFrom<ToldTerms> for Terms {
    type Error = &'static str;

    fn try_from(told: ToldTerms) -> Result<Self, Self::Error> {
        const WRONG: &str = "terms of a policy that cannot be read";
        Ok(Terms {
            action: PolicyAction::from_name(&told.action).ok_or(WRONG)?,
            period: told.period.parse().map_err(|_| WRONG)?,
            zone: told.zone.parse().map_err(|_| WRONG)?,
            lock: match (told.lock.as_str(), told.lock_until.map(Timestamp)) {
                ("none", None) => Lock::None,
                ("governance", Some(until)) => Lock::Governance(until),
                ("compliance", Some(until)) => Lock::Compliance(until),
                _ => return Err(WRONG),
            },
            reviewers: told.reviewers,
            trigger: told.trigger,
            level: told.level,
        })
    }
}
