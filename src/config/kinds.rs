//! Table `[kinds]`: which identities are people, workloads, pipelines and agents. In: patterns as they stand in
//! the file. Out: the same, checked.

use super::keys::{Fault, Places};
use baseline::Kind;
use detect::Kinds;
use serde::{Deserialize, Serialize};

/// All patterns together: each is asked of every caller once. Unit: patterns.
const PATTERNS_MAX: usize = 1_000;
/// As much as is kept of a key. Unit: bytes.
const PATTERN_BYTES_MAX: usize = 2_048;

/// Patterns by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct KindPatterns {
    human: Vec<String>,
    workload: Vec<String>,
    ci: Vec<String>,
    agent: Vec<String>,
}

impl KindPatterns {
    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = (&String, Kind)> {
        let Self { human, workload, ci, agent } = self;
        let all = [
            (human, Kind::Human),
            (workload, Kind::Workload),
            (ci, Kind::Ci),
            (agent, Kind::Agent),
        ];
        all.into_iter().flat_map(|(patterns, kind)| patterns.iter().map(move |one| (one, kind)))
    }

    /// Patterns that cannot fit any key, or that say two things.
    pub(super) fn check(&self, places: &Places) -> Result<(), Fault> {
        let mut said: Vec<(&String, Kind)> = Vec::new();
        for (pattern, kind) in self.all() {
            let known = said.iter().find(|(known, _)| *known == pattern);
            let wrong = if pattern.is_empty() {
                Some("an empty pattern fits no key (expected part of one with `*`)".to_owned())
            } else if pattern.len() > PATTERN_BYTES_MAX {
                Some(format!(
                    "a pattern of {} bytes (expected {PATTERN_BYTES_MAX} at most)",
                    pattern.len()
                ))
            } else if pattern.contains(":assumed-role/") {
                Some("a session is no identity (expected its role, `...:role/NAME#*`)".to_owned())
            } else if said.len() == PATTERNS_MAX {
                Some(format!("more than {PATTERNS_MAX} patterns"))
            } else {
                known.filter(|(_, other)| *other != kind).map(|(_, other)| {
                    let (kind, other) = (kind.name(), other.name());
                    format!("the same pattern is {other} and {kind} (expected one of them)")
                })
            };
            if let Some(what) = wrong {
                let name = format!("kinds.{}", kind.name());
                let place = places.get(&format!("{name}.{pattern}")).or(places.get(&name));
                return Err((place.map_or(0, |place| place.key.start), format!("{name}: {what}")));
            }
            said.push((pattern, kind));
        }
        Ok(())
    }

    pub(super) fn kinds(&self) -> Kinds {
        Kinds::of(self.all().map(|(pattern, kind)| (pattern.clone(), kind)))
    }
}
