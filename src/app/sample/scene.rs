//! Scenes: short exchanges written as templates, and how they become lines.
//!
//! A template line is `ROLE[FLAGS] TEXT | OTHER WORDING`. The role is one letter that a conversation
//! gives to a person. Flags: `?` the line may be left out, `>` it comes some working days later,
//! `=` its wording goes with those of the other such lines, first with first, `@pdf`, `@photo`,
//! `@voice` it carries a file. Slots in braces are filled once per scene, so that
//! an amount that is named twice is the same amount.

use super::calendar::{DAY_SECONDS, Local};
use super::chance::Chance;
use super::language::{Language, Money};

/// A scene is its lines.
pub type Scene = &'static [&'static str];

/// What a line carries besides words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Words only.
    Nothing,
    /// A PDF: a quote or an invoice.
    Pdf,
    /// A photograph.
    Photo,
    /// A voice note.
    Voice,
}

/// A line of a template, cut into its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateLine {
    /// The letter of the person who writes.
    pub role: char,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it comes days later.
    pub later: bool,
    /// Whether its wording goes with the others of the scene.
    pub matched: bool,
    /// The file it carries.
    pub carries: Carries,
    /// The wordings, separated by ` | `.
    pub wordings: &'static str,
}

impl TemplateLine {
    /// Cuts a line. A line without a role or text is `None`; the tables hold none.
    pub fn cut(line: &'static str) -> Option<TemplateLine> {
        let (head, wordings) = line.split_once(' ')?;
        let mut letters = head.chars();
        let role = letters.next().filter(char::is_ascii_uppercase)?;
        let (flags, file) = letters
            .as_str()
            .split_once('@')
            .unwrap_or((letters.as_str(), ""));
        let carries = match file {
            "" => Carries::Nothing,
            "pdf" => Carries::Pdf,
            "photo" => Carries::Photo,
            "voice" => Carries::Voice,
            _ => return None,
        };
        let known = flags.chars().all(|flag| matches!(flag, '?' | '>' | '='));
        known.then_some(TemplateLine {
            role,
            optional: flags.contains('?'),
            later: flags.contains('>'),
            matched: flags.contains('='),
            carries,
            wordings,
        })
    }
}

impl TemplateLine {
    /// One of the wordings; `-` stands for a file without words. `turn` is one number for the whole
    /// scene.
    pub fn wording(self, chance: &mut Chance, turn: u64) -> &'static str {
        let wordings: Vec<&'static str> = self.wordings.split(" | ").collect();
        if self.matched {
            wordings[(turn % wordings.len() as u64) as usize]
        } else {
            chance.pick(&wordings)
        }
    }
}

/// What the company sells, with the price in euros and the usual number in one order.
const PRODUCTS: [(&str, i64, i64, i64); 9] = [
    ("Corva 2", 4_200, 2, 6),
    ("Corva 3", 6_100, 2, 4),
    ("Corva Mini", 2_350, 2, 8),
    ("Millo 65", 690, 2, 12),
    ("Millo 80", 980, 2, 10),
    ("AquaSoft 12", 145, 5, 40),
    ("Pulso P4", 118, 4, 30),
    ("Tamper Pro 58", 62, 10, 60),
    ("BrewBoard X1", 310, 2, 15),
];

const CITIES: [&str; 8] = [
    "Rotterdam",
    "Hamburg",
    "Valencia",
    "Santos",
    "Felixstowe",
    "Trieste",
    "Yokohama",
    "Jebel Ali",
];

/// The values of one scene.
#[derive(Clone, Debug)]
pub struct Slots {
    product: &'static str,
    other_product: &'static str,
    quantity: String,
    unit_price: String,
    counter_price: String,
    total: String,
    reduced_total: String,
    percent: String,
    small: String,
    soon: String,
    late: String,
    before: String,
    weekday: &'static str,
    hour: String,
    order: String,
    invoice: String,
    city: &'static str,
}

