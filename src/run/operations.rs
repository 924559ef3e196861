//! Findings about the watch itself rather than about what the logs say: they need a clock, or a state, and stand
//! outside what a replay finds.

use baseline::{Entity, Kind};
use detect::{About, Finding, Impact, Severity};
use std::sync::Arc;

/// What is told: one page each, as detectors have them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    /// A feed that delivered stopped.
    FeedSilent,
    /// An object that was read holds something else now.
    LogObjectChanged,
    /// The state was damaged, and a copy took its place.
    StateRestored,
}

/// The ids of all.
pub(crate) const IDS: [&str; 3] = ["feed-silent", "log-object-changed", "state-restored"];

/// Impair defences: disable or modify cloud logs.
const LOGS_IMPAIRED: &[&str] = &["T1562.008"];
/// Stored data manipulation; indicator removal.
const LOGS_REWRITTEN: &[&str] = &["T1565.001", "T1070"];

impl Operation {
    fn about(self) -> About {
        let (id, techniques, page) = match self {
            Self::FeedSilent => {
                ("feed-silent", LOGS_IMPAIRED, include_str!("operations/feed_silent.md"))
            }
            Self::LogObjectChanged => {
                let page = include_str!("operations/log_object_changed.md");
                ("log-object-changed", LOGS_REWRITTEN, page)
            }
            Self::StateRestored => {
                ("state-restored", LOGS_IMPAIRED, include_str!("operations/state_restored.md"))
            }
        };
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        About {
            id: id.to_owned(),
            uuid: None,
            title,
            severity: Severity::High,
            impact: Impact::Evasion,
            techniques: techniques.iter().map(|&technique| technique.to_owned()).collect(),
            guardduty: None,
            page: page.to_owned(),
        }
    }

    /// A finding about `key` of an account, from the first to the last of these moments. Unit: milliseconds
    /// since the Unix epoch.
    pub(crate) fn finding(
        self,
        (account, key): (&str, &str),
        (first_ms, last_ms): (i64, i64),
        summary: String,
    ) -> Finding {
        let about = Arc::new(self.about());
        let entity = Entity { account: account.into(), kind: Kind::Account, key: key.into() };
        Finding::of_words(about, entity, (first_ms, last_ms), summary)
    }
}
