//! The command line.

pub(crate) mod config;
pub(crate) mod detectors;
