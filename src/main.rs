//! The program: wiring only.

mod cli;
mod clock;
mod decode;
mod replay;
mod summary;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