impl Slots {
    /// Draws the values of a scene that starts at this time.
    pub fn draw(chance: &mut Chance, start: Local, language: Language, money: Money) -> Slots {
        let (product, euros, low, high) = chance.pick(&PRODUCTS);
        let other_product = chance.pick(&PRODUCTS).0;
        let quantity = chance.between(low, high);
        let percent = chance.pick(&[3, 4, 5, 6, 7, 8, 10, 12, 15]);
        let unit = money.units_of_euros(euros + euros * chance.between(-6, 6) / 100);
        let total = unit * quantity;
        let soon = start.working_days_later(chance.between(3, 14));
        let late = start.working_days_later(chance.between(20, 45));
        let before = start.plus(-chance.between(3, 20) * DAY_SECONDS);
        let weekday = start.working_days_later(chance.between(1, 4));
        let (year, _, _) = start.date();
        let hour = chance.between(8, 17);
        let quarter = chance.pick(&["00", "15", "30", "45"]);
        Slots {
            product,
            other_product,
            quantity: quantity.to_string(),
            unit_price: money.text(unit),
            counter_price: money.text(round_down(unit - unit * (percent + 2) / 100, money.step)),
            total: money.text(total),
            reduced_total: money.text(round_down(total - total * percent / 100, money.step)),
            percent: percent.to_string(),
            small: chance.between(2, 6).to_string(),
            soon: language.day_and_month(soon),
            late: language.day_and_month(late),
            before: language.day_and_month(before),
            weekday: language.weekday(weekday),
            hour: format!("{hour}:{quarter}"),
            order: format!("PO-{}", chance.between(1_100, 9_899)),
            invoice: format!("INV-{year}-{:04}", chance.between(11, 4_899)),
            city: chance.pick(&CITIES),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        Some(match name {
            "p" => self.product,
            "p2" => self.other_product,
            "q" => &self.quantity,
            "u" => &self.unit_price,
            "w" => &self.counter_price,
            "t" => &self.total,
            "v" => &self.reduced_total,
            "k" => &self.percent,
            "n" => &self.small,
            "d" => &self.soon,
            "e" => &self.late,
            "b" => &self.before,
            "y" => self.weekday,
            "h" => &self.hour,
            "o" => &self.order,
            "i" => &self.invoice,
            "l" => self.city,
            _ => return None,
        })
    }
}

fn round_down(units: i64, step: i64) -> i64 {
    (units / step * step).max(step)
}

/// Fills a wording. `call` answers how a role is addressed, for slots of one capital letter such
/// as `{C}`. A slot nobody knows stays as it is; the tables hold none.
pub fn fill<'a>(wording: &str, slots: &Slots, call: impl Fn(char) -> Option<&'a str>) -> String {
    let mut rest = wording;
    let mut text = String::with_capacity(rest.len() + 32);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            rest = &rest[before.len()..];
            break;
        };
        let role = name.chars().next().filter(char::is_ascii_uppercase);
        let called = role.and_then(&call);
        match called.or_else(|| slots.value(name)) {
            Some(value) => text.push_str(value),
            None => {
                text.push('{');
                text.push_str(name);
                text.push('}');
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::super::language::EUROS;
    use super::*;

    #[test]
    fn a_template_line_is_cut_into_its_parts() {
        let line = TemplateLine::cut("R?>=@pdf Here is the quote. | The quote.");
        assert_eq!(
            line,
            Some(TemplateLine {
                role: 'R',
                optional: true,
                later: true,
                matched: true,
                carries: Carries::Pdf,
                wordings: "Here is the quote. | The quote.",
            })
        );
        for wrong in ["", "R", "r text", "R! text", "R@film text"] {
            assert_eq!(TemplateLine::cut(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_scene_names_one_amount() {
        let mut chance = Chance::new(3);
        let start = Local::at(2025, 3, 14, 9, 0);
        let slots = Slots::draw(&mut chance, start, Language::German, EUROS);
        let call = |role| (role == 'C').then_some("Katrin");
        let first = fill("{C}: {t}", &slots, call);
        let second = fill("{C}: {t}", &slots, call);
        assert_eq!(first, second);
        assert!(first.starts_with("Katrin: ") && first.ends_with(" €"));
        assert_eq!(fill("a {zz} {", &slots, call), "a {zz} {");
    }
}
