//! The program: wiring only.

mod cli;
mod config;

use std::{io, path::PathBuf};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["config", verb, path @ ..] => {
            let path = path.first().map(PathBuf::from);
            match *verb {
                "check" => cli::config::check(path.as_deref(), &mut io::stderr()),
                _ => cli::config::show(path.as_deref(), &mut io::stdout()),
            }
        }
        ["detectors", "show", id] => cli::detectors::show(id, &mut io::stdout()),
        ["detectors", "list", format] => cli::detectors::list(format.parse()?, &mut io::stdout()),
        _ => {
            let config = config::Config::load(None)?;
            let inputs = config.inputs(&config.enrich()?);
            let style = alerts::Style { colour: config::is_coloured(false), width: 80 };
            let writer = alerts::Writer::new(alerts::Format::Table, io::stdout(), inputs, style);
            drop((writer, config.options(), config.inflated_bytes_max()));
            Ok(())
        }
    }
}
