//! How an import goes, shown while it goes: a bar on a terminal, JSON lines on request, else nothing.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use super::interrupt::Interrupt;
use super::printable::{line, thousands};
use super::printer::aside;
use crate::app::import::Progress;

/// Between two JSON lines.
const JSON_PAUSE: Duration = Duration::from_secs(5);
/// Between two frames of the bar.
const FRAME: Duration = Duration::from_millis(100);

const WITH_BYTES: &str = " read    {bar:20} {bytes} / {total_bytes}   {msg}   {left} left";
const COUNTING: &str = " {msg:7} {bar:20} {human_pos} / {human_len}   {left} left";
const WITHOUT_BYTES: &str = " read    {spinner} {msg}   {elapsed_precise}";

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Way {
    /// A bar, when standard error is a terminal
    Auto,
    /// One JSON line every 5 seconds on standard error
    Json,
    /// Nothing
    None,
}

/// Shows how an import goes and hears Ctrl-C.
pub(super) struct Meter {
    way: Shown,
    interrupt: Interrupt,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Json(Mutex<JsonLines>),
}

struct JsonLines {
    name: String,
    bytes_total: u64,
    last: Option<Instant>,
}

impl Meter {
    /// A meter for one source after the other.
    pub(super) fn new(way: Way, is_lively: bool, interrupt: Interrupt) -> Meter {
        let way = match way {
            Way::Json => Shown::Json(Mutex::new(JsonLines {
                name: String::new(),
                bytes_total: 0,
                last: None,
            })),
            Way::Auto if is_lively => Shown::Bar(ProgressBar::new_spinner()),
            Way::Auto | Way::None => Shown::Nothing,
        };
        Meter { way, interrupt }
    }

    /// Takes the bar away: the summary follows.
    pub(super) fn clear(&self) {
        if let Shown::Bar(bar) = &self.way {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Meter {
    fn begins(&self, name: &str, bytes: u64) {
        match &self.way {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.reset();
                bar.set_length(bytes);
                bar.set_message(line(name));
                bar.set_style(style(WITHOUT_BYTES));
                bar.enable_steady_tick(FRAME);
            }
            Shown::Json(lines) => {
                if let Ok(mut lines) = lines.lock() {
                    lines.name = name.to_owned();
                    lines.bytes_total = bytes;
                    lines.last = Some(Instant::now());
                }
            }
        }
    }

    fn advances(&self, messages: u64, rejected: u64, bytes: u64) {
        match &self.way {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                if bytes > 0 && bar.position() == 0 {
                    bar.set_style(style(WITH_BYTES));
                }
                bar.set_position(bytes);
                bar.set_message(format!(
                    "{} messages   {} rejected",
                    thousands(messages),
                    thousands(rejected)
                ));
            }
            Shown::Json(lines) => {
                let Ok(mut lines) = lines.lock() else { return };
                let is_due = lines.last.is_none_or(|last| last.elapsed() >= JSON_PAUSE);
                if is_due {
                    lines.last = Some(Instant::now());
                    let event = serde_json::json!({
                        "event": "progress", "source": lines.name, "messages": messages,
                        "rejected": rejected, "bytes": bytes, "bytes_total": lines.bytes_total,
                    });
                    aside(event);
                }
            }
        }
    }

    fn cancelled(&self) -> bool {
        self.interrupt.asked()
    }
}

/// Shows work that counts up to a known end: a bar on a terminal, else nothing.
pub(super) struct Counter(Option<ProgressBar>);

impl Counter {
    /// A counter that shows itself only on a terminal.
    pub(super) fn new(is_lively: bool) -> Counter {
        Counter(is_lively.then(|| ProgressBar::new(0).with_style(style(COUNTING))))
    }

    /// So much of so much.
    pub(super) fn shows(&self, what: &'static str, done: u64, of: u64) {
        if let Some(bar) = &self.0 {
            bar.set_message(what);
            bar.set_length(of);
            bar.set_position(done);
        }
    }

    /// Takes the bar away: the result follows.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let left = |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        // Writing to a text in memory cannot fail.
        let _ = write!(to, "{:#}", HumanDuration(state.eta()));
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("left", left)
        .progress_chars("█░")
}
