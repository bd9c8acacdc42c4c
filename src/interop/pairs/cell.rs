//! One value and its state.

/// What a cell holds. Zero is a measurement; missing is not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// Measured, or derived from measured values.
    Measured(f64),
    /// Made up by a simulation or an estimate.
    Simulated,
    /// Not measured.
    Missing,
    /// The metric makes no sense for this arm.
    NotApplicable,
    /// The work failed.
    Failed,
    /// Something that is not a finite number.
    NotFinite,
}

/// How people write "not measured".
const ABSENT: [&str; 9] = ["", "na", "n/a", "null", "none", "-", "missing", "?", "n.a."];

impl Cell {
    /// Reads a text; `Err` says what is wrong with it.
    ///
    /// # Errors
    /// If it is neither a number nor a word for a missing value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if ABSENT.contains(&text.to_ascii_lowercase().as_str()) {
            return Ok(Self::Missing);
        }
        match text.parse::<f64>() {
            Ok(number) => Ok(Self::of(number)),
            Err(_) if text.contains(',') => Err(format!(
                "`{}` is no number; write a decimal point, and nothing between thousands",
                short(text)
            )),
            Err(_) => Err(format!(
                "`{}` is no number; leave the cell empty if it was not measured",
                short(text)
            )),
        }
    }

    /// A number as a value.
    #[must_use]
    pub fn of(number: f64) -> Self {
        if number.is_finite() {
            Self::Measured(number)
        } else {
            Self::NotFinite
        }
    }

    /// The same cell under a stated state.
    ///
    /// # Errors
    /// If the state is not one of the five.
    pub fn with_state(self, state: &str) -> Result<Self, String> {
        match state.trim() {
            "" | "measured" | "derived" => Ok(self),
            "simulated" => Ok(Self::Simulated),
            "missing" => Ok(Self::Missing),
            "not_applicable" => Ok(Self::NotApplicable),
            "failed" => Ok(Self::Failed),
            other => Err(format!(
                "`{}` is no state; there are measured, derived, simulated, missing, \
                 not_applicable, failed",
                short(other)
            )),
        }
    }
}

/// The beginning of a text, for messages.
pub(super) fn short(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(41)
        .collect();
    match clean.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_zero() {
        assert_eq!(Cell::parse(" "), Ok(Cell::Missing));
        assert_eq!(Cell::parse("N/A"), Ok(Cell::Missing));
        assert_eq!(Cell::parse("0"), Ok(Cell::Measured(0.0)));
        assert_eq!(Cell::parse("nan"), Ok(Cell::NotFinite));
        assert_eq!(Cell::parse("1e999"), Ok(Cell::NotFinite));
        assert!(Cell::parse("1,5").unwrap_err().contains("decimal point"));
        assert!(Cell::parse("fast").is_err());
    }

    #[test]
    fn a_state_overrules_the_number() {
        let zero = Cell::Measured(0.0);
        assert_eq!(zero.with_state("simulated"), Ok(Cell::Simulated));
        assert_eq!(zero.with_state("derived"), Ok(zero));
        assert!(zero.with_state("guessed").is_err());
    }
}
