//! How the people of the sample write dates, weekdays and amounts in their languages.

use super::calendar::Local;

/// A language of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English, day before month.
    English,
    /// English as in the United States, month before day.
    American,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// German.
    German,
    /// Arabic.
    Arabic,
    /// Hebrew.
    Hebrew,
    /// Japanese.
    Japanese,
}

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const MONTHS_PT: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const MONTHS_AR: [&str; 12] = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
];
const MONTHS_HE: [&str; 12] = [
    "ינואר",
    "פברואר",
    "מרץ",
    "אפריל",
    "מאי",
    "יוני",
    "יולי",
    "אוגוסט",
    "ספטמבר",
    "אוקטובר",
    "נובמבר",
    "דצמבר",
];

const DAYS_EN: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const DAYS_ES: [&str; 7] = [
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
    "domingo",
];
const DAYS_PT: [&str; 7] = [
    "segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo",
];
const DAYS_DE: [&str; 7] = [
    "Montag",
    "Dienstag",
    "Mittwoch",
    "Donnerstag",
    "Freitag",
    "Samstag",
    "Sonntag",
];
const DAYS_AR: [&str; 7] = [
    "الاثنين",
    "الثلاثاء",
    "الأربعاء",
    "الخميس",
    "الجمعة",
    "السبت",
    "الأحد",
];
const DAYS_HE: [&str; 7] = [
    "יום שני",
    "יום שלישי",
    "יום רביעי",
    "יום חמישי",
    "יום שישי",
    "שבת",
    "יום ראשון",
];
const DAYS_JA: [&str; 7] = [
    "月曜日",
    "火曜日",
    "水曜日",
    "木曜日",
    "金曜日",
    "土曜日",
    "日曜日",
];

impl Language {
    /// Day and month as written in running text: `14 March`, `14. März`, `3月14日`.
    pub fn day_and_month(self, at: Local) -> String {
        let (_, month, day) = at.date();
        let place = usize::from(month - 1);
        match self {
            Language::English => format!("{day} {}", MONTHS_EN[place]),
            Language::American => format!("{} {day}", MONTHS_EN[place]),
            Language::Spanish => format!("{day} de {}", MONTHS_ES[place]),
            Language::Portuguese => format!("{day} de {}", MONTHS_PT[place]),
            Language::German => format!("{day}. {}", MONTHS_DE[place]),
            Language::Arabic => format!("{day} {}", MONTHS_AR[place]),
            Language::Hebrew => format!("{day} ב{}", MONTHS_HE[place]),
            Language::Japanese => format!("{month}月{day}日"),
        }
    }

    /// The name of the weekday.
    pub fn weekday(self, at: Local) -> &'static str {
        let names = match self {
            Language::English | Language::American => &DAYS_EN,
            Language::Spanish => &DAYS_ES,
            Language::Portuguese => &DAYS_PT,
            Language::German => &DAYS_DE,
            Language::Arabic => &DAYS_AR,
            Language::Hebrew => &DAYS_HE,
            Language::Japanese => &DAYS_JA,
        };
        names[at.weekday()]
    }
}

/// A currency as one client writes it. Rates are round numbers of a made-up world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// What stands before the digits.
    pub before: &'static str,
    /// What stands behind them.
    pub after: &'static str,
    /// Between groups of three digits.
    pub group: char,
    /// Thousandths of a unit for one euro.
    pub rate_millis: i64,
    /// Amounts are rounded to this many units.
    pub step: i64,
}

impl Money {
    /// An amount of euros in this currency, rounded to whole steps, at least one.
    pub const fn units_of_euros(self, euros: i64) -> i64 {
        let units = euros * self.rate_millis / 1_000;
        let steps = (units + self.step / 2) / self.step;
        if steps < 1 {
            self.step
        } else {
            steps * self.step
        }
    }

    /// The amount as text: `£1,250`, `1.250 €`, `¥125,000`.
    pub fn text(self, units: i64) -> String {
        let digits = units.to_string();
        let mut grouped = String::with_capacity(digits.len() + 4);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push(self.group);
            }
            grouped.push(digit);
        }
        format!("{}{grouped}{}", self.before, self.after)
    }
}

const fn money(
    before: &'static str,
    after: &'static str,
    group: char,
    rate_millis: i64,
    step: i64,
) -> Money {
    Money {
        before,
        after,
        group,
        rate_millis,
        step,
    }
}

/// Pounds sterling.
pub const POUNDS: Money = money("£", "", ',', 860, 1);
/// Dollars of the United States.
pub const DOLLARS: Money = money("$", "", ',', 1_080, 1);
/// Euros as on the continent.
pub const EUROS: Money = money("", " €", '.', 1_000, 1);
/// Mexican pesos.
pub const PESOS: Money = money("$", " MXN", ',', 19_800, 10);
/// Brazilian reais.
pub const REAIS: Money = money("R$ ", "", '.', 5_900, 5);
/// Dirhams of the Emirates.
pub const DIRHAMS: Money = money("", " درهم", ',', 3_970, 5);
/// Israeli shekels.
pub const SHEKELS: Money = money("", " ₪", ',', 3_950, 5);
/// Yen.
pub const YEN: Money = money("", "円", ',', 165_000, 100);
/// Nigerian naira.
pub const NAIRA: Money = money("₦", "", ',', 1_680_000, 1_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_as_their_readers_expect() {
        assert_eq!(POUNDS.text(1_250), "£1,250");
        assert_eq!(EUROS.text(12_345_678), "12.345.678 €");
        assert_eq!(YEN.text(YEN.units_of_euros(4_200)), "693,000円");
        assert_eq!(REAIS.text(999), "R$ 999");
        assert_eq!(NAIRA.units_of_euros(0), 1_000);
    }

    #[test]
    fn dates_read_like_the_language() {
        let at = Local::at(2025, 3, 14, 9, 0);
        assert_eq!(Language::English.day_and_month(at), "14 March");
        assert_eq!(Language::American.day_and_month(at), "March 14");
        assert_eq!(Language::German.day_and_month(at), "14. März");
        assert_eq!(Language::Japanese.day_and_month(at), "3月14日");
        assert_eq!(Language::Spanish.weekday(at), "viernes");
    }
}
