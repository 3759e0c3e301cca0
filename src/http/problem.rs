//! What can be wrong, kind by kind: the last part of a problem's `type`, what it means, what to do.

/// A kind of refusal, as its help page tells it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProblemKind {
    /// The last part of its `type`.
    pub kind: &'static str,
    /// The statuses of HTTP it comes with.
    pub statuses: &'static [u16],
    /// What happened, in a few words.
    pub title: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn kind(
    kind: &'static str,
    statuses: &'static [u16],
    title: &'static str,
    means: &'static str,
    remedy: &'static str,
) -> ProblemKind {
    ProblemKind {
        kind,
        statuses,
        title,
        means,
        remedy,
    }
}

/// Every kind, by name.
pub(super) const PROBLEMS: &[ProblemKind] = &[
    kind(
        "answer-lost",
        &[409],
        "The answer is not here any more",
        "A request with this Idempotency-Key was taken up, and its answer is not kept: the program ended while it worked on it, or the answer held a secret that is shown once.",
        "Look whether it was done. Take a new key for what is still to be done.",
    ),
    kind(
        "blocked",
        &[409],
        "Something stands in the way",
        "A hold, a lock, a policy, a freeze or a missing second person forbids it. Nothing was changed.",
        "The detail says what stands in the way and who can lift it. Waiting for the recall window, or a second person, is often all it takes.",
    ),
    kind(
        "body",
        &[400, 413],
        "The body was not taken",
        "The body of the request is longer than this route takes, or it did not arrive whole.",
        "Send less at a time. Files go in parts, to the route for files.",
    ),
    kind(
        "busy",
        &[429],
        "Too much at once",
        "As much as one person, or the whole house, may have under way is under way.",
        "Wait until some of it is over, or stop what is no longer wanted, and try again.",
    ),
    kind(
        "conflict",
        &[409],
        "Somebody was first",
        "What the request assumes is no longer so: a name is taken, an act is under way, or somebody changed the object meanwhile.",
        "Look at the object as it is now, and decide anew.",
    ),
    kind(
        "digest",
        &[400, 422],
        "The file is not what was sent",
        "The SHA-256 of what arrived differs from the one in Repr-Digest. The bytes were thrown away.",
        "Send the file again from its first byte. If it happens again, something on the way changes files.",
    ),
    kind(
        "failure",
        &[500],
        "Something failed",
        "The computer or the program failed. What was answered before is durable.",
        "Try again. If it stays, an administrator finds the reason under System and in the log of the program.",
    ),
    kind(
        "forbidden",
        &[403],
        "Not for your role",
        "Your role, or the token of your program, does not carry the right. The log says that it was asked for.",
        "An administrator can give you another role. The table \u{201c}who can do what\u{201d} stands under Users.",
    ),
    kind(
        "foreign-form",
        &[403],
        "The form is not from this session",
        "What changes something with a cookie must carry the mark of its session. This one did not, so it may come from elsewhere.",
        "Open the page again and send the form from there. Programs use a token instead of a cookie.",
    ),
    kind(
        "idempotency-key",
        &[400],
        "Name the act",
        "What creates or starts something needs a name of your own making, so that sending it twice does it once.",
        "Send the header Idempotency-Key with 1 to 255 characters, a new one for each act, the same one when you repeat it.",
    ),
    kind(
        "if-match",
        &[428],
        "Say what you saw",
        "A change of an object needs the state that you read, so that nobody overwrites what they never saw.",
        "Read the object, and send its ETag in the header If-Match.",
    ),
    kind(
        "import-refused",
        &[422],
        "Nothing was imported",
        "The file cannot be read as what it says it is, or has places that cannot be read.",
        "The detail names the places. Export the chat again, or say that these places are to be left out.",
    ),
    kind(
        "key-reused",
        &[422],
        "The key was used for something else",
        "An Idempotency-Key names one act for a day; this one named another request.",
        "Take a new key for a new act.",
    ),
    kind(
        "media-type",
        &[415],
        "Send JSON",
        "The body is of a kind that this route does not read.",
        "Send Content-Type: application/json, or application/octet-stream where files are taken.",
    ),
    kind(
        "not-found",
        &[404],
        "Not found",
        "There is nothing here, or nothing that you may see. Both are answered alike, so that nobody learns what is hidden.",
        "Check the address. If somebody sent it to you, ask them who may see it.",
    ),
    kind(
        "query-budget",
        &[422],
        "The query takes too long",
        "Answering it would take more time than one question may.",
        "The detail names the expensive part. Add a date, a conversation or another word beside it.",
    ),
    kind(
        "query-syntax",
        &[400],
        "The query is not clear",
        "The query cannot be read, or can be read in more than one way where that is not allowed.",
        "Each error has a place in the query and says what to write. Warnings can be accepted by their code.",
    ),
    kind(
        "questions",
        &[422],
        "Something must be decided first",
        "A file leaves something open, such as the order of day and month. Nothing is guessed, and nothing was imported.",
        "Answer the questions: on the page of the file, or by starting its import again with the answers.",
    ),
    kind(
        "request",
        &[400],
        "The request is wrong",
        "A field is missing, unknown or not what it should be.",
        "The detail says which, and what to send instead. The description of the API has every field.",
    ),
    kind(
        "running",
        &[409],
        "It is being done",
        "A request with the same Idempotency-Key is being worked on.",
        "Send it again in a moment: you are given its answer.",
    ),
    kind(
        "scope",
        &[403],
        "Not for this token",
        "This is for people only, or the token was not given it.",
        "Sign in with a browser, or make a token with the scope that the description names.",
    ),
    kind(
        "sealed",
        &[503],
        "The archive is sealed",
        "The program runs, and nobody has typed the passphrase yet: nothing can be read.",
        "Open the page that asks for the passphrase, or let the computer give it at the start.",
    ),
    kind(
        "sign-in",
        &[401],
        "Sign in first",
        "The session has ended, the token is unknown or over, or there was none.",
        "Sign in again; you come back to where you were. Programs need a new token.",
    ),
    kind(
        "snapshot-expired",
        &[410],
        "The search has moved on",
        "Pages of hits are cut from one state of the archive, so that nothing is seen twice or missed. That state is kept for a quarter of an hour after its last page, and forgotten when something is erased, when what you may see changes, or when the program starts again.",
        "Ask the first page again. The problem carries the query as it is read now, in canonical form.",
    ),
    kind(
        "stale",
        &[412],
        "Somebody changed it since",
        "The object is not as you saw it. It comes with the answer as it is now.",
        "Compare, and send the change again with the new ETag.",
    ),
    kind(
        "step-up",
        &[403],
        "Say again who you are",
        "This cannot be taken back, so whoever sits at the computer has to show once more who they are.",
        "Give your password at /step-up; it counts for ten minutes. Programs use a token made for this.",
    ),
    kind(
        "too-often",
        &[429],
        "Too many tries",
        "More was asked, or tried, than one person or token may in this time.",
        "Wait as long as the header Retry-After says.",
    ),
];

/// The kind of a name.
pub(super) fn problem_kind(name: &str) -> Option<&'static ProblemKind> {
    PROBLEMS.iter().find(|known| known.kind == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_stand_in_order_and_once() {
        assert!(PROBLEMS.is_sorted_by(|one, next| one.kind < next.kind));
        assert!(problem_kind("stale").is_some() && problem_kind("none").is_none());
    }
}
