//! Which detectors want to see which records: all others cost them nothing.

use crate::{
    detector::{Detector, Interest},
    detectors::DETECTORS,
};
use baseline::{Kind, Principal};
use std::collections::BTreeMap;

/// Which detectors want to see which records, as bits by their place in the registry.
#[derive(Debug)]
pub(crate) struct Interests {
    by_api: BTreeMap<&'static str, u64>,
    root: u64,
    compute: u64,
    pub(crate) denied: u64,
}

impl Interests {
    /// Those of the registry.
    pub(crate) fn new() -> Self {
        let mut interests = Self { by_api: BTreeMap::new(), root: 0, compute: 0, denied: 0 };
        for (n, detector) in DETECTORS.iter().enumerate() {
            let bit = 1_u64 << n;
            match detector.meta.interest {
                Interest::Apis(apis) => {
                    for api in apis {
                        *interests.by_api.entry(*api).or_default() |= bit;
                    }
                }
                Interest::Denied => interests.denied |= bit,
                Interest::Root => interests.root |= bit,
                Interest::Compute => interests.compute |= bit,
                Interest::Unusual(_) | Interest::Nothing | Interest::Closed => {}
            }
        }
        interests
    }

    pub(crate) fn of_api(&self, api: &str) -> u64 {
        self.by_api.get(api).copied().unwrap_or(0)
    }

    pub(crate) fn of_principal(&self, principal: &Principal) -> u64 {
        let root = if principal.entity.kind == Kind::Root { self.root } else { 0 };
        let is_machine = principal.on_compute || principal.entity.kind == Kind::Ci;
        root | if is_machine { self.compute } else { 0 }
    }

    pub(crate) fn of(bits: u64) -> impl Iterator<Item = &'static Detector> {
        DETECTORS.iter().enumerate().filter(move |(n, _)| bits & (1 << n) != 0).map(|(_, d)| d)
    }
}
