//! The program: wiring only.

mod aws;
mod cli;
mod clock;
mod config;
mod decode;
mod doctor;
mod epoch;
mod fault;
mod into;
mod pipeline;
mod replay;
mod run;
mod steps;
mod summary;
mod suppressed;
mod terminal;
mod worker;

use std::process::ExitCode;

/// Profiles are many small pieces that come and go: a tenth of a replay was glibc's malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
