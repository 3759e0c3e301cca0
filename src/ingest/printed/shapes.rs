//! The closed table of header styles, as data: which marks stand between the numbers, which words
//! mean the halves of the day.
//!
//! Source: Unicode CLDR, short date and short or medium time per locale, older forms included.

/// What surrounds the date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Enclosure {
    /// `DATETIME - `, as Android writes.
    Dash,
    /// `[DATETIME] `, as iOS writes.
    Bracket,
    /// `DATETIME: `, an old iOS style.
    Colon,
    /// `DATETIME `, an old iOS style.
    Bare,
}

impl Enclosure {
    /// Whether nothing but the date itself speaks for a header.
    pub const fn is_weak(self) -> bool {
        matches!(self, Enclosure::Colon | Enclosure::Bare)
    }
}

/// What stands between the parts of the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateMark {
    /// `1/2/2024`
    Slash,
    /// `1.2.2024`
    Dot,
    /// `1-2-2024`
    Hyphen,
    /// `1. 2. 2024`
    DotSpace,
}

impl DateMark {
    /// The mark as written.
    pub const fn text(self) -> &'static str {
        match self {
            DateMark::Slash => "/",
            DateMark::Dot => ".",
            DateMark::Hyphen => "-",
            DateMark::DotSpace => ". ",
        }
    }
}

/// Where the four-digit year stands, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum YearPlace {
    /// No part has four digits.
    Unsaid,
    /// The first part.
    First,
    /// The last part.
    Last,
}

/// What stands between date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glue {
    /// A comma and a space (any script's comma).
    Comma,
    /// A space.
    Space,
    /// The word `klo` (older Finnish).
    Klo,
    /// The time follows in round brackets.
    Round,
    /// The time comes first.
    TimeFirst,
}

/// What stands between hours and minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeMark {
    /// `10:15`
    Colon,
    /// `10.15`
    Dot,
    /// `10 h 15 min 30 s`
    Letters,
}

/// Where the word for the half of the day stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Twenty-four hours, no word.
    Full,
    /// The word stands before the time.
    WordBefore,
    /// The word stands after the time.
    WordAfter,
}

/// One header style. Two headers of one style have equal shapes; what varies from line to line
/// (one or two digits, the kind of blank) is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// What surrounds date and time.
    pub enclosure: Enclosure,
    /// What stands between the parts of the date.
    pub date_mark: DateMark,
    /// Where the four-digit year stands.
    pub year: YearPlace,
    /// Whether a point or letters follow the date.
    pub date_tail: bool,
    /// What stands between date and time.
    pub glue: Glue,
    /// What stands between hours and minutes.
    pub time_mark: TimeMark,
    /// Whether seconds are printed.
    pub seconds: bool,
    /// Where the word for the half of the day stands.
    pub clock: Clock,
    /// Whether the digits are those of another script.
    pub native_digits: bool,
}

impl Shape {
    /// Whether it is `[2019-12-24, 12:23]`, which no phone prints today: in brackets phones print
    /// seconds.
    pub fn is_dated_log(&self) -> bool {
        self.enclosure == Enclosure::Bracket
            && self.date_mark == DateMark::Hyphen
            && self.year == YearPlace::First
            && self.glue == Glue::Comma
            && self.clock == Clock::Full
            && !self.seconds
    }

    /// The style in the letters of CLDR, with `n` for parts whose meaning the style leaves open.
    pub fn describe(&self) -> String {
        let mark = self.date_mark.text();
        let tail = if self.date_tail { "." } else { "" };
        let date = match self.year {
            YearPlace::First => format!("y{mark}M{mark}d{tail}"),
            YearPlace::Last => format!("n{mark}n{mark}y{tail}"),
            YearPlace::Unsaid => format!("n{mark}n{mark}n{tail}"),
        };
        let colon = match self.time_mark {
            TimeMark::Colon => ":",
            TimeMark::Dot => ".",
            TimeMark::Letters => " h ",
        };
        let seconds = if self.seconds {
            format!("{colon}ss")
        } else {
            String::new()
        };
        let time = match self.clock {
            Clock::Full => format!("HH{colon}mm{seconds}"),
            Clock::WordBefore => format!("a h{colon}mm{seconds}"),
            Clock::WordAfter => format!("h{colon}mm{seconds} a"),
        };
        let both = match self.glue {
            Glue::Comma => format!("{date}, {time}"),
            Glue::Space => format!("{date} {time}"),
            Glue::Klo => format!("{date} klo {time}"),
            Glue::Round => format!("{date} ({time})"),
            Glue::TimeFirst => format!("{time} {date}"),
        };
        match self.enclosure {
            Enclosure::Dash => format!("{both} -"),
            Enclosure::Bracket => format!("[{both}]"),
            Enclosure::Colon => format!("{both}:"),
            Enclosure::Bare => both,
        }
    }
}

