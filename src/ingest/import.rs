//! The door of the room: from a container and answers to messages, a question or a refusal.

use super::answers::{Answers, Outcome, Refusal};
use super::container::Container;
use super::detect::{Found, format};
use super::error::Result;
use super::message::Sink;

/// Reads one entry that [`super::detect`] found. Either everything is handed to the sink, or
/// nothing: questions and refusals come before the first message.
///
/// # Errors
/// [`super::IngestError`] when the medium fails, the sink stops or a limit of the container is
/// reached; what the sink took until then is incomplete.
pub fn import(
    container: &mut Container<'_>,
    found: &Found,
    answers: &Answers,
    sink: &mut dyn Sink,
) -> Result<Outcome> {
    let [name] = found.formats.as_slice() else {
        return Ok(refused(format!(
            "several formats claim this entry ({}); choose one",
            found.formats.join(", ")
        )));
    };
    match format(name) {
        Some(format) => format.import(container, found.entry, answers, sink),
        None => Ok(refused(format!("there is no format named {name}"))),
    }
}

/// Whether messages of this entry may refer to each other by ids: whoever admits them then keeps
/// where each is.
pub fn refers(found: &Found, answers: &Answers) -> bool {
    let formats = found.formats.iter().filter_map(|name| format(name));
    formats.into_iter().any(|format| format.refers(answers))
}

/// Whether the chats of this entry say by themselves which conversation they are.
pub fn has_keys(found: &Found) -> bool {
    let mut formats = found.formats.iter().filter_map(|name| format(name));
    formats.all(|format| format.has_keys())
}

fn refused(reason: String) -> Outcome {
    Outcome::Refused(Refusal {
        reason,
        places: Vec::new(),
        total: 0,
    })
}
