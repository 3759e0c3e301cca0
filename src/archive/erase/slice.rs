//! The share of a batch that is decided in one transaction: whole buckets, and what lies in them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::error::Result;
use super::plan::PlanItem;
use crate::domain::{ConversationNo, HandleNo, MessageNo};
use crate::store::{ContentKey, DataKeyId, Rows};

/// Items after which a slice is full; it ends with the bucket it stands in.
pub(super) const SLICE_ITEMS: usize = 10_000;

/// What one deciding transaction destroys.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// Messages, if the judge says so.
    pub(super) items: Vec<PlanItem>,
    /// Conversations without messages, with the content number of the title.
    pub(super) titles: Vec<(ConversationNo, u64)>,
    /// Handles that write nowhere any more, with the content number of the name.
    pub(super) names: Vec<(HandleNo, u64)>,
}

/// The rows of a slice, and the keys that must die with them.
#[derive(Debug, Default)]
pub(super) struct Doomed {
    /// Content rows of the items: versions, sightings, names.
    pub(super) rows: HashSet<ContentKey>,
    /// The keys those rows and the items' files lie under.
    pub(super) keys: BTreeSet<DataKeyId>,
    /// The messages.
    pub(super) messages: HashSet<MessageNo>,
}

impl Doomed {
    pub(super) fn find(rows: &Rows, slice: &Slice) -> Result<Doomed> {
        let mut doomed = Doomed::default();
        for item in &slice.items {
            doomed.messages.insert(item.no);
            doomed.add_message(rows, item.no)?;
        }
        let titles = slice.titles.iter().map(|(_, no)| *no);
        for no in titles.chain(slice.names.iter().map(|(_, no)| *no)) {
            doomed.add_content(rows, no)?;
        }
        Ok(doomed)
    }

    /// The rows of one message: versions and sightings, not its files, which others may carry too.
    pub(super) fn words_of(rows: &Rows, no: MessageNo) -> Result<Doomed> {
        let mut doomed = Doomed::default();
        doomed.add_words(rows, no)?;
        Ok(doomed)
    }

    fn add_words(&mut self, rows: &Rows, no: MessageNo) -> Result<()> {
        self.add_content(rows, no.0)?;
        for (_, content_no) in rows.observations(no)? {
            self.add_content(rows, content_no)?;
        }
        Ok(())
    }

    fn add_message(&mut self, rows: &Rows, no: MessageNo) -> Result<()> {
        self.add_words(rows, no)?;
        for (_, blob) in rows.attachments(no)? {
            let row = match blob {
                Some(blob) => rows.blob(blob)?,
                None => None,
            };
            self.keys.extend(row.map(|row| row.data_key));
        }
        Ok(())
    }

    fn add_content(&mut self, rows: &Rows, no: u64) -> Result<()> {
        for (key, data_key) in rows.content_places(no)? {
            self.rows.insert(key);
            self.keys.insert(data_key);
        }
        Ok(())
    }
}

/// Cuts items into slices of whole buckets: a bucket is re-sealed once, whatever the plan takes out
/// of it. Items without content (gone meanwhile) come with the first.
pub(super) fn cut(rows: &Rows, items: &[PlanItem]) -> Result<Vec<Slice>> {
    let mut buckets: BTreeMap<Option<DataKeyId>, Vec<PlanItem>> = BTreeMap::new();
    for item in items {
        let places = rows.content_places(item.no.0)?;
        let bucket = places.first().map(|(_, data_key)| *data_key);
        buckets.entry(bucket).or_default().push(*item);
    }
    let mut slices: Vec<Slice> = Vec::new();
    for mut bucket in buckets.into_values() {
        match slices.last_mut() {
            Some(slice) if slice.items.len() + bucket.len() <= SLICE_ITEMS => {
                slice.items.append(&mut bucket);
            }
            _ => slices.push(Slice {
                items: bucket,
                ..Slice::default()
            }),
        }
    }
    for slice in &mut slices {
        slice.items.sort_unstable();
    }
    Ok(slices)
}
