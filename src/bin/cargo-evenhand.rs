//! The `cargo evenhand` command.
fn main() {}
