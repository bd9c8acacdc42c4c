//! The same model for other engines.
