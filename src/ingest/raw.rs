//! The compact form of a raw span: only what cannot be rendered again from fields that are kept
//! anyway. Rebuilding gives the bytes of the source, every one.

use crate::domain::Timestamp;

/// Most templates one import uses; rows of further shapes are kept as a difference to their body.
pub const TEMPLATES_MAX: usize = 16;
/// First byte of a form that holds the bytes verbatim.
const VERBATIM: u8 = 0;
/// First byte of a form that holds what stands around sender and body.
const AROUND: u8 = 1;
/// First byte of a form by template 0; the next templates follow.
const TEMPLATE: u8 = 2;
/// Bytes of a form by template that leaves nothing open: its number and an empty mask.
const TEMPLATE_BYTES_MIN: usize = 2;

/// The kept fields a raw span may be rendered from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// The words.
    pub body: &'a str,
    /// The author's label.
    pub sender: Option<&'a str>,
    /// The key of the conversation.
    pub conversation: &'a str,
    /// The platform's id.
    pub source_id: Option<&'a str>,
    /// The id answered to.
    pub reply_to: Option<&'a str>,
    /// The instant.
    pub sent: Option<Timestamp>,
}

/// Names a kept field in a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Field {
    /// The words.
    Body = 0,
    /// The author's label.
    Sender = 1,
    /// The key of the conversation.
    Conversation = 2,
    /// The platform's id.
    SourceId = 3,
    /// The id answered to.
    ReplyTo = 4,
    /// The instant.
    Sent = 5,
}

/// How a field is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Style {
    /// As it is.
    Plain = 0,
    /// Inside a JSON string, letters beyond ASCII as they are.
    Json = 1,
    /// Inside a JSON string, everything beyond ASCII escaped.
    JsonAscii = 2,
    /// `2024-01-02T10:11:12Z`, with as many decimals as follow: 0, 3 or 6.
    Zulu0 = 3,
    /// With milliseconds.
    Zulu3 = 4,
    /// With microseconds.
    Zulu6 = 5,
    /// Whole seconds since 1970.
    UnixSeconds = 6,
    /// Whole milliseconds since 1970.
    UnixMillis = 7,
    /// Whole microseconds since 1970.
    UnixMicros = 8,
}

impl Style {
    /// Every style, in the order of its number.
    pub const ALL: [Style; 9] = [
        Style::Plain,
        Style::Json,
        Style::JsonAscii,
        Style::Zulu0,
        Style::Zulu3,
        Style::Zulu6,
        Style::UnixSeconds,
        Style::UnixMillis,
        Style::UnixMicros,
    ];
}

impl Field {
    const ALL: [Field; 6] = [
        Field::Body,
        Field::Sender,
        Field::Conversation,
        Field::SourceId,
        Field::ReplyTo,
        Field::Sent,
    ];
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// A kept field.
    Field(Field, Style),
    /// Bytes that differ from row to row and are kept in each form.
    Hole,
}

/// How the rows of one shape are put together.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Template {
    /// The parts in order. Two literals never stand beside each other.
    pub pieces: Vec<Piece>,
}

/// The templates of an import; kept with its record for as long as any of its messages lives.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Templates(pub Vec<Template>);

/// The form is not one of this import's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the compact form of a raw record is damaged or belongs to another import")]
pub struct DamagedForm;

/// Appends the compact form of `raw` to `out`: by the template that leaves least open, else what
/// stands around sender and body, else verbatim.
pub fn raw_form(raw: &[u8], fields: &Fields<'_>, templates: &Templates, out: &mut Vec<u8>) {
    let start = out.len();
    let mut best: Option<std::ops::Range<usize>> = None;
    for (place, template) in templates.0.iter().take(TEMPLATES_MAX).enumerate() {
        let from = out.len();
        out.push(TEMPLATE + place as u8);
        if !template.form(raw, fields, out) {
            out.truncate(from);
            continue;
        }
        if best
            .as_ref()
            .is_none_or(|best| out.len() - from < best.len())
        {
            best = Some(from..out.len());
        }
        // Nothing was left open: no other template is shorter.
        if out.len() - from == TEMPLATE_BYTES_MIN {
            break;
        }
    }
    if let Some(best) = best.filter(|best| best.len() <= raw.len()) {
        let length = best.len();
        out.copy_within(best, start);
        out.truncate(start + length);
        return;
    }
    out.truncate(start);
    out.push(AROUND);
    let fits = around_form(raw, fields, out);
    if !fits || out.len() - start > raw.len() {
        out.truncate(start);
        out.push(VERBATIM);
        out.extend_from_slice(raw);
    }
}

