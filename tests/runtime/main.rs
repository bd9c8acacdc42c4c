//! The embedded runtime: decoder, tokenizer, export.
#![cfg(feature = "runtime")]

mod decoder;
mod folder;
mod reference;
mod tokenizer;
