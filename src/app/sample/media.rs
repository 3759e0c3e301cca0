//! The files that messages carry: small, whole, and of the type their names say.

use super::calendar::Local;
use super::language::Language;
use super::scene::Carries;

/// A JPEG of one grey pixel (shape after `jpeg.jpg` of the collection mathiasbynens/small).
const PHOTO: [u8; 107] = [
    0xFF, 0xD8, 0xFF, 0xDB, 0x00, 0x43, 0x00, 0x03, 0x02, 0x02, 0x02, 0x02, 0x02, 0x03, 0x02, 0x02,
    0x02, 0x03, 0x03, 0x03, 0x03, 0x04, 0x06, 0x04, 0x04, 0x04, 0x04, 0x04, 0x08, 0x06, 0x06, 0x05,
    0x06, 0x09, 0x08, 0x0A, 0x0A, 0x09, 0x08, 0x09, 0x09, 0x0A, 0x0C, 0x0F, 0x0C, 0x0A, 0x0B, 0x0E,
    0x0B, 0x09, 0x09, 0x0D, 0x11, 0x0D, 0x0E, 0x0F, 0x10, 0x10, 0x11, 0x10, 0x0A, 0x0C, 0x12, 0x13,
    0x12, 0x10, 0x13, 0x0F, 0x10, 0x10, 0x10, 0xFF, 0xC9, 0x00, 0x0B, 0x08, 0x00, 0x01, 0x00, 0x01,
    0x01, 0x01, 0x11, 0x00, 0xFF, 0xCC, 0x00, 0x06, 0x00, 0x10, 0x10, 0x05, 0xFF, 0xDA, 0x00, 0x08,
    0x01, 0x01, 0x00, 0x00, 0x3F, 0x00, 0xD2, 0xCF, 0x20, 0xFF, 0xD9,
];

/// The first page of an Ogg Opus stream (RFC 7845 section 5.1), with its checksum: a voice note of
/// no length.
const VOICE: [u8; 47] = [
    0x4F, 0x67, 0x67, 0x53, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1C, 0x9F, 0xF5, 0xD9, 0x01, 0x13, 0x4F, 0x70, 0x75, 0x73,
    0x48, 0x65, 0x61, 0x64, 0x01, 0x01, 0x38, 0x01, 0x80, 0xBB, 0x00, 0x00, 0x00, 0x00, 0x00,
];

/// The bytes of a file. A quote names itself inside, so that text extraction has something to find.
pub fn bytes(carries: Carries, name: &str) -> Vec<u8> {
    match carries {
        Carries::Nothing => Vec::new(),
        Carries::Photo => PHOTO.to_vec(),
        Carries::Voice => VOICE.to_vec(),
        Carries::Pdf => pdf(name),
    }
}

/// A PDF of one page with one line of text.
fn pdf(line: &str) -> Vec<u8> {
    // The standard font knows no other letters; the line is a label, not prose.
    let line: String = line
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || " .-".contains(*letter))
        .collect();
    let drawing = format!("BT /F1 18 Tf 72 760 Td (Calder & Roe: {line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{drawing}\nendstream", drawing.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let start = file.len();
    let count = objects.len() + 1;
    file.push_str(&format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    file.into_bytes()
}

/// The name a document had before it was sent.
pub fn document_name(language: Language, at: Local, number: u64) -> String {
    let word = match language {
        Language::German => "Angebot",
        Language::Spanish => "Presupuesto",
        Language::Portuguese => "Proposta",
        _ => "Quote",
    };
    let (year, _, _) = at.date();
    format!("{word} {year}-{number:03}.pdf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_what_their_names_say() {
        assert!(bytes(Carries::Photo, "").starts_with(&[0xFF, 0xD8, 0xFF]));
        assert!(bytes(Carries::Voice, "").starts_with(b"OggS"));
        assert!(bytes(Carries::Nothing, "").is_empty());
    }

    #[test]
    fn the_table_of_a_pdf_points_at_its_objects() {
        let file = String::from_utf8(bytes(Carries::Pdf, "Quote (2025)-118.pdf")).unwrap();
        assert!(file.contains("Quote 2025-118.pdf"));
        let start = file.rfind("startxref\n").unwrap() + 10;
        let table: usize = file[start..].lines().next().unwrap().parse().unwrap();
        assert!(file[table..].starts_with("xref\n0 6\n"));
        for (number, row) in file[table..].lines().skip(3).take(5).enumerate() {
            let offset: usize = row[..10].parse().unwrap();
            let head = format!("{} 0 obj", number + 1);
            assert!(file[offset..].starts_with(&head), "{row}");
        }
    }
}