/// Appends the bytes that `form` was made from to `out`. The fields must be those it was made
/// with.
///
/// # Errors
/// [`DamagedForm`] when the form cannot be read.
pub fn rebuild(
    form: &[u8],
    fields: &Fields<'_>,
    templates: &Templates,
    out: &mut Vec<u8>,
) -> Result<(), DamagedForm> {
    let (kind, rest) = form.split_first().ok_or(DamagedForm)?;
    match *kind {
        VERBATIM => out.extend_from_slice(rest),
        AROUND => rebuild_around(rest, fields, out).ok_or(DamagedForm)?,
        kind => {
            let place = usize::from(kind - TEMPLATE);
            let template = templates.0.get(place).ok_or(DamagedForm)?;
            template.rebuild(rest, fields, out).ok_or(DamagedForm)?;
        }
    }
    Ok(())
}

impl Template {
    /// Appends what the template leaves open to `out`: a mask of fields that do not render alike,
    /// then their bytes and those of the holes. False when the template does not fit.
    fn form(&self, raw: &[u8], fields: &Fields<'_>, out: &mut Vec<u8>) -> bool {
        let mask_at = out.len();
        out.push(0);
        let mut mask = 0u8;
        let mut field_bit = 1u8;
        let mut at = 0;
        for (place, piece) in self.pieces.iter().enumerate() {
            let rest = &raw[at..];
            let next = match self.pieces.get(place + 1) {
                Some(Piece::Literal(next)) => Some(next.as_slice()),
                // Two open parts beside each other could not be told apart.
                Some(_) if !matches!(piece, Piece::Literal(_)) => return false,
                _ => None,
            };
            match piece {
                Piece::Literal(literal) => {
                    if !rest.starts_with(literal) {
                        return false;
                    }
                    at += literal.len();
                    continue;
                }
                Piece::Field(field, style) => {
                    let bit = field_bit;
                    field_bit = field_bit.checked_shl(1).unwrap_or(0);
                    let rendered = matched(rest, fields, *field, *style)
                        .filter(|length| bit != 0 && is_followed(&rest[*length..], next));
                    if let Some(length) = rendered {
                        at += length;
                        continue;
                    }
                    if bit == 0 {
                        return false;
                    }
                    mask |= bit;
                }
                Piece::Hole => {}
            }
            let length = match next {
                Some(next) => memchr::memmem::find(rest, next),
                None => Some(rest.len()),
            };
            let Some(length) = length else { return false };
            push_bytes(&rest[..length], out);
            at += length;
        }
        out[mask_at] = mask;
        at == raw.len()
    }

    fn rebuild(&self, form: &[u8], fields: &Fields<'_>, out: &mut Vec<u8>) -> Option<()> {
        let (mask, mut form) = form.split_first()?;
        let mut bit = 1u8;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => out.extend_from_slice(literal),
                Piece::Field(field, style) => {
                    if mask & bit == 0 {
                        render(fields, *field, *style, out)?;
                    } else {
                        out.extend_from_slice(take_bytes(&mut form)?);
                    }
                    bit = bit.checked_shl(1).unwrap_or(0);
                }
                Piece::Hole => out.extend_from_slice(take_bytes(&mut form)?),
            }
        }
        form.is_empty().then_some(())
    }
}

fn is_followed(rest: &[u8], next: Option<&[u8]>) -> bool {
    match next {
        Some(next) => rest.starts_with(next),
        None => rest.is_empty(),
    }
}

/// Before the sender, between sender and body, behind the body: each a counted run of bytes.
fn around_form(raw: &[u8], fields: &Fields<'_>, out: &mut Vec<u8>) -> bool {
    let sender = fields.sender.unwrap_or("").as_bytes();
    let Some(sender_at) = memchr::memmem::find(raw, sender) else {
        return false;
    };
    let behind = sender_at + sender.len();
    // The body ends a span but for its line end, so it is sought from the back.
    let Some(body_at) = memchr::memmem::rfind(&raw[behind..], fields.body.as_bytes()) else {
        return false;
    };
    push_bytes(&raw[..sender_at], out);
    push_bytes(&raw[behind..behind + body_at], out);
    out.extend_from_slice(&raw[behind + body_at + fields.body.len()..]);
    true
}

