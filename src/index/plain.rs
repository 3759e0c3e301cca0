//! The benchmark's control: files left as the engine writes them, read whole into memory when they
//! are opened, which is what a memory map is when it is warm.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use tantivy::directory::{AntiCallToken, FileHandle, OwnedBytes, TerminatingWrite, WritePtr};

pub(super) fn open(path: &Path) -> io::Result<Arc<dyn FileHandle>> {
    Ok(Arc::new(OwnedBytes::new(fs::read(path)?)))
}

pub(super) fn create(path: &Path) -> io::Result<WritePtr> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    Ok(BufWriter::new(Box::new(PlainWriter(file))))
}

struct PlainWriter(File);

impl Write for PlainWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for PlainWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.0.sync_data()
    }
}
