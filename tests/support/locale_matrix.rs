//! Prints one chat as the phones of all locales would, from the table of CLDR patterns of the
//! formats page. Written apart from the reader, so that the two check each other.

/// One locale row: date pattern, glue, short time pattern, locales.
pub struct LocaleRow {
    /// CLDR date pattern; `~` is U+202F, `^` is U+200F.
    pub date: &'static str,
    /// `C` comma, `S` space, `A` Arabic comma, `F` Arabic comma and mark, `R` time first, `P`
    /// round brackets, `K` the Finnish word.
    pub glue: char,
    /// CLDR short time pattern.
    pub time: &'static str,
    /// The locales that print it.
    pub locales: &'static str,
}

const fn row(
    date: &'static str,
    glue: char,
    time: &'static str,
    locales: &'static str,
) -> LocaleRow {
    LocaleRow {
        date,
        glue,
        time,
        locales,
    }
}

/// The table.
pub const ROWS: &[LocaleRow] = &[
    row("M/d/yy", 'C', "h:mm~a", "en_US fil"),
    row("M/d/yy", 'S', "HH:mm", "zu"),
    row("d. M. y", 'S', "H:mm", "sk"),
    row("d. M. y.", 'S', "HH:mm", "sr bs"),
    row("d. M. yy", 'C', "HH:mm", "sl"),
    row("d.M.y", 'C', "HH:mm", "is"),
    row("d.M.y", 'S', "H:mm", "he"),
    row("d.M.y", 'S', "H.mm", "fi"),
    row("d.M.y", 'K', "H.mm", "fi_old"),
    row("d.M.yy", 'C', "HH:mm", "mk"),
    row("d.M.yy", 'C', "h:mm~a", "sq"),
    row("d.MM.y", 'C', "HH:mm", "pl"),
    row("d.MM.y", 'S', "HH:mm", "tr"),
    row("d.MM.yy~г.", 'C', "H:mm", "bg"),
    row("d/M/y", 'C', "h:mm~a", "es_US"),
    row("d/M/y", 'C', "H:mm", "lo"),
    row("d/M/y", 'S', "ah:mm", "zh_HK"),
    row("d/M/yy", 'C', "h:mm~a", "en_AU en_SG es_AR el"),
    row("d/M/yy", 'C', "H:mm", "es"),
    row("d/M/yy", 'C', "h:mm a", "hi mr pa ta km"),
    row("d/M/yy", 'S', "HH:mm", "ky th"),
    row("d/M/yy", 'S', "h:mm a", "ur bn ml"),
    row("d/M/yy", 'S', "hh:mm a", "gu kn"),
    row("d/M/yy", 'S', "H:mm", "my ca"),
    row("d/M/yy", 'R', "HH:mm", "vi"),
    row("d/MM/y", 'C', "HH:mm", "nl_BE"),
    row("d/MM/yy", 'C', "h:mm~a", "es_CO es_PE ms"),
    row("d/MM/yy", 'S', "HH:mm", "fr_BE"),
    row("d^/M^/y", 'A', "h:mm a", "ar ar_EG ar_SA ar_AE"),
    row("d^/M^/y", 'A', "HH:mm", "ar_MA"),
    row("dd-MM-y", 'C', "HH:mm", "nl"),
    row("dd-MM-yy", 'C', "h:mm~a", "es_CL"),
    row("dd-MM-yy", 'S', "h:mm a", "te"),
    row("dd. MM. y.", 'S', "HH:mm", "hr"),
    row("dd.MM.y", 'C', "HH:mm", "nb ro ru"),
    row("dd.MM.y", 'S', "HH.mm", "da"),
    row("dd.MM.yy", 'C', "HH:mm", "de de_AT de_CH uk kk ka hy"),
    row("dd.MM.yy", 'S', "HH:mm", "fr_CH et lv az"),
    row("dd.MM.yy", 'S', "H:mm", "cs"),
    row("dd/MM/y", 'C', "HH:mm", "en_GB en_IE"),
    row("dd/MM/y", 'C', "h:mm~a", "en_NZ"),
    row("dd/MM/y", 'S', "HH:mm", "fr pt_BR ga sw"),
    row("dd/MM/y", 'S', "h:mm a", "am"),
    row("dd/MM/yy", 'C', "h:mm~a", "en_IN es_MX"),
    row("dd/MM/yy", 'C', "HH:mm", "it pt_PT uz gl"),
    row("dd/MM/yy", 'S', "HH.mm", "id"),
    row("dd/MM/yy", 'S', "HH:mm", "cy"),
    row("y-MM-dd", 'C', "h:mm~a", "en_CA"),
    row("y-MM-dd", 'S', "HH 'h' mm", "fr_CA"),
    row("y-MM-dd", 'S', "HH:mm", "sv lt af rw"),
    row("y-MM-dd", 'S', "h:mm a", "ckb"),
    row("y-MM-dd", 'S', "HH.mm", "si"),
    row("y. MM. dd.", 'S', "H:mm", "hu"),
    row("y.MM.dd", 'S', "HH:mm", "mn"),
    row("y/M/d", 'F', "H:mm", "fa"),
    row("y/M/d", 'S', "H:mm", "ps"),
    row("y/M/d", 'S', "HH:mm", "zh_CN"),
    row("y/M/d", 'S', "Bh:mm", "zh_TW"),
    row("y/M/d", 'S', "ah:mm", "yue"),
    row("y/MM/dd", 'C', "HH:mm", "en_ZA"),
    row("y/MM/dd", 'S', "H:mm", "ja"),
    row("yy. M. d.", 'S', "a h:mm", "ko"),
    row("yy/M/d", 'C', "HH:mm", "ne"),
    row("yy/M/d", 'P', "HH:mm", "eu"),
];

