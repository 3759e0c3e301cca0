//! Attachment bytes: sealed files under a key of their own, which the bucket key wraps.

use std::io::{Read, Write};

use super::error::Result;
use super::sealer::{Sealer, bucket_of, entity_bucket};
use super::{AdmittedAttachment, Archive, ArchiveError, entity};
use crate::crypto::{
    BLOB_PAGE_LEN, HEADER_LEN, Key, StreamKind, StreamReader, StreamWriter, WrapPlace, Wrapper,
    hex, hmac_sha256, random_bytes,
};
use crate::domain::{MessageNo, Now};
use crate::store::{BlobRow, ContentKey, Rows, StoreError, WriteTx};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

impl Archive {
    /// Seals the bytes of an attachment and links them to its message. Bytes that are already
    /// there under the same bucket are stored once. `sha256` is the digest of `bytes`.
    pub fn seal_attachment(
        &self,
        now: Now,
        attachment: &AdmittedAttachment,
        sha256: &[u8; 32],
        bytes: &mut dyn Read,
    ) -> Result<()> {
        let bucket = bucket_of(attachment.sent, attachment.shard);
        let (name, known) = self.blob_of(&bucket, sha256)?;
        if let Some(blob) = known {
            return self.write(now, |tx| {
                let (message, ordinal) = (attachment.message, attachment.ordinal);
                Ok(tx.insert_attachment(message, ordinal, Some(blob.no))?)
            });
        }
        // The id is bound into the stream and the wrap; it is minted before the first byte.
        let id = u128::from_be_bytes(random_bytes(&**self.keyring.entropy()));
        let label = hex(&id.to_be_bytes());
        let key = Key::random(&**self.keyring.entropy());
        let length = self.seal_file(&label, &key, &name, bytes)?;
        self.write(now, |tx| {
            let (data_key, bucket_key) = self.keyring.current(tx, &bucket)?;
            let tag = super::keyring::tag(&bucket);
            let wrapped = Wrapper::new(&bucket_key, 0).wrap(
                &WrapPlace::blob_key(self.keyring.store_id(), id, tag),
                &key,
                &**self.keyring.entropy(),
            )?;
            let mut place = id.to_be_bytes().to_vec();
            place.extend_from_slice(&wrapped.sealed);
            let blob = tx.insert_blob(&BlobRow {
                no: 0,
                name,
                data_key,
                nonce: wrapped.nonce.to_vec(),
                wrapped: place,
                bytes: length,
            })?;
            Ok(tx.insert_attachment(attachment.message, attachment.ordinal, Some(blob))?)
        })
    }

    /// The file of these bytes in a bucket, or the name it is to get. The name of a file that was
    /// destroyed is not used again: its unlinking may still be under way.
    fn blob_of(
        &self,
        bucket: &crate::store::KeyPurpose,
        sha256: &[u8; 32],
    ) -> Result<([u8; 32], Option<BlobRow>)> {
        let rows = self.store.read()?;
        let mut incarnation = 0;
        loop {
            let name = self.blob_name(bucket, sha256, incarnation);
            let known = rows.blob_by_name(&name)?;
            if known.is_some() || !rows.blob_name_is_spent(&name)? {
                return Ok((name, known));
            }
            incarnation += 1;
        }
    }

    fn blob_name(
        &self,
        bucket: &crate::store::KeyPurpose,
        sha256: &[u8; 32],
        incarnation: u64,
    ) -> [u8; 32] {
        let tag = super::keyring::tag(bucket).to_be_bytes();
        let incarnation = incarnation.to_be_bytes();
        // The first has none, as files had before anything was ever destroyed.
        let suffix: &[u8] = match incarnation {
            [0, 0, 0, 0, 0, 0, 0, 0] => &[],
            _ => &incarnation,
        };
        hmac_sha256(self.blob_name.expose(), &[&tag, sha256, suffix])
    }

    /// Wraps the key of a sealed file under the current key of its bucket.
    pub(super) fn move_blob(
        &self,
        tx: &WriteTx<'_>,
        purpose: &crate::store::KeyPurpose,
        blob: &BlobRow,
    ) -> Result<()> {
        let key = self.blob_key(tx, blob)?;
        let (data_key, bucket_key) = self.keyring.current(tx, purpose)?;
        let broken = || ArchiveError::Integrity(format!("blob {}", blob.no));
        let (id, _) = blob.wrapped.split_first_chunk::<16>().ok_or_else(broken)?;
        let place = WrapPlace::blob_key(
            self.keyring.store_id(),
            u128::from_be_bytes(*id),
            super::keyring::tag(purpose),
        );
        let entropy = &**self.keyring.entropy();
        let wrapped = Wrapper::new(&bucket_key, 0).wrap(&place, &key, entropy)?;
        Ok(tx.rewrap_blob(&BlobRow {
            data_key,
            nonce: wrapped.nonce.to_vec(),
            wrapped: [&id[..], &wrapped.sealed].concat(),
            ..blob.clone()
        })?)
    }

