//! From the text of a call to `tool_calls`.

use crate::runtime::constrain::automaton::opening;

/// What became known of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The function's name.
    Name(String),
    /// More of its arguments.
    Arguments(String),
}

/// Takes the text of a call apart as it comes.
#[derive(Debug, Default)]
pub(super) struct CallReader {
    text: String,
    /// Where the arguments begin.
    arguments: Option<usize>,
    /// End of what was given out.
    given: usize,
}

impl CallReader {
    /// Takes in text; `last` closes the call.
    pub fn push(&mut self, piece: &str, tools: &[String], last: bool) -> Vec<Part> {
        self.text.push_str(piece);
        let mut parts = Vec::new();
        if self.arguments.is_none() {
            let found = tools.iter().find(|t| self.text.starts_with(&opening(t)));
            if let Some(name) = found {
                self.given = opening(name).len();
                self.arguments = Some(self.given);
                parts.push(Part::Name(name.clone()));
            }
        }
        // The last character may be the call's own brace.
        let end = match self.text.char_indices().next_back() {
            Some((at, _)) if !last || self.text.ends_with('}') => at,
            _ => self.text.len(),
        };
        if self.arguments.is_some() && end > self.given {
            parts.push(Part::Arguments(self.text[self.given..end].to_owned()));
            self.given = end;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_gives_name_and_arguments() {
        let tools = ["f".to_owned(), "f2".to_owned()];
        let text = r#"{"name":"f2","arguments":{"x":"é}"}}"#;
        for cut in 1..text.len() {
            let mut reader = CallReader::default();
            let (mut name, mut arguments) = (String::new(), String::new());
            let chars: Vec<char> = text.chars().collect();
            let mut pieces = chars.chunks(cut).peekable();
            while let Some(piece) = pieces.next() {
                let piece: String = piece.iter().collect();
                for part in reader.push(&piece, &tools, pieces.peek().is_none()) {
                    match part {
                        Part::Name(n) => name = n,
                        Part::Arguments(a) => arguments.push_str(&a),
                    }
                }
            }
            assert_eq!((name.as_str(), arguments.as_str()), ("f2", r#"{"x":"é}"}"#));
        }
    }
}
