//! The `cargo evenhand` command.

fn main() -> std::process::ExitCode {
    evenhand::cli::main()
}
