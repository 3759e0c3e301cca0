//! `README.txt`: what is in the bundle, and how to check it without this program.

use super::manifest::Manifest;

/// The text for the reader of a bundle.
pub(super) fn text(about: &Manifest, origin: &str) -> String {
    let kind = crate::audit::StatementKind::ExportManifest.name();
    format!(
        "Export {id} of the message archive {origin}
Made by {generator} at {made}

WHAT IS HERE

README.txt           this text
messages.jsonl       the messages, one a line, with every version, times, sources and digests
messages.csv         the same as a table for spreadsheets (a cell that could be a formula begins with ')
index.html           the same to read and print; nothing in it runs, nothing is fetched
attachments/         files that came with the messages, named by their SHA-256
proof/entry.json     the entry of this export in the signed audit log of the archive
proof/inclusion.txt  the proof that the entry is in the log (c2sp.org/tlog-proof)
proof/checkpoint.txt the signed state of the log (c2sp.org/tlog-checkpoint)
manifest.json        who, why, what was asked and how it was read, the SHA-256 of every file; signed

HOW TO CHECK IT WITH THE PROGRAM

    wordkeep export verify FILE.tar --key 'KEY'

It needs no data, no key file, no log-in and no network. KEY is the public key of the log. The bundle
names one itself (manifest.json, log.key); that it is the right one is what you should ask the
archive's owner for on another way, or compare with an earlier bundle or checkpoint.

HOW TO CHECK IT WITHOUT THE PROGRAM

1. Files: sha256sum of each gives what manifest.json says in files.
2. Signature: take the member signature (64 bytes in hex) out of manifest.json and write the rest again
   without blanks, members sorted (RFC 8785; it is otherwise in that form already). Put in front the
   byte 0, the text wordkeep/v1/{kind} and another byte 0. That is what the Ed25519 key signed. The key
   is log.key: after its last + stands, in base64, the byte 1 and then the 32 bytes of the public key.
3. Messages: in each line of messages.jsonl, digest is SHA-256 of the 32 bytes of salt followed by the
   text of record. messages_root is the Merkle root (RFC 6962) whose leaves are these digests.
4. Log: proof/entry.json holds messages_root and files_digest, which is SHA-256 of the output of
   sha256sum for all files of the list outside proof/, in its order. The leaf is SHA-256 of the byte 0
   and the entry; proof/inclusion.txt leads from the leaf to the root in proof/checkpoint.txt, which
   the same key signed as a note. A bundle whose files were changed after the fact, even by who holds
   the key, contradicts the log.
5. Form: the archive is tar (POSIX ustar) in one canonical form, its files in the order of the list
   and manifest.json last. The program refuses any other byte.

WHAT IT DOES NOT SAY

A sound bundle shows that these are the messages as the archive kept them. What a sender wrote before
it was archived is known as far as the source told it: the fields doubts and zone_source say where a
time was assumed. A version that was edited or deleted on the platform is listed under versions.
",
        id = about.export,
        generator = about.generator,
        made = about.made.compliance,
    )
}
