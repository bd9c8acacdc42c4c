//! The worker's observation file.

use crate::observation::Line;
use std::fs::File;
use std::io::{self, Write};

/// An append-only observation file behind a buffer that never grows in a slot.
pub(super) struct ObservationLog {
    file: File,
    buffer: Vec<u8>,
}

impl ObservationLog {
    const ROOM: usize = 256 * 1024;

    pub(super) fn create(path: &std::path::Path) -> io::Result<Self> {
        let file = File::options().append(true).create_new(true).open(path)?;
        Ok(Self {
            file,
            buffer: Vec::with_capacity(Self::ROOM),
        })
    }

    pub(super) fn write(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, line).map_err(io::Error::other)?;
        self.buffer.push(b'\n');
        if self.buffer.len() > Self::ROOM / 2 {
            self.sync()
        } else {
            Ok(())
        }
    }

    /// Hands everything to the operating system.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
