//! The criteria of WCAG 2.2, levels A and AA, each with how the pages stand to it.

/// How the pages stand to a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is met.
    Met,
    /// Nothing on the pages is of its kind.
    None,
    /// Something is missing.
    Open,
}

/// One criterion.
pub(super) struct Criterion {
    /// Its number, as the standard has it.
    pub number: &'static str,
    /// Its level.
    pub level: &'static str,
    /// What it is about, in our words.
    pub about: &'static str,
    /// How the pages stand to it.
    pub stand: Stand,
    /// In which way.
    pub how: &'static str,
}

const fn criterion(
    number: &'static str,
    level: &'static str,
    about: &'static str,
    stand: Stand,
    how: &'static str,
) -> Criterion {
    Criterion {
        number,
        level,
        about,
        stand,
        how,
    }
}

/// Every criterion of both levels, in the order of the standard.
pub(super) const CRITERIA: [Criterion; 55] = [
    criterion("1.1.1", "A", "Text for what is not text", Stand::Met, "The mark and the bars beside numbers are hidden from readers; words and numbers stand beside them. Bars by month are links with words, and a list."),
    criterion("1.2.1", "A", "Sound alone, picture alone", Stand::None, "No page plays sound or video; voice notes are files with their names."),
    criterion("1.2.2", "A", "Captions", Stand::None, "No video."),
    criterion("1.2.3", "A", "Audio description or text", Stand::None, "No video."),
    criterion("1.2.4", "AA", "Captions, live", Stand::None, "Nothing is live."),
    criterion("1.2.5", "AA", "Audio description", Stand::None, "No video."),
    criterion("1.3.1", "A", "Structure", Stand::Met, "One heading of the first rank, landmarks, tables with headings, a label for every field."),
    criterion("1.3.2", "A", "Order", Stand::Met, "The order of the text is the order of reading."),
    criterion("1.3.3", "A", "Not by shape or place", Stand::Met, "Nothing is named by its place or shape alone."),
    criterion("1.3.4", "AA", "Either way up", Stand::Met, "Pages fit upright and lying screens."),
    criterion("1.3.5", "AA", "Purpose of fields", Stand::Met, "Login and password say what they are; password managers fill them."),
    criterion("1.4.1", "A", "Not by colour alone", Stand::Met, "Every state is a word; colour repeats it. What matched is underlined too."),
    criterion("1.4.2", "A", "Control of sound", Stand::None, "Nothing sounds."),
    criterion("1.4.3", "AA", "Contrast", Stand::Met, "Colours are tokens with at least 4.5 to 1, light and dark; tested on every page."),
    criterion("1.4.4", "AA", "Large text", Stand::Met, "200 % text needs no scrolling sideways, except in tables."),
    criterion("1.4.5", "AA", "Pictures of text", Stand::Met, "There are none."),
    criterion("1.4.10", "AA", "Narrow windows", Stand::Met, "320 px need no scrolling sideways, except in tables."),
    criterion("1.4.11", "AA", "Contrast of controls", Stand::Met, "Borders of fields and the focus ring have at least 3 to 1."),
    criterion("1.4.12", "AA", "Spacing of text", Stand::Met, "Nothing has a fixed height that would cut text."),
    criterion("1.4.13", "AA", "What appears by pointing", Stand::Met, "Links of a message appear on focus as well as by pointing, and cover nothing."),
    criterion("2.1.1", "A", "Keyboard", Stand::Met, "Everything is a link, a button or a field."),
    criterion("2.1.2", "A", "No trap", Stand::Met, "Nothing holds the focus."),
    criterion("2.1.4", "A", "Single keys", Stand::Met, "They are off in fields, and can be switched off on the page of keys."),
    criterion("2.2.1", "A", "Time limits", Stand::Met, "A session ends after half an hour without a request; whoever signs in again comes back to the same page."),
    criterion("2.2.2", "A", "Moving things", Stand::Met, "Nothing moves but a bar of progress."),
    criterion("2.3.1", "A", "Flashing", Stand::Met, "Nothing flashes."),
    criterion("2.4.1", "A", "Skipping", Stand::Met, "The first stop of every page leads to its content."),
    criterion("2.4.2", "A", "Titles", Stand::Met, "Every page is named; never by words that people wrote."),
    criterion("2.4.3", "A", "Order of focus", Stand::Met, "It is that of the page."),
    criterion("2.4.4", "A", "Purpose of links", Stand::Met, "Links say where they lead, or stand in the row of what they are about."),
    criterion("2.4.5", "AA", "Several ways", Stand::Met, "Sections, search, and links from home lead to the same pages."),
    criterion("2.4.6", "AA", "Headings and labels", Stand::Met, "They name what they head."),
    criterion("2.4.7", "AA", "Focus seen", Stand::Met, "A ring of three pixels, in every theme."),
    criterion("2.4.11", "AA", "Focus not covered", Stand::Met, "What sticks to the top leaves room for it."),
    criterion("2.5.1", "A", "Gestures", Stand::Met, "One pointer and one press are enough for everything."),
    criterion("2.5.2", "A", "Taking back a press", Stand::Met, "Acts happen on release."),
    criterion("2.5.3", "A", "Label in name", Stand::Met, "Names of controls begin with their visible words."),
    criterion("2.5.4", "A", "Motion", Stand::None, "Nothing listens to motion."),
    criterion("2.5.7", "AA", "No dragging needed", Stand::Met, "Files can be chosen as well as dropped."),
    criterion("2.5.8", "AA", "Size of targets", Stand::Met, "Buttons and links in lists are at least 24 px high."),
    criterion("3.1.1", "A", "Language of the page", Stand::Met, "Pages say that they are English."),
    criterion("3.1.2", "AA", "Language of parts", Stand::Open, "Messages keep the direction of their own script; their language is not marked."),
    criterion("3.2.1", "A", "On focus", Stand::Met, "Focus changes nothing."),
    criterion("3.2.2", "A", "On input", Stand::Met, "Nothing is sent before a button is pressed."),
    criterion("3.2.3", "AA", "Same navigation", Stand::Met, "It stands in the same order on every page."),
    criterion("3.2.4", "AA", "Same names", Stand::Met, "One thing has one name everywhere."),
    criterion("3.2.6", "A", "Same help", Stand::Met, "Help is at the same place of every page."),
    criterion("3.3.1", "A", "Errors named", Stand::Met, "They stand in words above the form, which stays filled."),
    criterion("3.3.2", "A", "Labels", Stand::Met, "Every field has a label, and says what it takes."),
    criterion("3.3.3", "AA", "Repairs", Stand::Met, "A query that is not clear comes with repairs, one press each."),
    criterion("3.3.4", "AA", "Taking back", Stand::Met, "What destroys is simulated, listed, approved by others and can be called off."),
    criterion("3.3.7", "A", "Nothing asked twice", Stand::Met, "What was answered is kept; the password is asked again only before dangerous acts."),
    criterion("3.3.8", "AA", "Signing in", Stand::Met, "Password managers and pasting work; no puzzle is asked."),
    criterion("4.1.2", "A", "Name, role, value", Stand::Met, "Controls are those of the browser."),
    criterion("4.1.3", "AA", "Messages of state", Stand::Met, "What was done and what came later is announced without taking the focus."),
];