fn rebuild_around(mut form: &[u8], fields: &Fields<'_>, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(take_bytes(&mut form)?);
    out.extend_from_slice(fields.sender.unwrap_or("").as_bytes());
    out.extend_from_slice(take_bytes(&mut form)?);
    out.extend_from_slice(fields.body.as_bytes());
    out.extend_from_slice(form);
    Some(())
}

fn text_of<'a>(fields: &Fields<'a>, field: Field) -> Option<&'a str> {
    match field {
        Field::Body => Some(fields.body),
        Field::Sender => fields.sender,
        Field::Conversation => Some(fields.conversation),
        Field::SourceId => fields.source_id,
        Field::ReplyTo => fields.reply_to,
        Field::Sent => None,
    }
}

/// Length of the rendered field at the front of `raw`, when it renders to just these bytes.
fn matched(raw: &[u8], fields: &Fields<'_>, field: Field, style: Style) -> Option<usize> {
    match style {
        Style::Plain => {
            let text = text_of(fields, field)?.as_bytes();
            raw.starts_with(text).then_some(text.len())
        }
        Style::Json | Style::JsonAscii => {
            matched_json(raw, text_of(fields, field)?, style == Style::JsonAscii)
        }
        _ => {
            let mut rendered = Vec::with_capacity(32);
            render(fields, field, style, &mut rendered)?;
            raw.starts_with(&rendered).then_some(rendered.len())
        }
    }
}

/// Whether a byte stands for itself inside a JSON string.
fn is_plain(byte: u8, ascii: bool) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\' && (!ascii || byte < 0x7F)
}

fn matched_json(raw: &[u8], text: &str, ascii: bool) -> Option<usize> {
    let mut at = 0;
    let mut rest = text;
    let mut escape = Vec::with_capacity(12);
    loop {
        let bytes = rest.as_bytes();
        let plain = bytes
            .iter()
            .position(|byte| !is_plain(*byte, ascii))
            .unwrap_or(bytes.len());
        if raw.get(at..at + plain)? != &bytes[..plain] {
            return None;
        }
        at += plain;
        // What is not plain begins a letter, since plain runs end before a whole one.
        rest = &rest[plain..];
        let Some(letter) = rest.chars().next() else {
            return Some(at);
        };
        escape.clear();
        push_escaped(letter, &mut escape);
        if !raw[at..].starts_with(&escape) {
            return None;
        }
        at += escape.len();
        rest = &rest[letter.len_utf8()..];
    }
}

/// The escape of one letter in JSON (RFC 8259 section 7): the short form where there is one, else
/// lower-case hexadecimal.
fn push_escaped(letter: char, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match letter {
        '"' => b'"',
        '\\' => b'\\',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{C}' => b'f',
        _ => 0,
    };
    if short != 0 {
        out.extend_from_slice(&[b'\\', short]);
        return;
    }
    let mut units = [0u16; 2];
    for unit in letter.encode_utf16(&mut units) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.push(HEX[usize::from(*unit >> shift & 15)]);
        }
    }
}

/// Appends a rendered field; `None` when the field is absent or has no such form.
fn render(fields: &Fields<'_>, field: Field, style: Style, out: &mut Vec<u8>) -> Option<()> {
    match style {
        Style::Plain => out.extend_from_slice(text_of(fields, field)?.as_bytes()),
        Style::Json | Style::JsonAscii => {
            for letter in text_of(fields, field)?.chars() {
                let mut utf8 = [0u8; 4];
                let bytes = letter.encode_utf8(&mut utf8).as_bytes();
                if is_plain(bytes[0], style == Style::JsonAscii) {
                    out.extend_from_slice(bytes);
                } else {
                    push_escaped(letter, out);
                }
            }
        }
        Style::Zulu0 => push_zulu(fields.sent?, 0, out)?,
        Style::Zulu3 => push_zulu(fields.sent?, 3, out)?,
        Style::Zulu6 => push_zulu(fields.sent?, 6, out)?,
        Style::UnixSeconds => push_unix(fields.sent?, 1_000_000, out)?,
        Style::UnixMillis => push_unix(fields.sent?, 1_000, out)?,
        Style::UnixMicros => push_unix(fields.sent?, 1, out)?,
    }
    Some(())
}

