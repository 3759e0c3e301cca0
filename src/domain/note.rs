//! What a reader of foreign data could not take, or took with an assumption.

/// One remark on a place in a source. Notes stay visible in the import's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What sort of remark.
    pub kind: NoteKind,
    /// Name of the entry inside the container, or of the file itself.
    pub entry: String,
    /// First byte of the place in that entry.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
    /// Line or row number counted from 1; 0 when the format has none.
    pub line: u64,
    /// The place verbatim where it was rejected, else empty. Cut at 64 KiB.
    pub raw: String,
    /// The reason in one sentence, with what to do where there is something to do.
    pub reason: String,
}

/// Sorts of note. Only `Rejected` counts as data not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum NoteKind {
    /// A line or record that could not be read; kept verbatim in `raw`.
    Rejected = 0,
    /// An entry of the container that was refused or not read, and why.
    EntryRefused = 1,
    /// A line that looks like a message header but fails the guards; kept in the body.
    HeaderLikeLine = 2,
    /// Bytes that are not valid in the stated encoding; decoded lossily, raw kept.
    Encoding = 3,
    /// An assumption was made (zone, date order, calendar); the reason says which.
    Assumption = 4,
    /// A message names a file that did not come along.
    MissingMedia = 5,
    /// A file no message names.
    UnreferencedMedia = 6,
    /// Something is absent inside the interval another source covers.
    Gap = 7,
    /// A part was cut or split at a limit.
    Limit = 8,
    /// Anything else worth saying.
    Other = 9,
}

impl NoteKind {
    /// The kind of a stored number; unknown numbers are `Other`.
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Rejected,
            1 => Self::EntryRefused,
            2 => Self::HeaderLikeLine,
            3 => Self::Encoding,
            4 => Self::Assumption,
            5 => Self::MissingMedia,
            6 => Self::UnreferencedMedia,
            7 => Self::Gap,
            8 => Self::Limit,
            _ => Self::Other,
        }
    }

    /// The name in reports: lower case with underscores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::EntryRefused => "entry_refused",
            Self::HeaderLikeLine => "header_like_line",
            Self::Encoding => "encoding",
            Self::Assumption => "assumption",
            Self::MissingMedia => "missing_media",
            Self::UnreferencedMedia => "unreferenced_media",
            Self::Gap => "gap",
            Self::Limit => "limit",
            Self::Other => "other",
        }
    }
}
