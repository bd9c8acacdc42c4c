//! What can go wrong, in words that say what to do.

use std::fmt;
use std::path::PathBuf;

/// NVRTC cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NvrtcError {
    /// No library in any of the places.
    NotFound {
        /// The places.
        looked: String,
    },
    /// A library is there and cannot be opened.
    Open {
        /// The file.
        library: PathBuf,
        /// What the loader says.
        cause: String,
    },
    /// The library lacks a function.
    Symbol {
        /// The file.
        library: PathBuf,
        /// The function.
        symbol: &'static str,
    },
    /// A call failed that should not.
    Call {
        /// The function.
        function: &'static str,
        /// NVRTC's result code.
        code: i32,
    },
}

impl fmt::Display for NvrtcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { looked } => write!(
                f,
                "NVRTC was not found in {looked}; `pip install nvidia-cuda-nvrtc \
                 nvidia-cuda-runtime` and set EVENHAND_CUDA_WHEELS to the folder \
                 `site-packages/nvidia/cu13`, or set CUDA_HOME to an installed toolkit"
            ),
            Self::Open { library, cause } => {
                write!(f, "{} cannot be opened: {cause}", library.display())
            }
            Self::Symbol { library, symbol } => write!(
                f,
                "{} has no function {symbol}: it is older than CUDA 11.2; use a newer NVRTC",
                library.display()
            ),
            Self::Call { function, code } => {
                write!(f, "{function} failed with {} ({code})", name_of(*code))
            }
        }
    }
}

impl std::error::Error for NvrtcError {}

/// A source that did not compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The text is wrong.
    Source {
        /// File of the source.
        file: String,
        /// The first error, with the line of the `.cu` or header it stands in;
        /// none when the log names no place.
        first: Option<Message>,
        /// All that the compiler said.
        log: String,
    },
    /// The library failed.
    Nvrtc(NvrtcError),
}

/// One message of the compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// File name as in the source.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// What is wrong.
    pub text: String,
}

impl Message {
    /// The first error of a log, which has lines such as
    /// `softmax.cu(12): error: identifier "x" is undefined`.
    #[must_use]
    pub fn first_error(log: &str) -> Option<Self> {
        log.lines().find_map(|line| {
            let (place, text) = line
                .split_once(": error: ")
                .or_else(|| line.split_once(": catastrophic error: "))
                .or_else(|| line.split_once(": fatal error: "))
                // With an error number: `a.cu(1): error #20: ...`.
                .or_else(|| {
                    let (place, rest) = line.split_once(": error #")?;
                    Some((place, rest.split_once(": ").map_or(rest, |(_, text)| text)))
                })?;
            let (file, number) = place.strip_suffix(')')?.rsplit_once('(')?;
            Some(Self {
                file: file.to_owned(),
                line: number.parse().ok()?,
                text: text.trim().to_owned(),
            })
        })
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source {
                first: Some(Message { file, line, text }),
                ..
            } => write!(f, "{file}:{line}: {text}"),
            Self::Source { file, log, .. } => write!(f, "{file} does not compile: {}", log.trim()),
            Self::Nvrtc(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CompileError {}

impl From<NvrtcError> for CompileError {
    fn from(error: NvrtcError) -> Self {
        Self::Nvrtc(error)
    }
}

/// NVRTC's own names of its result codes.
fn name_of(code: i32) -> &'static str {
    match code {
        1 => "out of memory",
        2 => "program creation failure",
        3 => "invalid input",
        4 => "invalid program",
        5 => "invalid option",
        6 => "compilation",
        7 => "builtin operation failure",
        11 => "internal error",
        _ => "another error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_has_its_place() {
        let log = "softmax.cu(3): warning #177-D: unused\nreduce.cuh(12): error: identifier \
                   \"x\" is undefined\nsoftmax.cu(20): error: second\n";
        let first = Message::first_error(log).unwrap();
        assert_eq!((first.file.as_str(), first.line), ("reduce.cuh", 12));
        assert_eq!(first.text, "identifier \"x\" is undefined");
        assert_eq!(Message::first_error("nvrtc: error: invalid value"), None);
    }
}
