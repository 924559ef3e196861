//! Writes logs as AWS would: golden fixtures with an attack in them. It knows no other room.
//!
//! In goes a seed written in the source, out comes an archive in memory: object keys and bytes.
//! It never reads a clock, the environment or the disk.

pub mod aws;
pub mod calendar;
pub mod clock;
mod draw;
pub mod golden;
pub mod json;
pub mod life;
pub mod organisation;
pub mod places;
pub mod post;
pub mod rng;
pub mod simulate;
pub mod story;
pub mod truth;
pub mod verdict;

use std::collections::BTreeMap;

/// Objects by key, in the order of their keys.
pub type Archive = BTreeMap<String, Vec<u8>>;
