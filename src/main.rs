//! The program: wiring only.

mod cli;
mod config;
mod decode;
mod into;
mod replay;
mod summary;
mod terminal;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
