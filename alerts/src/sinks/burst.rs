//! One message in place of many: a chat that gets forty at once reads none. In: how many there are, and the most
//! severe of them. Out: bodies, for chats.

use super::{
    Form, To,
    note::{Note, shown},
    slack, teams, webhook,
};
use detect::Severity;

/// Findings that are named, the most severe. Unit: findings.
pub(crate) const NAMED_MAX: usize = 5;
/// Of a title and of a name, so that all of them fit into a section. Unit: UTF-16 units.
const TEXT_UNITS: usize = 120;

/// A finding in a line.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) who: String,
    pub(crate) day: String,
    pub(crate) id: String,
}

/// Findings that are told together.
#[derive(Debug)]
pub(crate) struct Burst {
    /// How many of each severity, the most severe first.
    pub(crate) counts: Vec<(Severity, u64)>,
    /// The first of them.
    pub(crate) named: Vec<Named>,
}

impl Burst {
    /// How severe the worst is.
    pub(crate) fn severity(&self) -> Severity {
        self.counts.iter().map(|(severity, _)| *severity).max().unwrap_or(Severity::Low)
    }

    /// How many there are.
    pub(crate) fn n(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    fn note(&self) -> Note {
        let counts = self.counts.iter().map(|(severity, n)| format!("{n} {}", severity.label()));
        let counts: Vec<_> = counts.collect();
        let line = |named: &Named| {
            let Named { severity, title, who, day, id } = named;
            let [title, who] = [title, who].map(|text| shown(text, TEXT_UNITS));
            format!("{}: {title}; {who}; {day}; {id}", severity.label().to_uppercase())
        };
        let n_more = self.n().saturating_sub(self.named.len() as u64);
        let more = (n_more > 0).then(|| format!("and {n_more} more"));
        Note {
            head: format!("{} findings at once: {}", self.n(), counts.join(", ")),
            summary: "Too many to be told one by one; the most severe of them:".to_owned(),
            facts: vec![("all of them", "sentrail findings list --in STATE".to_owned())],
            paragraphs: vec![self.named.iter().map(line).chain(more).collect()],
        }
    }
}

impl To {
    /// Whether people read it among other things.
    pub(crate) fn is_chat(&self) -> bool {
        match self {
            Self::Webhook(webhook::Settings { form, .. }) => {
                matches!(form, Form::Slack | Form::Teams)
            }
            Self::JsonLines(_) | Self::Syslog(_) | Self::Service(_) => false,
        }
    }

    /// The body of a burst; `None` where each message is for itself.
    pub(crate) fn burst(&self, burst: &Burst) -> Option<String> {
        match self {
            Self::Webhook(webhook::Settings { form, .. }) => match form {
                Form::Slack => Some(slack::of(&burst.note())),
                Form::Teams => Some(teams::of(&burst.note(), burst.severity())),
                Form::Standard(_) | Form::PagerDuty(_) | Form::Template(_) => None,
            },
            Self::JsonLines(_) | Self::Syslog(_) | Self::Service(_) => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::escape::is_hidden;

    fn burst(text: &str) -> Burst {
        let named = |severity| Named {
            severity,
            title: text.to_owned(),
            who: text.to_owned(),
            day: "2026-03-12".to_owned(),
            id: "0".repeat(32),
        };
        let counts = vec![(Severity::Critical, 2), (Severity::Low, 40)];
        Burst { counts, named: vec![named(Severity::Critical); NAMED_MAX] }
    }

    /// Whether chats take one message in place of these.
    pub(in crate::sinks) fn check(named: Vec<Named>) {
        let counts = named.iter().map(|named| (named.severity, 9)).collect();
        let burst = Burst { counts, named };
        slack::tests::check(&slack::of(&burst.note()));
        teams::tests::check(&teams::of(&burst.note(), burst.severity()));
    }

    #[test]
    fn a_burst_counts_all_and_names_the_first() {
        let note = burst("Port scan").note();
        assert_eq!(note.head, "42 findings at once: 2 critical, 40 low");
        let lines = &note.paragraphs[0];
        assert_eq!(
            lines[0],
            format!("CRITICAL: Port scan; Port scan; 2026-03-12; {}", "0".repeat(32))
        );
        assert_eq!((lines.len(), &*lines[5]), (6, "and 37 more"));
    }

    #[test]
    fn the_largest_burst_fits_and_hides_nothing() {
        let burst = burst(&"\u{e0041}\u{1b}<!here>".repeat(1_000));
        let note = burst.note();
        assert!(!note.paragraphs[0].iter().any(|line| line.chars().any(is_hidden)));
        let section = note.paragraphs[0].join("\n").encode_utf16().count();
        assert!(section < 3_000, "{section}");
        for (body, bytes_max) in [
            (slack::of(&note), slack::BODY_BYTES_MAX),
            (teams::of(&note, burst.severity()), teams::BODY_BYTES_MAX),
        ] {
            assert!(body.len() < bytes_max, "{}", body.len());
        }
    }
}
