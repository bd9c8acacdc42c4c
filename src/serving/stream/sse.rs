//! Server-sent events from bytes, split anywhere.

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `event:` field.
    pub name: Option<String>,
    /// The `data:` lines, joined by line feeds.
    pub data: Vec<u8>,
}

/// A line or an event beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// What a stream held besides events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Comment lines: keep-alives.
    pub comments: u64,
    /// The first line that is no field of the format, such as a bare error text.
    pub foreign: Option<Vec<u8>>,
    /// An event whose empty line never came.
    pub unterminated: Option<Event>,
}

/// Takes bytes as they came and gives events. Lines end in LF, CRLF or CR; a
/// byte order mark at the start is skipped (WHATWG HTML, 9.2.6).
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    name: Option<String>,
    skip_lf: bool,
    first_line: bool,
    remains: Remains,
}

impl Decoder {
    /// A decoder for lines and events of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            name: None,
            skip_lf: false,
            first_line: true,
            remains: Remains::default(),
        }
    }

    /// Appends to `events` those that `bytes` completes.
    ///
    /// # Errors
    ///
    /// When a line or an event exceeds the limit.
    pub fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), TooLong> {
        if self.skip_lf && !bytes.is_empty() {
            self.skip_lf = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) {
            self.extend_line(&bytes[..end])?;
            let carriage_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if carriage_return {
                match bytes.first() {
                    Some(b'\n') => bytes = &bytes[1..],
                    Some(_) => {}
                    None => self.skip_lf = true,
                }
            }
            let line = std::mem::take(&mut self.line);
            events.extend(self.end_line(&line)?);
            self.line = line;
            self.line.clear();
        }
        self.extend_line(bytes)
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + bytes.len() > self.limit {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, line: &[u8]) -> Result<Option<Event>, TooLong> {
        let mut line = line;
        if std::mem::take(&mut self.first_line) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            return Ok(self.dispatch());
        }
        let colon = line.iter().position(|&b| b == b':');
        let (field, value) = match colon {
            Some(0) => {
                self.remains.comments += 1;
                return Ok(None);
            }
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &line[line.len()..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.data.len() + value.len() > self.limit {
                    return Err(TooLong);
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => self.name = Some(String::from_utf8_lossy(value).into_owned()),
            b"id" | b"retry" => {}
            _ => {
                self.remains.foreign.get_or_insert_with(|| line.to_vec());
            }
        }
        Ok(None)
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = self.name.take();
        std::mem::take(&mut self.has_data).then(|| Event {
            name,
            data: std::mem::take(&mut self.data),
        })
    }

    /// The stream is over.
    #[must_use]
    pub fn finish(mut self) -> Remains {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            let _ = self.end_line(&line);
        }
        self.remains.unterminated = self.dispatch();
        self.remains
    }
}
