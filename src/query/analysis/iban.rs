//! International bank account numbers (ISO 13616): country, length, checksum.

/// Country and length of every IBAN in the SWIFT registry.
const LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27\
DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30\
KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25\
QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// The end of the IBAN whose check digits begin at `digits`, behind its two letters; blanks may
/// stand between its groups. `None` when the length or the checksum is wrong.
pub(super) fn iban_at(bytes: &[u8], digits: usize) -> Option<usize> {
    let start = digits.checked_sub(2)?;
    let country = [
        bytes[start].to_ascii_uppercase(),
        bytes[start + 1].to_ascii_uppercase(),
    ];
    let letters = country.iter().all(u8::is_ascii_alphabetic);
    let alone = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
    let two_digits = bytes.get(digits + 1).is_some_and(u8::is_ascii_digit);
    if !letters || !alone || !two_digits {
        return None;
    }
    let entry = LENGTHS
        .as_bytes()
        .chunks_exact(4)
        .find(|entry| entry[..2] == country)?;
    let length = usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0');
    let mut characters = Vec::with_capacity(length);
    let mut at = start;
    while characters.len() < length {
        let byte = *bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            characters.push(byte.to_ascii_uppercase());
        } else if byte != b' ' || bytes[at - 1] == b' ' {
            return None;
        }
        at += 1;
    }
    let ends = !bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    characters.rotate_left(4);
    (ends && remainder(&characters) == 1).then_some(at)
}

/// The characters as one number, letters counting from A = 10, modulo 97 (ISO 7064).
fn remainder(characters: &[u8]) -> u32 {
    characters.iter().fold(0, |rest, c| match c {
        b'0'..=b'9' => (rest * 10 + u32::from(c - b'0')) % 97,
        _ => (rest * 100 + u32::from(c - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_pairs_of_country_and_length() {
        assert_eq!(LENGTHS.len() % 4, 0);
        for entry in LENGTHS.as_bytes().chunks(4) {
            assert!(entry[..2].iter().all(u8::is_ascii_uppercase));
            assert!(entry[2..].iter().all(u8::is_ascii_digit));
        }
    }

    #[test]
    fn a_changed_digit_is_seen() {
        assert_eq!(iban_at(b"NL91ABNA0417164300", 2), Some(18));
        assert_eq!(iban_at(b"nl91 abna 0417 1643 00", 2), Some(22));
        assert_eq!(iban_at(b"NL91ABNA0417164301", 2), None);
        assert_eq!(iban_at(b"NL91ABNA041716430", 2), None);
        assert_eq!(iban_at(b"12", 0), None);
    }
}
