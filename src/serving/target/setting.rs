//! Settings that a sweep fills into a command line.

use super::{Server, Target};

/// Stands for the number of sequences that a server works on together.
const BATCH: &str = "{batch}";

impl Target {
    /// Whether arguments or environment leave the batch to a sweep: they hold
    /// `{batch}`.
    #[must_use]
    pub fn leaves_batch(&self) -> bool {
        let Server::Command(command) = &self.server else {
            return false;
        };
        let mut texts = command.arguments.iter().chain(command.environment.values());
        texts.any(|text| text.contains(BATCH))
    }

    /// The target with `{batch}` filled in; the batch becomes one of its facts.
    #[must_use]
    pub fn with_batch(mut self, batch: u32) -> Self {
        let number = batch.to_string();
        if let Server::Command(command) = &mut self.server {
            let environment = command.environment.values_mut();
            for text in command.arguments.iter_mut().chain(environment) {
                *text = text.replace(BATCH, &number);
            }
        }
        self.facts.insert("batch".to_owned(), number);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::target::CommandLine;

    #[test]
    fn the_batch_is_filled_into_arguments_and_environment() {
        let mut command = CommandLine::new("server", vec!["--parallel".into(), "{batch}".into()]);
        command
            .environment
            .insert("SLOTS".into(), "n={batch}".into());
        let target = Target::command("t", command);
        assert!(target.leaves_batch());
        let filled = target.with_batch(8);
        assert!(!filled.leaves_batch());
        let Server::Command(command) = &filled.server else {
            panic!("it is a command")
        };
        assert_eq!(command.arguments, ["--parallel", "8"]);
        assert_eq!(command.environment["SLOTS"], "n=8");
        assert_eq!(filled.facts["batch"], "8");
    }
}
