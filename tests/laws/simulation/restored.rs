//! What a backup brings back: what was in it and was not destroyed since, under the rules of today.

use wordkeep::app::{NewSecret, RestoreOrder, restore_backup};
use wordkeep::archive::Archive;
use wordkeep::crypto::StretchCost;

use crate::engine::live;
use crate::host::Site;
use crate::house::secret;
use crate::laws::{Law, Violation};
use crate::walk::Walk;

impl Walk {
    /// Restores a backup beside the archive and compares.
    pub fn restore(&mut self, no: usize) -> Result<(), Violation> {
        let (site, world) = (&self.site, &self.world);
        let kept = site.app().archive().kept_backups().unwrap();
        let backup = &world.backups[no];
        let from = kept[no].path();
        let root = site.root.join("restored");
        let _ = std::fs::remove_dir_all(&root);
        let broken = |law: Law, why: String| self.broken(law, why);
        let replaced = site.app().replace_escrow(&site.people[0]);
        replaced.map_err(|error| broken(Law::Open, error.to_string()))?;
        let order = RestoreOrder {
            from: &from,
            escrow: &Archive::escrow_path(&site.root.join("target")),
            recovery: self.recovery.as_ref().unwrap(),
        };
        let secret = secret();
        let new = NewSecret {
            secret: &secret,
            label: "first",
            cost: StretchCost::LOGIN,
        };
        let mut other = Site::closed(&root, site.hands.copied(), site.people.clone());
        std::fs::create_dir_all(root.join("home/.config/wordkeep")).unwrap();
        let settings = other.place().settings();
        let restored = restore_backup(settings, &order, &new, &mut |_, _, _| ());
        restored.map_err(|error| broken(Law::Readable, error.to_string()))?;
        other.open().map_err(|why| broken(Law::Open, why))?;
        let mut known = self.known.clone();
        let there = live(other.app(), &mut known).map_err(|why| broken(Law::Readable, why))?;
        let told = |no: &u64, versions: &[String]| format!("{no} {versions:?}");
        let found = there
            .iter()
            .map(|(no, seen)| told(no, &seen.versions))
            .collect();
        let left = backup
            .live
            .iter()
            .filter(|(no, _)| !world.gone.contains_key(no));
        let wanted = left
            .map(|(no, record)| told(no, &record.versions))
            .collect();
        let differ = crate::walk::differences(&wanted, &found);
        if !differ.is_empty() {
            return Err(broken(Law::Conservation, format!("restored: {differ:?}")));
        }
        let rows = other.app().archive().store().read().unwrap();
        let holds = rows.holds().unwrap();
        let same = holds.len() == world.holds.len()
            && holds.iter().zip(&world.holds).all(|(row, hold)| {
                row.hold.from.0 == hold.from
                    && row.hold.release.map(|one| one.at.0) == hold.released
            });
        let versions = rows.policy_versions().unwrap().len();
        if !same || versions != world.versions.len() {
            return Err(broken(
                Law::I1,
                "rules newer than the backup were lost".to_owned(),
            ));
        }
        drop(rows);
        let stopped = other.app().plan_disposition(&site.people[2]).is_err();
        if !stopped {
            return Err(broken(
                Law::I3,
                "a restored archive destroys before it is confirmed".to_owned(),
            ));
        }
        other.drop_all();
        std::fs::remove_dir_all(&root).unwrap();
        self.tally.restored += 1;
        Ok(())
    }
}
