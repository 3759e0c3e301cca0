//! How do bytes become sealed bytes and back?
//!
//! Purpose: keys, wrapping, sealed rows and streams, passwords, the Merkle tree and signatures, each
//! construction in one file with its formula and the reason for every limit.
//!
//! Invariants:
//! - No (key, nonce) pair is used twice: rows take it from a number that is never handed out again
//!   and a salt per run, pages from a counter and a salt per stream, wraps at random and counted.
//! - What is opened stands in its own place: table, row, version, page and length are bound.
//! - Damage and attack give one error and no plaintext.
//! - Keys are types that wipe themselves and print `***`.
//!
//! Must not know: files, clocks, the operating system's randomness (entropy is an argument), what a
//! message is.
//!
//! Promise: what one version sealed, later versions open. Every label carries `v1`.

mod aead;
mod error;
mod escrow;
mod hash;
mod jws;
mod key;
mod keyhold;
mod merkle;
mod note;
mod observer;
mod password;
mod row;
mod sign;
mod slot;
mod stream;
mod tile;
mod totp;
mod wrap;

pub use aead::{Cipher, NONCE_LEN, Nonce, PLAIN_LEN_MAX, TAG_LEN};
pub use error::{Error, Result};
pub use escrow::{
    ESCROW_HEADER_LEN, ESCROW_LEN_MAX, EscrowHeader, RECOVERY_PUBLIC_LEN, RecoveryKey,
    RecoveryPublic,
};
pub use hash::{
    DIGEST_LEN, Digest, Hasher, digest_from_hex, equal, from_hex, hex, hmac_sha256, sha256,
    sha256_of,
};
pub use jws::{JwsAlgorithm, JwsKey};
pub use key::{Entropy, KEY_LEN, Key, KeyFingerprint, SeededEntropy, random_bytes};
pub use keyhold::{KEYHOLD_FILE_LEN, Keyhold, KeyholdFile, PLACE_LEN, Place};
pub use merkle::{
    Edge, MemoryTree, NodeSource, PROOF_LEN_MAX, TreeNode, consistency_proof, empty_root,
    inclusion_proof, leaf_hash, node_hash, perfect_root, root_of, verify_consistency,
    verify_inclusion,
};
pub use note::{
    Checkpoint, NOTE_LEN_MAX, NOTE_SIGNATURE_LEN, NOTE_SIGNATURES_MAX, NoteSignature, NoteVerifier,
    ORIGIN_LEN_MAX, SignedNote, open_checkpoint, sign_checkpoint,
};
pub use observer::{SealObserver, WatchedEntropy};
pub use password::{
    LANES_MAX, MEMORY_KIB_MAX, PASSES_MAX, PASSWORD_LEN_MAX, PasswordVerdict, SALT_LEN,
    StretchCost, hash_password, stretch, verify_password,
};
pub use row::{RowAad, RowCipher, RowPlace, RunSalt, TABLE_NAME_LEN_MAX, bucket_tag};
pub use sign::{PUBLIC_KEY_LEN, SIGNATURE_LEN, SigningKey, VerifyingKey};
pub use slot::{
    KEY_FILE_LEN_MAX, KEY_FILE_LEN_MIN, SLOT_COUNT_MAX, SLOT_LABEL_LEN_MAX, Secret, Slot, SlotFile,
    SlotKind, Unlocked,
};
pub use stream::{
    BLOB_PAGE_LEN, Geometry, HEADER_LEN, INDEX_PAGE_LEN, PAGE_COUNT_MAX, PAGE_LEN_MAX,
    StreamHeader, StreamKey, StreamKind, StreamReader, StreamWriter, open_whole, seal_whole,
    sealed_len,
};
pub use tile::{
    ENTRY_LEN_MAX, TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH, TileId, TileKind, TileNodes,
    number_path, push_entry, read_entries,
};
pub use totp::{TOTP_DIGITS, TOTP_STEP_SECONDS, TotpSecret};
pub use wrap::{
    WRAP_COUNT_MAX, WRAP_COUNT_ROTATE, WRAP_LEN, WRAPPED_KEY_LEN, WrapPlace, WrappedKey, Wrapper,
};
