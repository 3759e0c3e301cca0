//! The story of one conversation: planted scenes at their dates, made-up scenes in between, and
//! exactly the wanted number of lines.

use super::calendar::{DAY_SECONDS, Local, MINUTE_SECONDS};
use super::cast::{Conversation, DEPARTURE, MARIA, Person, Place};
use super::chance::Chance;
use super::planted;
use super::scene::{Carries, Scene, Slots, TemplateLine, fill};

/// Longest pause between two lines of a scene, unless a line says it comes later.
const PAUSE_SECONDS_MAX: i64 = 25 * MINUTE_SECONDS;
/// Chance of an optional line.
const OPTIONAL_PERCENT: u64 = 55;
/// Working days until a line that comes later.
const LATER_DAYS_MAX: i64 = 4;
/// Topics of a weekend that wait for Monday.
const WORKING_WEEK_PERCENT: u64 = 85;
/// The wording of a file that comes without words.
const NO_WORDS: &str = "-";
/// The office opens.
const OPENS: i64 = 8 * 3_600;
/// New topics start until this long after opening.
const OPEN_SECONDS: u64 = 10 * 3_600;

/// What the platform itself says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Messages are end-to-end encrypted.
    Encrypted,
    /// Somebody created the group.
    Created(Person),
    /// The first added the second.
    Added(Person, Person),
    /// Somebody left the group.
    Left(Person),
    /// Disappearing messages were switched on.
    Disappearing(Person),
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Words.
    Text(String),
    /// A file without words.
    File(Carries),
    /// Words that were changed once.
    Edited(String),
    /// A message that was taken back.
    Deleted,
    /// Words first written by somebody else.
    Forwarded(Person, String),
    /// The platform speaks.
    Notice(Notice),
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// On the clock of the exporting phone; for records, in UTC.
    pub at: Local,
    /// Who wrote it, or did what the notice says.
    pub who: Person,
    /// What it is.
    pub what: What,
}

/// Tells a conversation in exactly `messages` lines, in order of time. What is fixed comes first:
/// a wish for fewer lines than [`fixed_lines`] is not fulfilled.
pub fn tell(chance: &mut Chance, conversation: &Conversation, messages: usize) -> Vec<Line> {
    let mut parts = fixed(conversation);
    let wanted = messages.saturating_sub(parts.iter().map(Vec::len).sum());
    parts.extend(free_parts(chance, conversation, wanted));
    parts.sort_by_key(|part| part.first().map(|line| line.at));
    let mut told: Vec<Line> = Vec::with_capacity(messages);
    for part in parts {
        // A part that starts before the last one ends moves behind it as a whole, so that topics
        // follow each other and no line overtakes another.
        let clock = told.last().map_or(conversation.from, |line| line.at);
        let early = part.first().map_or(0, |line| clock.0 - line.at.0);
        let shift = if early < 0 { 0 } else { early + 1 };
        told.extend(part.into_iter().map(|line| Line {
            at: line.at.plus(shift),
            ..line
        }));
    }
    told
}

/// How many lines `tell` writes whatever the wish.
pub fn fixed_lines(conversation: &Conversation) -> usize {
    fixed(conversation).iter().map(Vec::len).sum()
}

/// Notices and planted scenes.
fn fixed(conversation: &Conversation) -> Vec<Vec<Line>> {
    let mut parts = planted::scenes(conversation);
    if is_whatsapp(conversation) {
        parts.push(opening(conversation));
        parts.extend(farewell(conversation));
    }
    parts
}

const fn is_whatsapp(conversation: &Conversation) -> bool {
    matches!(conversation.place, Place::WhatsApp(..))
}

/// The notices a WhatsApp chat starts with.
fn opening(conversation: &Conversation) -> Vec<Line> {
    let at = conversation.from.plus(OPENS);
    let people: Vec<Person> = players(conversation).collect();
    // Groups are made by one of us, who stand last in the roles.
    let Some((founder, others)) = people.split_last() else {
        return Vec::new();
    };
    let mut notices = vec![Notice::Encrypted];
    if conversation.is_group {
        notices.push(Notice::Created(*founder));
        notices.extend(others.iter().map(|person| Notice::Added(*founder, *person)));
    }
    let line = |notice| Line {
        at,
        who: *founder,
        what: What::Notice(notice),
    };
    notices.into_iter().map(line).collect()
}