    /// Opens the key of a sealed file.
    pub(super) fn blob_key(&self, rows: &Rows, blob: &BlobRow) -> Result<Key> {
        let broken = || ArchiveError::Integrity(format!("blob {}", blob.no));
        let (id, sealed) = blob.wrapped.split_first_chunk::<16>().ok_or_else(broken)?;
        let bucket = rows
            .data_key(blob.data_key)?
            .ok_or_else(|| ArchiveError::Disposed(format!("blob {}", blob.no)))?;
        let place = WrapPlace::blob_key(
            self.keyring.store_id(),
            u128::from_be_bytes(*id),
            super::keyring::tag(&bucket.purpose),
        );
        let wrapped = crate::crypto::WrappedKey {
            nonce: blob.nonce.as_slice().try_into().map_err(|_| broken())?,
            sealed: sealed.try_into().map_err(|_| broken())?,
        };
        let bucket_key = self.keyring.key(rows, blob.data_key)?;
        Wrapper::new(&bucket_key, 0)
            .unwrap(&place, &wrapped)
            .map_err(|_| broken())
    }

    fn seal_file(
        &self,
        label: &str,
        key: &Key,
        name: &[u8; 32],
        bytes: &mut dyn Read,
    ) -> Result<u64> {
        let failed = |error: std::io::Error| StoreError::file("blobs", error);
        let file = self.blobs.begin(label)?;
        let entropy = &**self.keyring.entropy();
        let mut stream =
            StreamWriter::new(file, key, StreamKind::Blob, label, BLOB_PAGE_LEN, entropy)
                .map_err(failed)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut length = 0;
        loop {
            let count = bytes.read(&mut chunk).map_err(failed)?;
            if count == 0 {
                break;
            }
            stream.write_all(&chunk[..count]).map_err(failed)?;
            length += count as u64;
        }
        let file = stream.finish().map_err(failed)?;
        self.blobs.keep(label, &file, name)?;
        Ok(length)
    }

    /// Opens the bytes of an attachment whole; `None` when they did not come along.
    pub fn attachment_bytes(&self, message: MessageNo, ordinal: u32) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let length = self.attachment_into(message, ordinal, &mut bytes)?;
        Ok(length.map(|_| bytes))
    }

    /// Opens the bytes of an attachment page by page into `out` and gives their number; `None` when
    /// they did not come along. Each page is checked before it is handed out; on an error forget
    /// what came before it.
    pub fn attachment_into(
        &self,
        message: MessageNo,
        ordinal: u32,
        out: &mut dyn Write,
    ) -> Result<Option<u64>> {
        let rows = self.store.read()?;
        let attachments = rows.attachments(message)?;
        let blob = attachments
            .iter()
            .find(|(at, _)| *at == ordinal)
            .and_then(|(_, blob)| *blob);
        let Some(blob) = blob else { return Ok(None) };
        let row = rows
            .blob(blob)?
            .ok_or_else(|| ArchiveError::Integrity(format!("attachment of message {message}")))?;
        let broken = || ArchiveError::Integrity(format!("blob {blob}"));
        let (id, _) = row.wrapped.split_first_chunk::<16>().ok_or_else(broken)?;
        let id = u128::from_be_bytes(*id);
        let key = self.blob_key(&rows, &row)?;
        self.open_file(&hex(&id.to_be_bytes()), &key, &row.name, out)?
            .ok_or_else(broken)
            .map(Some)
    }

    /// Opens a sealed file into `out`; `None` when it is not what was sealed.
    fn open_file(
        &self,
        label: &str,
        key: &Key,
        name: &[u8; 32],
        out: &mut dyn Write,
    ) -> Result<Option<u64>> {
        let length = self.blobs.len(name)?;
        let mut header = [0; HEADER_LEN];
        if length < HEADER_LEN as u64 {
            return Ok(None);
        }
        self.blobs.read(name, 0, &mut header)?;
        let kind = StreamKind::Blob;
        let Ok(stream) = StreamReader::open(&header, length, key, kind, label, BLOB_PAGE_LEN)
        else {
            return Ok(None);
        };
        let mut sealed = Vec::new();
        let mut plain = vec![0; BLOB_PAGE_LEN];
        for page in 0..stream.page_count() {
            let range = stream.page_file_range(page);
            sealed.resize((range.end - range.start) as usize, 0);
            self.blobs.read(name, range.start, &mut sealed)?;
            let Ok(count) = stream.open_page(page, &sealed, &mut plain) else {
                return Ok(None);
            };
            out.write_all(&plain[..count])
                .map_err(|error| StoreError::file("the bytes of an attachment", error))?;
        }
        Ok(Some(stream.plain_len()))
    }

    /// Seals the report of an import and gives its content number.
    pub fn seal_report(&self, now: Now, report: &str) -> Result<u64> {
        let no = self
            .take_numbers(1)?
            .next()
            .ok_or(StoreError::Limit("numbers"))?;
        self.write(now, |tx| {
            let plain = entity::pack_texts(&[report]);
            let bucket = entity_bucket((no % u64::from(self.shards())) as u16);
            Sealer::new(&self.keyring)?.put(tx, ContentKey::first(no), &bucket, &plain)?;
            Ok(no)
        })
    }
}