/// Locales whose phones print digits of their own script, and its zero.
pub const NATIVE_DIGITS: &[(&str, char)] = &[
    ("ar_EG", '٠'),
    ("ar_SA", '٠'),
    ("ckb", '٠'),
    ("fa", '۰'),
    ("ps", '۰'),
    ("mr", '०'),
    ("ne", '०'),
    ("bn", '০'),
    ("my", '၀'),
];

/// The words for the halves of the day.
fn day_words(locale: &str) -> (&'static str, &'static str) {
    match locale {
        "es_US" | "es_AR" | "es_CO" | "es_PE" | "es_CL" | "es_MX" => ("a.\u{A0}m.", "p.\u{A0}m."),
        "sq" => ("p.d.", "m.d."),
        "el" => ("π.μ.", "μ.μ."),
        "ar" | "ar_EG" | "ar_SA" | "ar_AE" => ("ص", "م"),
        "ckb" => ("ب.ن", "د.ن"),
        "ms" => ("PG", "PTG"),
        "zh_HK" | "yue" => ("上午", "下午"),
        "ko" => ("오전", "오후"),
        "pa" => ("ਪੂ.ਦੁ.", "ਬਾ.ਦੁ."),
        "am" => ("ጥዋት", "ከሰዓት"),
        "en_AU" | "en_SG" | "en_NZ" | "en_IN" | "hi" | "mr" | "gu" => ("am", "pm"),
        "en_CA" => ("a.m.", "p.m."),
        _ => ("AM", "PM"),
    }
}

/// The Chinese parts of the day for pattern letter `B`.
fn day_part_zh(hour: u32) -> &'static str {
    match hour {
        0..=4 => "凌晨",
        5..=7 => "清晨",
        8..=11 => "上午",
        12 => "中午",
        13..=18 => "下午",
        _ => "晚上",
    }
}

/// A local time, field by field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    pub year: u32,
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
}

fn date(pattern: &str, local: Local) -> String {
    let mut printed = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut width = 1;
        while letters.peek() == Some(&letter) && letter.is_ascii_alphabetic() {
            letters.next();
            width += 1;
        }
        match (letter, width) {
            ('y', 2) => printed += &format!("{:02}", local.year % 100),
            ('y', _) => printed += &local.year.to_string(),
            ('M', 2) => printed += &format!("{:02}", local.month),
            ('M', _) => printed += &local.month.to_string(),
            ('d', 2) => printed += &format!("{:02}", local.day),
            ('d', _) => printed += &local.day.to_string(),
            ('~', _) => printed.push('\u{202F}'),
            ('^', _) => printed.push('\u{200F}'),
            _ => printed.push(letter),
        }
    }
    printed
}