/// Maria leaves the groups that go on without her.
fn farewell(conversation: &Conversation) -> Option<Vec<Line>> {
    let is_there = players(conversation).any(|person| person == MARIA);
    let goes_on = conversation.is_group && conversation.until > DEPARTURE;
    (is_there && goes_on).then(|| {
        vec![Line {
            at: DEPARTURE.plus(-6 * 3_600),
            who: MARIA,
            what: What::Notice(Notice::Left(MARIA)),
        }]
    })
}

/// Everybody in the conversation, once.
fn players(conversation: &Conversation) -> impl Iterator<Item = Person> {
    let roles = conversation.roles;
    roles
        .iter()
        .enumerate()
        .filter(|(place, (_, person))| !roles[..*place].iter().any(|(_, other)| other == person))
        .map(|(_, (_, person))| *person)
}

/// Made-up scenes of together `wanted` lines, each cut where a line comes days later.
fn free_parts(chance: &mut Chance, conversation: &Conversation, wanted: usize) -> Vec<Vec<Line>> {
    let shapes = shapes(chance, conversation.scenes, wanted);
    let starts = (0..shapes.len())
        .map(|_| start(chance, conversation))
        .collect::<Vec<_>>();
    let pause_max = pause_max(conversation, wanted);
    let mut parts = Vec::with_capacity(shapes.len());
    for (shape, start) in shapes.iter().zip(starts) {
        play(chance, conversation, shape, start, pause_max, &mut parts);
    }
    parts
}

/// A line of a scene with its chosen wording and file.
#[derive(Clone, Copy)]
struct Cue {
    role: char,
    later: bool,
    carries: Carries,
    wording: &'static str,
}

impl Cue {
    /// Messages it becomes: a file and its words are two.
    fn messages(self) -> usize {
        1 + usize::from(self.carries != Carries::Nothing && self.wording != NO_WORDS)
    }
}

/// Chooses scenes until their lines are as many as wanted; the last one is cut off. Every scene of
/// the table is played once before any is played again.
fn shapes(chance: &mut Chance, scenes: &[Scene], wanted: usize) -> Vec<Vec<Cue>> {
    let mut shapes: Vec<Vec<Cue>> = Vec::new();
    let mut bag: Vec<Scene> = Vec::new();
    let mut missing = wanted;
    while missing > 0 {
        if bag.is_empty() {
            bag.extend_from_slice(scenes);
        }
        let scene = bag.swap_remove(chance.below(bag.len() as u64) as usize);
        let turn = chance.next();
        let mut shape = Vec::with_capacity(scene.len());
        for line in scene.iter().filter_map(|line| TemplateLine::cut(line)) {
            if missing == 0 {
                break;
            }
            if line.optional && !chance.percent(OPTIONAL_PERCENT) {
                continue;
            }
            let mut cue = Cue {
                role: line.role,
                later: line.later,
                carries: line.carries,
                wording: line.wording(chance, turn),
            };
            if cue.messages() > missing {
                cue.carries = Carries::Nothing;
            }
            missing -= cue.messages();
            shape.push(cue);
        }
        shapes.push(shape);
    }
    shapes
}

/// A time at which somebody starts a topic: office hours, seldom on a weekend.
fn start(chance: &mut Chance, conversation: &Conversation) -> Local {
    let days = (conversation.until.0 - conversation.from.0) / DAY_SECONDS;
    let day = conversation
        .from
        .plus(chance.between(0, days - 1) * DAY_SECONDS);
    let at = day.plus(OPENS + MINUTE_SECONDS + chance.below(OPEN_SECONDS) as i64);
    let monday = at.working_days_later(1);
    let waits = at.weekday() >= 5 && chance.percent(WORKING_WEEK_PERCENT);
    if waits && monday < conversation.until {
        monday
    } else {
        at
    }
}