/// A part of the day as a word names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DayPart {
    /// Before noon; 12 is midnight.
    Morning,
    /// After noon; 12 is noon.
    Afternoon,
    /// Around noon: 11 and 12 stay, 1 is 13.
    Noon,
    /// The evening: like the afternoon, but 12 is the midnight of the printed date.
    Evening,
}

impl DayPart {
    /// The hour of 24 that a printed hour means. Hours above 12 stay as they are.
    pub const fn hour(self, printed: u8) -> u8 {
        match (self, printed) {
            (DayPart::Morning | DayPart::Evening, 12) => 0,
            (DayPart::Noon, 11) => 11,
            (DayPart::Afternoon | DayPart::Evening | DayPart::Noon, 0..=11) => printed + 12,
            _ => printed,
        }
    }
}

/// The words of the table, lower case and in normal form KC; longer words stand before words they
/// begin with. Blanks of every kind were made U+0020 before.
pub const DAY_WORDS: &[(&str, DayPart)] = &[
    ("am", DayPart::Morning),
    ("pm", DayPart::Afternoon),
    ("a.m.", DayPart::Morning),
    ("p.m.", DayPart::Afternoon),
    ("a. m.", DayPart::Morning),
    ("p. m.", DayPart::Afternoon),
    ("a.m", DayPart::Morning),
    ("p.m", DayPart::Afternoon),
    // Albanian: para dite, mas dite.
    ("p.d.", DayPart::Morning),
    ("m.d.", DayPart::Afternoon),
    ("π.μ.", DayPart::Morning),
    ("μ.μ.", DayPart::Afternoon),
    ("ص", DayPart::Morning),
    ("م", DayPart::Afternoon),
    ("ق.ظ.", DayPart::Morning),
    ("ب.ظ.", DayPart::Afternoon),
    ("ب.ن", DayPart::Morning),
    ("د.ن", DayPart::Afternoon),
    ("ptg", DayPart::Afternoon),
    ("pg", DayPart::Morning),
    ("sa", DayPart::Morning),
    ("ch", DayPart::Afternoon),
    ("de.", DayPart::Morning),
    ("du.", DayPart::Afternoon),
    ("午前", DayPart::Morning),
    ("午後", DayPart::Afternoon),
    ("오전", DayPart::Morning),
    ("오후", DayPart::Afternoon),
    ("ਪੂ.ਦੁ.", DayPart::Morning),
    ("ਬਾ.ਦੁ.", DayPart::Afternoon),
    ("ጥዋት", DayPart::Morning),
    ("ከሰዓት", DayPart::Afternoon),
    ("पूर्वाह्न", DayPart::Morning),
    ("अपराह्न", DayPart::Afternoon),
    ("上午", DayPart::Morning),
    ("下午", DayPart::Afternoon),
    ("午夜", DayPart::Morning),
    ("凌晨", DayPart::Morning),
    ("清晨", DayPart::Morning),
    ("早上", DayPart::Morning),
    ("中午", DayPart::Noon),
    ("晚上", DayPart::Evening),
];

/// The order CLDR prints for a style, where all locales that print it agree: a hint for the page
/// that asks, never a decision (files of no locale exist).
pub const fn usual_order_is_year_first(shape: &Shape) -> bool {
    matches!(shape.year, YearPlace::First)
        || (matches!(shape.date_mark, DateMark::DotSpace)
            && shape.date_tail
            && matches!(shape.year, YearPlace::Unsaid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noon_and_midnight_fall_where_the_words_say() {
        assert_eq!(DayPart::Morning.hour(12), 0);
        assert_eq!(DayPart::Morning.hour(0), 0);
        assert_eq!(DayPart::Afternoon.hour(12), 12);
        assert_eq!(DayPart::Afternoon.hour(1), 13);
        assert_eq!(DayPart::Noon.hour(11), 11);
        assert_eq!(DayPart::Noon.hour(12), 12);
        assert_eq!(DayPart::Noon.hour(1), 13);
        assert_eq!(DayPart::Evening.hour(12), 0);
        assert_eq!(DayPart::Evening.hour(11), 23);
    }

    #[test]
    fn no_day_word_hides_a_longer_one() {
        for (place, (word, _)) in DAY_WORDS.iter().enumerate() {
            for (longer, _) in &DAY_WORDS[place + 1..] {
                let hidden = longer.starts_with(word);
                assert!(!hidden, "{longer} stands behind {word}");
            }
        }
    }

    #[test]
    fn day_words_are_in_the_form_they_are_compared_in() {
        use unicode_normalization::UnicodeNormalization;
        for (word, _) in DAY_WORDS {
            let normal: String = word.chars().nfkc().flat_map(char::to_lowercase).collect();
            assert_eq!(&normal, word);
        }
    }
}