fn push_unix(sent: Timestamp, unit_micros: i64, out: &mut Vec<u8>) -> Option<()> {
    let whole = sent.0 % unit_micros == 0;
    whole.then(|| out.extend_from_slice((sent.0 / unit_micros).to_string().as_bytes()))
}

/// Appends `2024-01-02T10:11:12.123Z`; `None` when the instant is finer than the decimals or its
/// year has not four digits.
fn push_zulu(sent: Timestamp, decimals: u32, out: &mut Vec<u8>) -> Option<()> {
    let (year, month, day) = sent.civil_utc();
    let micros = sent.0.rem_euclid(Timestamp::MICROS_PER_DAY);
    let unit = 10i64.pow(6 - decimals);
    if micros % unit != 0 || !(0..=9999).contains(&year) {
        return None;
    }
    let seconds = micros / Timestamp::MICROS_PER_SECOND;
    push_digits(i64::from(year), 4, out);
    for (mark, value) in [
        (b'-', i64::from(month)),
        (b'-', i64::from(day)),
        (b'T', seconds / 3_600),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        out.push(mark);
        push_digits(value, 2, out);
    }
    if decimals > 0 {
        out.push(b'.');
        push_digits(micros % Timestamp::MICROS_PER_SECOND / unit, decimals, out);
    }
    out.push(b'Z');
    Some(())
}

fn push_digits(value: i64, count: u32, out: &mut Vec<u8>) {
    for place in (0..count).rev() {
        out.push(b'0' + (value / 10i64.pow(place) % 10) as u8);
    }
}

/// Appends a run of bytes behind its length (LEB128).
fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
}

/// Takes a run of bytes off the front.
fn take_bytes<'f>(form: &mut &'f [u8]) -> Option<&'f [u8]> {
    let mut length = 0usize;
    let mut shift = 0;
    loop {
        let (byte, rest) = form.split_first()?;
        *form = rest;
        length |= usize::from(byte & 0x7F).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
        if shift > 56 {
            return None;
        }
    }
    let (run, rest) = form.split_at_checked(length)?;
    *form = rest;
    Some(run)
}

impl Templates {
    /// The templates as bytes, to be kept with the import.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for template in &self.0 {
            let mut bytes = Vec::new();
            for piece in &template.pieces {
                match piece {
                    Piece::Literal(literal) => {
                        bytes.push(0);
                        push_bytes(literal, &mut bytes);
                    }
                    Piece::Field(field, style) => {
                        bytes.extend_from_slice(&[1, *field as u8, *style as u8]);
                    }
                    Piece::Hole => bytes.push(2),
                }
            }
            push_bytes(&bytes, &mut out);
        }
        out
    }

    /// The templates of such bytes.
    ///
    /// # Errors
    /// [`DamagedForm`] when the bytes are not from [`Templates::to_bytes`].
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, DamagedForm> {
        let mut templates = Vec::new();
        while !bytes.is_empty() {
            let mut rest = take_bytes(&mut bytes).ok_or(DamagedForm)?;
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                pieces.push(take_piece(&mut rest).ok_or(DamagedForm)?);
            }
            templates.push(Template { pieces });
        }
        Ok(Self(templates))
    }
}

fn take_piece(bytes: &mut &[u8]) -> Option<Piece> {
    let (kind, rest) = bytes.split_first()?;
    *bytes = rest;
    match kind {
        0 => Some(Piece::Literal(take_bytes(bytes)?.to_vec())),
        1 => {
            let (numbers, rest) = bytes.split_at_checked(2)?;
            *bytes = rest;
            let field = *Field::ALL.get(usize::from(numbers[0]))?;
            let style = *Style::ALL.get(usize::from(numbers[1]))?;
            Some(Piece::Field(field, style))
        }
        2 => Some(Piece::Hole),
        _ => None,
    }
}

