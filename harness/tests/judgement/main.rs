//! What the judge makes of slots that were made up.

mod quantiles;
mod secondary;
mod session;
