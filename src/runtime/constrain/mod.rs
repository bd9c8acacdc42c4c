//! Answers of a given form: calls of tools whose arguments always parse and
//! satisfy the tool's JSON Schema, whatever the model's weights.
//!
//! | module | for |
//! |---|---|
//! | [`schema`] | the subset of JSON Schema |
//! | [`automaton`] | a pushdown automaton over bytes that accepts the allowed JSON |
//! | [`mask`] | which tokens may come next |

pub mod automaton;
mod literal;
pub mod mask;
mod number;
pub mod schema;
mod string;

#[cfg(test)]
mod tests;

pub use automaton::{Automaton, Tool};
pub use mask::TokenTrie;
pub use schema::{Schema, SchemaError};
