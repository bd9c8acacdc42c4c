//! Digests of plans and data.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// Hex SHA-256 of some bytes.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Hex SHA-256 of a value's compact JSON. Struct fields are written in
/// declaration order, so equal values have equal digests.
///
/// # Panics
/// If the value has no JSON form; none of this crate's types is such.
#[must_use]
pub fn digest_of<T: Serialize>(value: &T) -> String {
    sha256_hex(&serde_json::to_vec(value).expect("plain data has a JSON form"))
}