fn time(pattern: &str, locale: &str, local: Local, seconds: bool) -> String {
    let twelve = match local.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let (morning, afternoon) = day_words(locale);
    let word = if local.hour < 12 { morning } else { afternoon };
    let second = |mark: &str| match seconds {
        true => format!("{mark}{:02}", local.second),
        false => String::new(),
    };
    let (hour, minute) = (local.hour, local.minute);
    match pattern {
        "HH:mm" => format!("{hour:02}:{minute:02}{}", second(":")),
        "H:mm" => format!("{hour}:{minute:02}{}", second(":")),
        "HH.mm" => format!("{hour:02}.{minute:02}{}", second(".")),
        "H.mm" => format!("{hour}.{minute:02}{}", second(".")),
        "h:mm~a" => format!("{twelve}:{minute:02}{}\u{202F}{word}", second(":")),
        "h:mm a" => format!("{twelve}:{minute:02}{} {word}", second(":")),
        "hh:mm a" => format!("{twelve:02}:{minute:02}{} {word}", second(":")),
        "ah:mm" => format!("{word}{twelve}:{minute:02}{}", second(":")),
        "a h:mm" => format!("{word} {twelve}:{minute:02}{}", second(":")),
        "Bh:mm" => format!("{}{twelve}:{minute:02}{}", day_part_zh(hour), second(":")),
        "HH 'h' mm" if seconds => format!("{hour:02} h {minute:02} min {:02} s", local.second),
        "HH 'h' mm" => format!("{hour:02} h {minute:02}"),
        other => panic!("no such time pattern: {other}"),
    }
}

/// The header of a message as a phone of this locale prints it.
pub fn header(
    row: &LocaleRow,
    locale: &str,
    ios: bool,
    zero: Option<char>,
    local: Local,
) -> String {
    let (date, time) = (date(row.date, local), time(row.time, locale, local, ios));
    let both = match row.glue {
        'C' => format!("{date}, {time}"),
        'S' => format!("{date} {time}"),
        'A' => format!("{date}، {time}"),
        'F' => format!("{date}،\u{200F} {time}"),
        'R' => format!("{time} {date}"),
        'P' => format!("{date} ({time})"),
        'K' => format!("{date} klo {time}"),
        other => panic!("no such glue: {other}"),
    };
    let both: String = match zero {
        None => both,
        Some(zero) => both
            .chars()
            .map(|letter| match letter.to_digit(10) {
                Some(digit) => char::from_u32(zero as u32 + digit).unwrap_or(letter),
                None => letter,
            })
            .collect(),
    };
    match ios {
        true => format!("[{both}] "),
        false => format!("{both} - "),
    }
}

/// A message of the generated chat.
#[derive(Clone, Debug)]
pub struct Said {
    pub local: Local,
    pub author: &'static str,
    pub body: &'static str,
}

/// Sixty messages; over more than two months, or in the minutes of one day.
pub fn chat(one_day: Option<(u32, u32, u32)>) -> Vec<Said> {
    const BODIES: [&str; 6] = [
        "Good morning",
        "the offer: 12,50 per piece",
        "two lines\nof words",
        "ok",
        "see 3/4/2024, page 2",
        "ça va? 好的 👍",
    ];
    const AUTHORS: [&str; 3] = ["Ana Maria", "+49 170 1234567", "مریم"];
    (0..60u32)
        .map(|place| {
            let (year, month, day) = match one_day {
                Some(date) => date,
                None => {
                    let day = place * 37 / 30;
                    (2024, 1 + day / 28, 1 + day % 28)
                }
            };
            let minute_of_day = match one_day {
                Some(_) => place * 24,
                None => place * 97 % 1_440,
            };
            Said {
                local: Local {
                    year,
                    month,
                    day,
                    hour: minute_of_day / 60,
                    minute: minute_of_day % 60,
                    second: place,
                },
                author: AUTHORS[place as usize % 3],
                body: BODIES[place as usize % 6],
            }
        })
        .collect()
}

/// The chat as one file.
pub fn print(
    row: &LocaleRow,
    locale: &str,
    ios: bool,
    zero: Option<char>,
    chat: &[Said],
) -> String {
    let lines = chat.iter().map(|said| {
        format!(
            "{}{}: {}\n",
            header(row, locale, ios, zero, said.local),
            said.author,
            said.body
        )
    });
    lines.collect()
}
