//! Where results go and in which shape: for people, JSON, JSON lines, or tab-separated.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;

use super::failure::Failure;
use super::printable::line;
use crate::app::AppError;

/// The shape of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// One JSON document per line.
    JsonLines,
    /// Tab-separated, no heading.
    Plain,
}

/// A row of a list.
pub(super) trait Row: Serialize {
    /// The headings of its columns.
    const HEADINGS: &'static [&'static str];
    /// Its cells as text, as many as headings; what is foreign in them the printer makes safe.
    fn cells(&self) -> Vec<String>;
}

/// Prints results.
pub(super) struct Printer {
    shape: Shape,
    is_coloured: bool,
    to: Box<dyn Write>,
}

impl Printer {
    /// A printer to standard output, or to a file that is made.
    pub(super) fn open(
        shape: Shape,
        file: Option<&Path>,
        replace: bool,
        colour: bool,
    ) -> Result<Printer, Failure> {
        let Some(path) = file.filter(|path| *path != Path::new("-")) else {
            return Ok(Printer {
                shape,
                is_coloured: colour && io::stdout().is_terminal(),
                to: Box::new(BufWriter::new(io::stdout())),
            });
        };
        let mut options = OpenOptions::new();
        options.write(true);
        match replace {
            true => options.create(true).truncate(true),
            false => options.create_new(true),
        };
        let opened = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                AppError::Conflict(format!("{} exists; --force replaces it", path.display()))
            }
            _ => AppError::file(path, &error),
        })?;
        Ok(Printer {
            shape,
            is_coloured: false,
            to: Box::new(BufWriter::new(opened)),
        })
    }

    /// The shape asked for.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether colour may be used.
    pub(super) fn is_coloured(&self) -> bool {
        self.is_coloured
    }

    /// One object: JSON, or what `human` writes.
    pub(super) fn one(
        &mut self,
        object: &impl Serialize,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.shape {
            Shape::Json => self.json(object, true),
            Shape::JsonLines => self.json(object, false),
            Shape::Human | Shape::Plain => human(&mut self.to),
        }?;
        self.to.flush()
    }

    /// A list in any shape.
    pub(super) fn list<R: Row>(&mut self, rows: &[R]) -> io::Result<()> {
        match self.shape {
            Shape::Json => self.json(&rows, true)?,
            Shape::JsonLines => {
                for row in rows {
                    self.json(row, false)?;
                }
            }
            Shape::Plain => {
                for row in rows {
                    let cells: Vec<String> = row.cells().iter().map(|cell| line(cell)).collect();
                    writeln!(self.to, "{}", cells.join("\t"))?;
                }
            }
            Shape::Human => self.table(rows)?,
        }
        self.to.flush()
    }

    fn json(&mut self, object: &impl Serialize, pretty: bool) -> io::Result<()> {
        match pretty {
            true => serde_json::to_writer_pretty(&mut self.to, object)?,
            false => serde_json::to_writer(&mut self.to, object)?,
        }
        writeln!(self.to)
    }

    fn table<R: Row>(&mut self, rows: &[R]) -> io::Result<()> {
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.cells().iter().map(|cell| line(cell)).collect())
            .collect();
        let mut widths: Vec<usize> = R::HEADINGS.iter().map(|text| text.len()).collect();
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let headings = R::HEADINGS.iter().map(|text| (*text).to_owned()).collect();
        for row in std::iter::once(&headings).chain(&cells) {
            let mut text = String::new();
            for (width, cell) in widths.iter().zip(row) {
                let blanks = width - cell.chars().count() + 2;
                text.push_str(cell);
                text.push_str(&" ".repeat(blanks));
            }
            writeln!(self.to, "{}", text.trim_end())?;
        }
        Ok(())
    }

    /// The bare sink, for results that bring their own shape. Flushed by [`Printer::flush`].
    pub(super) fn sink(&mut self) -> &mut dyn Write {
        &mut self.to
    }

    /// Hands everything over.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Says something on standard error. Where that fails nobody can be told, and what was done stays
/// done: the program goes on.
pub(super) fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
