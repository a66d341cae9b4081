//! The program `hyperfocus`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    hyperfocus::cli::main()
}
