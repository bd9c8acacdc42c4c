//! What happens when targets of a session have been measured.

use super::Format;
use crate::interop::criterion;
use crate::report;
use evenhand_harness::observation::Status;
use evenhand_harness::record::Record;
use evenhand_harness::run::{RunError, Session, read_measurements, write_atomically, write_record};
use std::path::Path;

/// What is done at the end.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a> {
    /// The targets that were measured now, with their executables.
    pub targets: &'a [(&'a str, &'a Path)],
    /// Name under which criterion's files are stored as well.
    pub save_baseline: Option<&'a str>,
    /// How results are printed.
    pub format: Format,
    /// No word on standard error but warnings.
    pub quiet: bool,
    /// Whether everything planned was measured.
    pub status: Status,
    /// What is printed.
    pub view: report::View<'a>,
}

/// Judges the whole session so far, stores the record, its report and
/// criterion's files, and prints results.
///
/// # Errors
/// If files can't be read or written.
pub fn finish(session: &Session, end: &Finish<'_>) -> Result<Record, RunError> {
    let measurements = read_measurements(&session.dir, &session.plan)?;
    let record = Record::judge(session.plan.clone(), measurements);
    write_record(&session.dir, &record)?;
    let markdown = report::markdown::render(&record);
    write_atomically(&session.dir.join("report.md"), markdown.as_bytes())?;
    for (target, executable) in end.targets {
        let root = criterion::default_root(executable);
        if let Err(error) = criterion::export(&record, target, &root, end.save_baseline) {
            // The record is what counts; it is safe by now.
            anstream::eprintln!(
                "{}: criterion's files were not written: {error}",
                report::style::warning("warning")
            );
        }
    }
    match end.format {
        Format::Human => anstream::print!("{}", report::terminal::render(&record, end.view)),
        Format::Json => anstream::println!("{}", report::json::render(&record, end.view)),
        Format::Bencher => anstream::print!("{}", report::bencher::render(&record, end.view)),
    }
    if !end.quiet {
        anstream::eprintln!("record: {}", session.dir.join("record.json").display());
    }
    if end.status == Status::Incomplete {
        anstream::eprintln!(
            "{}: stopped; everything measured so far is in the record. `cargo evenhand resume` \
             finishes it under the same plan.",
            report::style::warning("incomplete")
        );
    }
    Ok(record)
}