/// The style in which a field was rendered to just these bytes, if there is one.
pub(super) fn style_of(rendered: &[u8], fields: &Fields<'_>, field: Field) -> Option<Style> {
    let candidates = match field {
        Field::Sent => &Style::ALL[3..],
        _ => &Style::ALL[..3],
    };
    // JSON before plain: inside quotes the escaped form fits more rows.
    let order = candidates.iter().skip(1).chain(candidates.first());
    order
        .copied()
        .find(|style| matched(rendered, fields, field, *style) == Some(rendered.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn template() -> Templates {
        let literal = |text: &str| Piece::Literal(text.as_bytes().to_vec());
        Templates(vec![Template {
            pieces: vec![
                literal("{\"c\":\""),
                Piece::Field(Field::Conversation, Style::Json),
                literal("\",\"ts\":\""),
                Piece::Field(Field::Sent, Style::Zulu3),
                literal("\",\"t\":\""),
                Piece::Field(Field::Body, Style::JsonAscii),
                literal("\",\"x\":"),
                Piece::Hole,
                literal("}\n"),
            ],
        }])
    }

    fn check(raw: &[u8], fields: &Fields<'_>) -> usize {
        let mut form = Vec::new();
        raw_form(raw, fields, &template(), &mut form);
        let mut again = Vec::new();
        rebuild(&form, fields, &template(), &mut again).unwrap();
        assert_eq!(again, raw);
        form.len()
    }

    #[test]
    fn a_row_of_the_template_costs_a_few_bytes() {
        let raw =
            br#"{"c":"room","ts":"2015-08-12T13:11:45.561Z","t":"h\u00e9llo \ud83d\ude00","x":12}"#;
        let raw = [raw.as_slice(), b"\n"].concat();
        let fields = Fields {
            body: "héllo 😀",
            conversation: "room",
            sent: Some(Timestamp(1_439_385_105_561_000)),
            ..Fields::default()
        };
        assert_eq!(check(&raw, &fields), 5);
    }

    #[test]
    fn a_row_that_renders_otherwise_is_kept_all_the_same() {
        let raw = b"{\"c\":\"ro\\u006fm\",\"ts\":\"2015\",\"t\":\"a/b\",\"x\":12}\n";
        let fields = Fields {
            body: "a/b",
            conversation: "room",
            ..Fields::default()
        };
        assert!(check(raw, &fields) < raw.len());
    }

    #[test]
    fn templates_survive_their_bytes() {
        let bytes = template().to_bytes();
        assert_eq!(Templates::from_bytes(&bytes), Ok(template()));
        assert!(Templates::from_bytes(&bytes[..bytes.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn rebuilding_gives_every_byte(raw in proptest::collection::vec(any::<u8>(), 0..80),
            body in ".{0,12}", sender in proptest::option::of(".{0,6}"), inside in any::<bool>()) {
            let mut bytes = raw.clone();
            if inside {
                bytes.extend_from_slice(sender.as_deref().unwrap_or("").as_bytes());
                bytes.extend_from_slice(b": ");
                bytes.extend_from_slice(body.as_bytes());
                bytes.push(b'\n');
            }
            check(&bytes, &Fields { body: &body, sender: sender.as_deref(), ..Fields::default() });
        }

        #[test]
        fn any_text_survives_in_json(body in "\\PC{0,20}|[\u{0}-\u{80}]{0,20}", ascii in any::<bool>(), millis in 0i64..4_000_000_000_000) {
            let sent = Some(Timestamp::from_millis(millis));
            let fields = Fields { body: &body, conversation: "c", sent, ..Fields::default() };
            let mut raw = b"{\"c\":\"c\",\"ts\":\"".to_vec();
            render(&fields, Field::Sent, Style::Zulu3, &mut raw).unwrap();
            raw.extend_from_slice(b"\",\"t\":\"");
            let style = if ascii { Style::JsonAscii } else { Style::Json };
            render(&fields, Field::Body, style, &mut raw).unwrap();
            raw.extend_from_slice(b"\",\"x\":null}\n");
            check(&raw, &fields);
        }

        #[test]
        fn damaged_forms_never_panic(form in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = rebuild(&form, &Fields::default(), &template(), &mut Vec::new());
        }
    }
}
