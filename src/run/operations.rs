//! Findings about the watch itself rather than about what the logs say: they need a clock, or a file, and stand
//! outside what a replay finds.

use baseline::{Day, Entity, Kind};
use detect::{About, Finding, FindingId, Impact, Severity};
use std::sync::Arc;

/// What is told: one page each, as detectors have them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    /// A feed that delivered stopped.
    FeedSilent,
    /// The state was damaged, and a copy took its place.
    StateRestored,
}

/// The ids of all.
pub(crate) const IDS: [&str; 2] = ["feed-silent", "state-restored"];

impl Operation {
    fn about(self) -> About {
        let (id, page) = match self {
            Self::FeedSilent => ("feed-silent", include_str!("operations/feed_silent.md")),
            Self::StateRestored => ("state-restored", include_str!("operations/state_restored.md")),
        };
        let title = page.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        About {
            id: id.to_owned(),
            uuid: None,
            title,
            severity: Severity::High,
            impact: Impact::Evasion,
            techniques: vec!["T1562.008".to_owned()],
            guardduty: None,
            page: page.to_owned(),
        }
    }

    /// A finding about `key` of an account, from the first to the last of these moments. Unit: milliseconds
    /// since the Unix epoch.
    pub(super) fn finding(
        self,
        (account, key): (&str, &str),
        (first_ms, last_ms): (i64, i64),
        summary: String,
    ) -> Finding {
        let about = Arc::new(self.about());
        let entity = Entity { account: account.into(), kind: Kind::Account, key: key.into() };
        let day = Day::of(first_ms);
        Finding {
            id: FindingId::of(&about.id, &entity, day),
            severity: about.severity,
            about,
            entity,
            day,
            parts: Vec::new(),
            summary,
            times_ms: (first_ms, last_ms),
            count: 0,
            n_hours: 1,
            records: Vec::new(),
            targets: Vec::new(),
            flow: None,
            news: Vec::new(),
            threshold: None,
            history_days: (0, 0),
        }
    }
}
