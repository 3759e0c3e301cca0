//! Transcripts: pages of prose with console sessions in them, run against the program. A page is
//! documentation and test at once; `tests/cli/README.md` explains the form.

use std::fmt::Write as _;

/// Environment variable that, set to `overwrite`, puts what was printed into the pages.
pub const OVERWRITE_VARIABLE: &str = "TRANSCRIPTS";
/// Stands for any characters inside a line.
const ANY_CHARACTERS: &str = "[..]";
/// A line of its own that stands for any number of lines.
const ANY_LINES: &str = "...";
/// What the temporary directory is called in output.
pub const DIRECTORY_NAME: &str = "[DIR]";
/// Starts a line of standard error.
const ERROR_PREFIX: &str = "! ";

/// A page cut into what is run and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// In the order of the page.
    pub parts: Vec<Part>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A line that is not run.
    Prose(String),
    /// A file that the following commands find in their directory.
    File {
        /// Its name.
        name: String,
        /// Its lines.
        lines: Vec<String>,
    },
    /// A command with what it should print.
    Step(Step),
}

/// A command and its expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Line of the page, counted from 1.
    pub line: usize,
    /// What is typed after `$ `.
    pub typed: String,
    /// Expected lines: standard output, then standard error with its prefix, then the exit code
    /// as `? 2` unless it is 0.
    pub expected: Vec<String>,
}

/// A command ready to run.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Call {
    /// The arguments after the name of the program.
    pub arguments: Vec<String>,
    /// The file that becomes standard input.
    pub input: Option<String>,
    /// The file that standard output goes to.
    pub output: Option<String>,
}

/// What a command printed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Printed {
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub error: String,
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
}

impl Printed {
    /// The lines as a page shows them.
    pub fn lines(&self) -> Vec<String> {
        let output = self.output.lines().map(str::to_owned);
        let error = self.error.lines().map(|line| {
            let line = format!("{ERROR_PREFIX}{line}");
            line.trim_end().to_owned()
        });
        let code = (self.code != 0).then(|| format!("? {}", self.code));
        output.chain(error).chain(code).collect()
    }
}

impl Transcript {
    /// Cuts a page. Only blocks fenced as `console` are run, and `file=NAME` blocks written.
    ///
    /// # Errors
    /// Says which line of the page is wrong.
    pub fn parse(page: &str) -> Result<Transcript, String> {
        let mut parts = Vec::new();
        let mut block = Block::None;
        for (number, line) in page.lines().enumerate() {
            let number = number + 1;
            let is_fence = line.starts_with("```");
            match (&block, is_fence) {
                (Block::None, true) => {
                    block = Block::opened_by(line);
                    if let Block::File(name) = &block {
                        let (name, lines) = (name.clone(), Vec::new());
                        parts.push(Part::File { name, lines });
                    } else {
                        parts.push(Part::Prose(line.to_owned()));
                    }
                }
                (_, true) => {
                    if !matches!(block, Block::File(_)) {
                        parts.push(Part::Prose(line.to_owned()));
                    }
                    block = Block::None;
                }
                (Block::File(_), false) => {
                    if let Some(Part::File { lines, .. }) = parts.last_mut() {
                        lines.push(line.to_owned());
                    }
                }
                (Block::Console, false) => console_line(&mut parts, number, line)?,
                (Block::None | Block::Other, false) => parts.push(Part::Prose(line.to_owned())),
            }
        }
        match block {
            Block::None => Ok(Transcript { parts }),
            _ => Err("the last block is not closed".to_owned()),
        }
    }

    /// The page again.
    pub fn page(&self) -> String {
        let mut page = String::new();
        for part in &self.parts {
            match part {
                Part::Prose(line) => push_lines(&mut page, [line]),
                Part::File { name, lines } => {
                    push_lines(&mut page, [&format!("```file={name}")]);
                    push_lines(&mut page, lines);
                    push_lines(&mut page, [&"```".to_owned()]);
                }
                Part::Step(step) => {
                    push_lines(&mut page, [&format!("$ {}", step.typed)]);
                    push_lines(&mut page, &step.expected);
                }
            }
        }
        page
    }
}

fn push_lines<'a>(page: &mut String, lines: impl IntoIterator<Item = &'a String>) {
    for line in lines {
        page.push_str(line);
        page.push('\n');
    }
}

enum Block {
    None,
    Console,
    File(String),
    Other,
}

impl Block {
    fn opened_by(fence: &str) -> Block {
        let label = fence.trim_start_matches('`').trim();
        match label.strip_prefix("file=") {
            Some(name) => Block::File(name.to_owned()),
            None if label == "console" => Block::Console,
            None => Block::Other,
        }
    }
}

