//! Writes logs as AWS would: of an organisation that is made up, with attacks in them. It knows no
//! other room.
//!
//! In go a seed and a size, out come objects: keys and bytes, one at a time. It never reads a clock or
//! the environment; only `folder` touches the disk.

pub mod aws;
pub mod calendar;
pub mod clock;
mod draw;
pub mod folder;
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
