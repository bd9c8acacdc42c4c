use std::fmt::Write as _;

/// CUDA C++ text of this crate.
#[derive(Debug)]
pub struct Source {
    /// File name, as compilers shall print it.
    pub file: &'static str,
    /// Contents of that file.
    pub text: &'static str,
    /// What `#include "..."` may name in it. System headers (`<...>`) are the
    /// compiler's business.
    pub headers: &'static [&'static Header],
}

/// CUDA C++ text that several sources include.
#[derive(Debug)]
pub struct Header {
    /// File name in the `#include` line.
    pub file: &'static str,
    /// Contents of that file; includes no other of our headers.
    pub text: &'static str,
}

impl Source {
    /// The complete text for a compiler that has no files: every line
    /// `#include "..."` replaced by the header, with `#line` directives, so
    /// that messages name the file and line where the text stands.
    ///
    /// # Panics
    /// If an included file is not among [`Self::headers`].
    #[must_use]
    pub fn expand(&self) -> String {
        let mut out = format!("#line 1 \"{}\"\n", self.file);
        for (line, number) in self.text.lines().zip(1..) {
            let Some(name) = included(line) else {
                out.push_str(line);
                out.push('\n');
                continue;
            };
            let header = self.headers.iter().find(|header| header.file == name);
            let header =
                header.unwrap_or_else(|| panic!("{}:{number}: no header {name}", self.file));
            write!(
                out,
                "#line 1 \"{name}\"\n{}\n#line {} \"{}\"\n",
                header.text,
                number + 1,
                self.file
            )
            .expect("writing to a string");
        }
        out
    }
}

fn included(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("#include")?;
    rest.trim().strip_prefix('"')?.strip_suffix('"')
}
