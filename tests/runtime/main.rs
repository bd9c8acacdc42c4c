//! The embedded runtime: decoder, tokenizer, export.
#![cfg(feature = "runtime")]

mod decoder;
mod reference;
mod tokenizer;
