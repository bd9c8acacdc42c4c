//! Readers of pairs that something else measured: CSV, JSON, and published
//! summaries.
//!
//! Reading keeps what the file says, with the line it says it in: a missing
//! value stays missing, a simulated one stays simulated. [`pair`] then puts the
//! values of a unit together, and names every unit that has no pair.

mod cell;
mod collect;
mod csv;
mod declared;
mod error;
mod factorial;
mod groups;
mod json;
mod order;
mod pairing;
mod published;
mod table;
mod tails;

pub use self::csv::{CsvOptions, read_csv};
pub use cell::Cell;
pub use declared::{
    Declared, DeclaredMetric, DeclaredRule, MarginText, OrderText, parse_direction, parse_quantile,
    parse_unit,
};
pub use error::ReadError;
pub use groups::{Description, describe};
pub use json::{Document, parse_estimand, parse_stop_rule, read_json};
pub use pairing::{Comparison, DEFAULT_SEED, DataSet, Excluded, pair};
pub use published::{SUMMARY_SCHEMA, Summaries};
pub use table::{CountRow, Fact, Names, Row, Table};

/// Schema of JSON documents that hold pairs.
pub const PAIRS_SCHEMA: &str = "evenhand.pairs/1.0";