fn console_line(parts: &mut Vec<Part>, number: usize, line: &str) -> Result<(), String> {
    if let Some(typed) = line.strip_prefix("$ ") {
        parts.push(Part::Step(Step {
            line: number,
            typed: typed.to_owned(),
            expected: Vec::new(),
        }));
        return Ok(());
    }
    match parts.last_mut() {
        Some(Part::Step(step)) => step.expected.push(line.to_owned()),
        _ => return Err(format!("line {number}: output without a command before it")),
    }
    Ok(())
}

/// Reads a typed command: blanks separate, single and double quotes keep together, a backslash
/// keeps the next character, `< FILE` and `> FILE` redirect. The first word is `wordkeep`.
///
/// # Errors
/// Says what is wrong with the command.
pub fn read_command(typed: &str) -> Result<Call, String> {
    let mut call = Call::default();
    let mut words = words(typed)?.into_iter();
    match words.next() {
        Some(Word::Text(name)) if name == "wordkeep" => {}
        _ => return Err(format!("only `wordkeep` can be run: {typed}")),
    }
    while let Some(word) = words.next() {
        let target = match word {
            Word::Text(text) => {
                call.arguments.push(text);
                continue;
            }
            Word::Input => &mut call.input,
            Word::Output => &mut call.output,
        };
        match words.next() {
            Some(Word::Text(name)) => *target = Some(name),
            _ => return Err(format!("a redirection without a file: {typed}")),
        }
    }
    Ok(call)
}

enum Word {
    Text(String),
    Input,
    Output,
}

fn words(typed: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut open: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = typed.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(mark), _) if letter == mark => quote = None,
            (Some('"') | None, '\\') => {
                let next = letters.next().ok_or("a backslash at the end")?;
                open.get_or_insert_default().push(next);
            }
            (Some(_), _) => open.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                open.get_or_insert_default();
            }
            (None, ' ') => words.extend(open.take().map(Word::Text)),
            (None, '<' | '>') if open.is_none() => words.push(match letter {
                '<' => Word::Input,
                _ => Word::Output,
            }),
            (None, _) => open.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err(format!("an open quote: {typed}"));
    }
    words.extend(open.map(Word::Text));
    Ok(words)
}

/// Whether a printed line is what was expected.
pub fn line_matches(expected: &str, printed: &str) -> bool {
    let mut pieces = expected.split(ANY_CHARACTERS);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether printed lines are what was expected; `...` stands for any number of them.
pub fn lines_match(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, others)) if first == ANY_LINES => {
            (0..=printed.len()).any(|skipped| lines_match(others, &printed[skipped..]))
        }
        Some((first, others)) => printed
            .split_first()
            .is_some_and(|(line, rest)| line_matches(first, line) && lines_match(others, rest)),
    }
}

