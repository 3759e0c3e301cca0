//! Writes zip archives for the rooms above: sample exports, later productions.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::error::{IngestError, Result};
use crate::domain::Timestamp;

/// First year a zip entry can carry (the DOS date; APPNOTE.TXT 4.4.6).
const YEAR_MIN: i32 = 1980;
/// Last year a zip entry can carry.
const YEAR_MAX: i32 = 2107;

/// Packs entries, in their order, into one archive whose entries are dated `modified`. The same
/// entries and date give the same bytes.
///
/// # Errors
/// When a name is longer than the format allows.
pub fn zip_of<'a>(
    entries: impl Iterator<Item = (&'a str, &'a [u8])>,
    modified: Timestamp,
) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(dos_time(modified));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let failed = |error: zip::result::ZipError| IngestError::Source(std::io::Error::other(error));
    for (name, bytes) in entries {
        writer.start_file(name, options).map_err(failed)?;
        writer.write_all(bytes)?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}

fn dos_time(modified: Timestamp) -> DateTime {
    let (year, month, day) = modified.civil_utc();
    if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
        return DateTime::default();
    }
    let second_of_day = modified.seconds().rem_euclid(86_400);
    let (hour, minute) = (
        (second_of_day / 3_600) as u8,
        (second_of_day / 60 % 60) as u8,
    );
    let second = (second_of_day % 60) as u8;
    DateTime::from_date_and_time(year as u16, month, day, hour, minute, second).unwrap_or_default()
}
