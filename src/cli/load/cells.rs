//! The cells of a sweep: numbers of users, and batches of the server.

use super::Arguments;
use crate::cli::Failure;
use crate::serving::arm::{Cell, Load, RequestPaths};
use crate::serving::target::Target;
use evenhand_harness::suite::{Suite, percent};

/// What differs between cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub users: u32,
    pub batch: Option<u32>,
}

impl Setting {
    /// Every combination, batch by batch.
    pub fn all(arguments: &Arguments) -> Result<Vec<Self>, Failure> {
        let (users, batches) = (&arguments.concurrency, &arguments.batch);
        for (name, numbers) in [("--concurrency", users), ("--batch", batches)] {
            let mut before = numbers.iter().enumerate();
            if let Some((_, twice)) = before.find(|(at, n)| numbers[..*at].contains(n)) {
                return Err(Failure::usage(format!("{name} names {twice} twice")));
            }
        }
        let cell = |batch| users.iter().map(move |&users| Self { users, batch });
        if batches.is_empty() {
            return Ok(cell(None).collect());
        }
        Ok(batches.iter().flat_map(|&b| cell(Some(b))).collect())
    }

    /// The server in this setting.
    pub fn fill(self, target: &Target) -> Target {
        match self.batch {
            Some(batch) => target.clone().with_batch(batch),
            None => target.clone(),
        }
    }

    /// What an experiment's id says of it, where it is not the usual.
    pub fn suffix(self) -> String {
        let batch = self.batch.map(|n| format!("/batch_{n}"));
        batch.unwrap_or_default()
    }

    /// Name among the cells of one server; what all share is left out.
    fn name(self, arguments: &Arguments) -> String {
        let users = match self.users {
            1 => "1 user".to_owned(),
            n => format!("{n} users"),
        };
        match self.batch {
            Some(batch) if arguments.concurrency.len() == 1 => format!("batch {batch}"),
            Some(batch) if arguments.batch.len() > 1 => format!("batch {batch}, {users}"),
            _ => users,
        }
    }
}

/// A batch that nobody fills in, or that nobody reads, is a mistake.
pub(super) fn check_batch(
    given: &str,
    target: &Target,
    arguments: &Arguments,
) -> Result<(), Failure> {
    match (target.leaves_batch(), arguments.batch.is_empty()) {
        (true, true) => Err(Failure::usage(format!(
            "{given}: `{{batch}}` stands in `args` or `env`; say which batches to measure, for \
             example --batch 1,4"
        ))),
        (false, false) => Err(Failure::usage(format!(
            "{given}: --batch needs a place: put `{{batch}}` into `args` or `env`, where the server \
             reads how many sequences it works on together"
        ))),
        _ => Ok(()),
    }
}

/// One experiment whose arms are the cells of one server.
pub(super) fn sweep(
    suite: &mut Suite,
    target: &Target,
    settings: &[Setting],
    load: Load,
    arguments: &Arguments,
) {
    let cells = settings.iter().map(|setting| Cell {
        name: setting.name(arguments),
        users: setting.users,
        target: setting.fill(target),
    });
    let mut path = suite
        .request_path(format!("{}/cells", super::mode(arguments)))
        .load(load);
    if arguments.share_servers {
        path = path.share_servers();
    }
    let arms = path.cells(cells.collect(), percent(arguments.margin));
    if arguments.no_aa {
        arms.no_aa();
    }
}
