//! What people said of findings.

use crate::finding::FindingId;
use baseline::Day;
use std::collections::BTreeMap;

/// What a finding is about, as a person found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Nothing to worry about.
    Benign,
    /// An attack.
    Malicious,
}

impl Nature {
    /// Every nature.
    pub const ALL: &[Self] = &[Self::Benign, Self::Malicious];

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Malicious => "malicious",
        }
    }
}

/// What a person said of one finding, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What the finding is about.
    pub nature: Nature,
    /// The UTC day on which it was said.
    pub day: Day,
}

/// What people said of findings, the last word on each.
pub type Marks = BTreeMap<FindingId, Mark>;