/// The longest pause inside a scene, shorter where the days are too few for the messages.
fn pause_max(conversation: &Conversation, messages: usize) -> i64 {
    let seconds = conversation.until.0 - conversation.from.0;
    let room = seconds / 3 / (messages as i64 + 1);
    room.clamp(1, PAUSE_SECONDS_MAX)
}

/// Plays one scene: draws the players and the values, fills the lines and sets their times.
fn play(
    chance: &mut Chance,
    conversation: &Conversation,
    shape: &[Cue],
    start: Local,
    pause_max: i64,
    parts: &mut Vec<Vec<Line>>,
) {
    let cast = cast(chance, conversation, start);
    let player = |role| cast.iter().find(|(letter, _)| *letter == role);
    let call = |role| player(role).map(|(_, person)| person.call(conversation.language));
    let slots = Slots::draw(chance, start, conversation.language, conversation.money);
    let mut part = Vec::with_capacity(shape.len());
    let mut at = start;
    for cue in shape {
        let Some((_, who)) = player(cue.role) else {
            continue;
        };
        if cue.later {
            parts.push(std::mem::take(&mut part));
            at = at.working_days_later(chance.between(1, LATER_DAYS_MAX));
        }
        if cue.carries != Carries::Nothing {
            part.push(line(at, *who, What::File(cue.carries)));
            at = at.plus(chance.between(2, 20).min(pause_max));
        }
        if cue.wording != NO_WORDS || cue.carries == Carries::Nothing {
            let text = fill(cue.wording, &slots, call);
            part.push(line(at, *who, What::Text(text)));
        }
        at = at.plus(chance.between(1, pause_max));
    }
    parts.push(part);
}

const fn line(at: Local, who: Person, what: What) -> Line {
    Line { at, who, what }
}

/// Who plays which role: one who is there at the time, and nobody twice.
fn cast(chance: &mut Chance, conversation: &Conversation, at: Local) -> Vec<(char, Person)> {
    let mut cast: Vec<(char, Person)> = Vec::new();
    for (role, _) in conversation.roles {
        if cast.iter().any(|(taken, _)| taken == role) {
            continue;
        }
        let players: Vec<Person> = conversation
            .roles
            .iter()
            .filter(|(letter, person)| letter == role && person.is_there(at))
            .map(|(_, person)| *person)
            .collect();
        let free: Vec<Person> = players
            .iter()
            .filter(|person| !cast.iter().any(|(_, taken)| taken == *person))
            .copied()
            .collect();
        let choice = if free.is_empty() { &players } else { &free };
        if !choice.is_empty() {
            cast.push((*role, chance.pick(choice)));
        }
    }
    cast
}

#[cfg(test)]
mod tests {
    use super::super::cast::CONVERSATIONS;
    use super::*;

    #[test]
    fn a_story_has_exactly_the_wanted_lines_in_order_of_time() {
        for (number, conversation) in CONVERSATIONS.iter().enumerate() {
            for wanted in [fixed_lines(conversation), 60, 333, 3_000] {
                let mut chance = Chance::new(number as u64);
                let lines = tell(&mut chance, conversation, wanted);
                assert_eq!(lines.len(), wanted.max(fixed_lines(conversation)));
                assert!(lines.windows(2).all(|pair| pair[0].at <= pair[1].at));
                let first = lines.first().map(|line| line.at);
                assert!(first.is_none_or(|at| at >= conversation.from));
            }
        }
    }

    #[test]
    fn nobody_writes_after_leaving() {
        for conversation in &CONVERSATIONS {
            let lines = tell(&mut Chance::new(5), conversation, 500);
            let last = lines.iter().rev().find(|line| line.who == MARIA);
            // The end of a topic may run over the weekend.
            let limit = DEPARTURE.plus(14 * DAY_SECONDS);
            assert!(last.is_none_or(|line| line.at < limit), "{last:?}");
        }
    }

    #[test]
    fn every_template_is_filled() {
        for conversation in &CONVERSATIONS {
            for line in tell(&mut Chance::new(9), conversation, 800) {
                if let What::Text(text) = line.what {
                    assert!(!text.contains(['{', '}']) && text != NO_WORDS, "{text}");
                    assert!(!text.contains(" | "), "{text}");
                }
            }
        }
    }
}