/// What differs, line by line: `-` expected, `+` printed, blank both.
pub fn difference(expected: &[String], printed: &[String]) -> String {
    // Longest common part from each pair of places to the ends.
    let mut common = vec![vec![0_usize; printed.len() + 1]; expected.len() + 1];
    for left in (0..expected.len()).rev() {
        for right in (0..printed.len()).rev() {
            common[left][right] = if line_matches(&expected[left], &printed[right]) {
                common[left + 1][right + 1] + 1
            } else {
                common[left + 1][right].max(common[left][right + 1])
            };
        }
    }
    let mut text = String::new();
    let (mut left, mut right) = (0, 0);
    while left < expected.len() || right < printed.len() {
        let both = left < expected.len() && right < printed.len();
        let (mark, line) = if both && line_matches(&expected[left], &printed[right]) {
            (left, right) = (left + 1, right + 1);
            (' ', &printed[right - 1])
        } else if right == printed.len()
            || (both && common[left + 1][right] >= common[left][right + 1])
        {
            left += 1;
            ('-', &expected[left - 1])
        } else {
            right += 1;
            ('+', &printed[right - 1])
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {mark} {line}");
    }
    text
}

/// What happens to the world outside while a page is run.
pub trait Stage {
    /// Puts a file into the directory of the commands.
    ///
    /// # Errors
    /// Says why it could not be written.
    fn write(&mut self, name: &str, text: &str) -> Result<(), String>;

    /// Runs the program.
    ///
    /// # Errors
    /// Says why it could not be run.
    fn run(&mut self, call: &Call) -> Result<Printed, String>;
}

/// Runs a page. Every step runs, also after one that differs. Returns the differences, and leaves
/// what was printed in the steps that differ.
///
/// # Errors
/// Says which command could not be read or run.
pub fn play(transcript: &mut Transcript, stage: &mut dyn Stage) -> Result<Vec<String>, String> {
    let mut differences = Vec::new();
    for part in &mut transcript.parts {
        match part {
            Part::Prose(_) => {}
            Part::File { name, lines } => {
                let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
                stage.write(name, &text)?;
            }
            Part::Step(step) => {
                let place = |error| format!("line {}: {error}", step.line);
                let call = read_command(&step.typed).map_err(place)?;
                let printed = stage.run(&call).map_err(place)?.lines();
                if !lines_match(&step.expected, &printed) {
                    let difference = difference(&step.expected, &printed);
                    differences.push(format!(
                        "line {}: $ {}\n{difference}",
                        step.line, step.typed
                    ));
                    step.expected = printed;
                }
            }
        }
    }
    Ok(differences)
}

mod tests {
    use super::{Call, Part, Printed, Stage, Transcript};
    use super::{difference, line_matches, lines_match, play, read_command};

    /// Prints its arguments; `fail` on standard error with code 2; input files in capitals.
    #[derive(Default)]
    struct Echo {
        files: Vec<(String, String)>,
    }

    impl Stage for Echo {
        fn write(&mut self, name: &str, text: &str) -> Result<(), String> {
            self.files.push((name.to_owned(), text.to_owned()));
            Ok(())
        }

        fn run(&mut self, call: &Call) -> Result<Printed, String> {
            let text = call.arguments.join("\n");
            let is_failure = text.starts_with("fail");
            let input = call.input.iter().filter_map(|name| {
                let file = self.files.iter().find(|(known, _)| known == name);
                file.map(|(_, text)| text.to_uppercase())
            });
            Ok(Printed {
                output: if is_failure {
                    String::new()
                } else {
                    format!("{text}\n{}", input.collect::<String>())
                },
                error: if is_failure { text } else { String::new() },
                code: if is_failure { 2 } else { 0 },
            })
        }
    }

    const PAGE: &str = "# Page\n\n```file=a.txt\nhello\n```\n\n```console\n$ wordkeep 'one two' three < a.txt\none [..]o\n...\nHELLO\n$ wordkeep fail\n! fail\n? 2\n```\n\n```sh\n$ rm -r everything\n```\n";

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_page_reads_and_prints_back() {
        let transcript = Transcript::parse(PAGE).unwrap();
        assert_eq!(transcript.page(), PAGE);
        let steps = transcript.parts.iter();
        let steps = steps.filter(|part| matches!(part, Part::Step(_))).count();
        assert_eq!(steps, 2, "a block of another label is not run");
    }

    #[test]
    fn a_page_that_holds_has_no_differences() {
        let mut transcript = Transcript::parse(PAGE).unwrap();
        assert_eq!(play(&mut transcript, &mut Echo::default()), Ok(Vec::new()));
        assert_eq!(transcript.page(), PAGE, "wildcards stay as they are");
    }

    #[test]
    fn a_page_that_differs_says_where_and_can_be_rewritten() {
        let wrong = PAGE.replace("! fail\n? 2", "fine");
        let mut transcript = Transcript::parse(&wrong).unwrap();
        let differences = play(&mut transcript, &mut Echo::default()).unwrap();
        assert_eq!(
            differences,
            ["line 12: $ wordkeep fail\n    - fine\n    + ! fail\n    + ? 2\n"]
        );
        assert_eq!(transcript.page(), PAGE);
    }

    #[test]
    fn a_missing_exit_code_is_a_difference() {
        let mut transcript = Transcript::parse(&PAGE.replace("? 2\n", "")).unwrap();
        let differences = play(&mut transcript, &mut Echo::default()).unwrap();
        assert_eq!(differences.len(), 1);
    }

    #[test]
    fn broken_pages_are_refused() {
        for page in [
            "```console\noutput\n```\n",
            "```console\n$ wordkeep\n",
            "```file=a\n",
        ] {
            assert!(Transcript::parse(page).is_err(), "{page}");
        }
        for typed in [
            "rm -r /",
            "",
            "wordkeep 'open",
            "wordkeep a <",
            "wordkeep a\\",
        ] {
            assert!(read_command(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn commands_are_read_like_a_shell_reads_them() {
        let call = read_command(r#"wordkeep search "a \"b\" 'c'" 'd "e" \f' g\ h '' > out.txt"#);
        let arguments = ["search", "a \"b\" 'c'", "d \"e\" \\f", "g h", ""];
        let wanted = Call {
            arguments: arguments.map(str::to_owned).to_vec(),
            input: None,
            output: Some("out.txt".to_owned()),
        };
        assert_eq!(call, Ok(wanted));
    }

    #[test]
    fn wildcards_match_inside_a_line_and_over_lines() {
        assert!(line_matches("a [..] c", "a b b c"));
        assert!(line_matches("[..]", ""));
        assert!(line_matches("x[..]y[..]z", "xyyz"));
        assert!(!line_matches("ab[..]bc", "abc"));
        assert!(!line_matches("a", "ab"));
        assert!(lines_match(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
        assert!(lines_match(&lines("..."), &[]));
        assert!(!lines_match(&lines("a\n..."), &lines("b\na")));
    }

    #[test]
    fn a_difference_shows_what_both_have() {
        let shown = difference(&lines("a\nb\nc"), &lines("a\nx\nc"));
        assert_eq!(shown, "      a\n    - b\n    + x\n      c\n");
    }
}
