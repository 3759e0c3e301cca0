//! The use-case "check": is everything in order to run? Counts, sizes and states only, no content.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::clock;
use super::{Appliance, Result, Settings};
use crate::audit::LogEnd;
use crate::domain::Timestamp;

/// Free space below which imports are likely to fail, in bytes.
const FREE_BYTES_LOW: u64 = 1 << 30;
/// How far the clock may lie behind the last entry before it is told, in microseconds.
const CLOCK_BEHIND_MAX: i64 = 60 * 1_000_000;
/// A wall clock before this is not set: 2024-01-01.
const CLOCK_SET: Timestamp = Timestamp::from_seconds(1_704_067_200);

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In order.
    Good,
    /// Works, and should be changed.
    Warning,
    /// Does not work, or is not safe.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: one word or two.
    pub subject: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What was found and, if something is to be done, what.
    pub text: String,
}

pub(super) fn finding(
    subject: &'static str,
    standing: Standing,
    text: impl Into<String>,
) -> Finding {
    Finding {
        subject,
        standing,
        text: text.into(),
    }
}

/// Looks at the host without opening anything: configuration, keys, disk, clock, permissions.
pub fn check_host(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![finding(
        "configuration",
        Standing::Good,
        format!("data {}, zone {}", settings.data.display(), settings.zone),
    )];
    if settings.zone.parse::<chrono_tz::Tz>().is_err() {
        findings[0] = finding(
            "configuration",
            Standing::Bad,
            format!("\"{}\" is not an IANA time zone", settings.zone),
        );
    }
    findings.push(check_unlock_key(settings));
    findings.push(check_disk(&settings.data));
    findings.push(match clock::wall() {
        now if now < CLOCK_SET => {
            finding("clock", Standing::Bad, "the clock of this host is not set")
        }
        _ => finding("clock", Standing::Good, "set"),
    });
    findings.extend(check_permissions(settings));
    findings
}

fn check_unlock_key(settings: &Settings) -> Finding {
    let key = &settings.unlock_key;
    let Ok(meta) = fs::metadata(key) else {
        return finding(
            "keys",
            Standing::Warning,
            format!(
                "{}: no unlock key there; a passphrase or credential is needed",
                key.display()
            ),
        );
    };
    let same_disk = fs::metadata(&settings.data).is_ok_and(|data| data.dev() == meta.dev());
    match (key.starts_with(&settings.data), same_disk) {
        (true, _) => finding(
            "keys",
            Standing::Bad,
            "the unlock key lies inside the data directory: move it away",
        ),
        (false, true) => finding(
            "keys",
            Standing::Warning,
            "the unlock key is on the disk of the data: who steals the disk has both",
        ),
        (false, false) => finding("keys", Standing::Good, "the unlock key is on another disk"),
    }
}

fn check_disk(data: &Path) -> Finding {
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let standing = match free {
                0..FREE_BYTES_LOW => Standing::Warning,
                _ => Standing::Good,
            };
            finding("disk", standing, format!("{} MB free", free >> 20))
        }
        Err(error) => finding(
            "disk",
            Standing::Bad,
            format!("{}: {error}", data.display()),
        ),
    }
}

fn check_permissions(settings: &Settings) -> Vec<Finding> {
    let keys = settings
        .keys_dir
        .clone()
        .unwrap_or_else(|| settings.data.join("keys"));
    let paths = [
        settings.data.clone(),
        keys.clone(),
        keys.join("slots"),
        keys.join("keyhold"),
        settings.data.join("wordkeep.db"),
        settings.unlock_key.clone(),
    ];
    let open: Vec<String> = paths
        .iter()
        .filter_map(|path| {
            let mode = fs::metadata(path).ok()?.permissions().mode();
            (mode & 0o077 != 0).then(|| format!("{} ({:o})", path.display(), mode & 0o777))
        })
        .collect();
    match open.is_empty() {
        true => vec![finding(
            "permissions",
            Standing::Good,
            "only the owner reads data and keys",
        )],
        false => vec![finding(
            "permissions",
            Standing::Bad,
            format!("others may read {}: chmod go=", open.join(", ")),
        )],
    }
}

impl Appliance {
    /// Looks at what is opened: index completeness, state and freshness of the log, keys, clock.
    pub fn check(&self) -> Result<Vec<Finding>> {
        let mut findings = check_host(&self.settings);
        findings.push(self.check_index()?);
        findings.push(self.check_log_state()?);
        findings.push(match self.check_freshness() {
            _ if self.quarantine().is_some() => finding(
                "freshness",
                Standing::Bad,
                format!(
                    "QUARANTINE, for reading alone: {}",
                    self.quarantine().unwrap_or_default()
                ),
            ),
            Ok(()) if self.pin_board().is_some() => finding(
                "freshness",
                Standing::Good,
                "not behind anything this computer has seen",
            ),
            Ok(()) => finding(
                "freshness",
                Standing::Warning,
                "unproven: this computer remembers no earlier state",
            ),
            Err(error) => finding("freshness", Standing::Bad, error.to_string()),
        });
        let keyring = self.archive.keyring();
        findings.push(finding(
            "keyhold",
            Standing::Good,
            format!(
                "generation {}, {} slot(s)",
                keyring.generation(),
                self.archive.slots()?.len()
            ),
        ));
        findings.extend(self.check_anchors());
        findings.extend(self.check_requests()?);
        findings.extend(self.check_backups()?);
        Ok(findings)
    }

    fn check_index(&self) -> Result<Finding> {
        let refused = self.archive.refused_parts();
        if let Some((part, why)) = refused.first() {
            return Ok(finding(
                "index",
                Standing::Bad,
                format!("part {part}: {why}"),
            ));
        }
        let watermark = self.archive.watermark()?;
        Ok(match watermark.is_complete() {
            true => finding(
                "index",
                Standing::Good,
                format!("complete through sequence {}", watermark.of),
            ),
            false => finding(
                "index",
                Standing::Warning,
                format!(
                    "complete through sequence {} of {}",
                    watermark.through, watermark.of
                ),
            ),
        })
    }

    fn check_log_state(&self) -> Result<Finding> {
        let rows = self.archive.store().read()?;
        let end =
            LogEnd::read(&rows).map_err(|error| super::AppError::Integrity(error.to_string()))?;
        let signed = rows.last_audit_checkpoint()?.map_or(0, |(size, _)| size);
        let size = end.edge.size();
        let wall = clock::wall();
        drop(rows);
        if self.quarantine().is_none()
            && let Err(error) = self.keep_clock()
        {
            return Ok(finding(
                "log",
                Standing::Bad,
                format!(
                    "nothing can be written ({error}): no message is shown and nothing is changed \
                     until it can"
                ),
            ));
        }
        if end.t_c.0.saturating_sub(wall.0) > CLOCK_BEHIND_MAX {
            return Ok(finding(
                "log",
                Standing::Warning,
                "the clock of this host lies behind the last audit entry: set it",
            ));
        }
        Ok(finding(
            "log",
            Standing::Good,
            format!("{size} entries, signed through {signed}"),
        ))
    }
}
