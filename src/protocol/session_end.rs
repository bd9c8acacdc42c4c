//! What happens when a target's part of a session has been measured.

use super::{Arguments, Format};
use crate::report;
use evenhand_harness::observation::Status;
use evenhand_harness::record::Record;
use evenhand_harness::run::{RunError, Session, read_measurements, write_atomically, write_record};

/// Judges the whole session so far, stores the record and its report, and
/// prints this target's results.
pub(super) fn finish(
    session: &Session,
    target: &str,
    arguments: &Arguments,
    status: Status,
) -> Result<(), RunError> {
    let measurements = read_measurements(&session.dir, &session.plan)?;
    let record = Record::judge(session.plan.clone(), measurements);
    write_record(&session.dir, &record)?;
    let markdown = report::markdown::render(&record);
    write_atomically(&session.dir.join("report.md"), markdown.as_bytes())?;

    let view = report::View {
        target: Some(target),
        verbose: arguments.verbose,
    };
    match arguments.format {
        Format::Human => anstream::print!("{}", report::terminal::render(&record, view)),
        Format::Json => anstream::println!("{}", report::json::render(&record, view)),
        Format::Bencher => anstream::print!("{}", report::bencher::render(&record, view)),
    }
    if !arguments.quiet {
        anstream::eprintln!("record: {}", session.dir.join("record.json").display());
    }
    if status == Status::Incomplete {
        anstream::eprintln!(
            "{}: stopped; everything measured so far is in the record. `cargo evenhand resume` \
             finishes it under the same plan.",
            report::style::warning("incomplete")
        );
    }
    Ok(())
}
