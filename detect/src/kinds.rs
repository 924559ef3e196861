//! What identities are by the user's word, where records do not say it or say it wrongly: patterns on their
//! keys. Only kinds that are inferred from names can be pinned: who is root, an AWS service or of another
//! account stands in the record.

use crate::pattern::fits;
use baseline::{Entity, Kind};
use std::cmp::Reverse;

/// Patterns, those that say the most first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds(Vec<(String, Kind)>);

impl Kinds {
    /// The kinds that can be pinned, and be pinned to.
    pub(crate) const PINNED: &[Kind] = &[Kind::Human, Kind::Workload, Kind::Ci, Kind::Agent];

    /// Patterns in which `*` is anything and `?` one character, each with its kind. Of several that fit the
    /// one with the most plain characters counts, then that with the most `?`, then the first by its
    /// characters: whatever the order in which they are given.
    pub fn of(patterns: impl IntoIterator<Item = (String, Kind)>) -> Self {
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_by_cached_key(|(pattern, kind)| {
            let n_plain = pattern.chars().filter(|c| !matches!(c, '*' | '?')).count();
            let n_single = pattern.matches('?').count();
            (Reverse((n_plain, n_single)), pattern.clone(), kind.name())
        });
        Self(patterns)
    }

    /// Makes `entity` what the user says that it is.
    pub(crate) fn pin(&self, entity: &mut Entity) {
        if !Self::PINNED.contains(&entity.kind) {
            return;
        }
        if let Some((_, kind)) = self.0.iter().find(|(pattern, _)| fits(pattern, &entity.key)) {
            entity.kind = *kind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::Logs;
    use ingest::testkit::{Call, by, call, role_session, root, service};
    use std::sync::Arc;

    fn kinds(patterns: &[(&str, Kind)]) -> Kinds {
        Kinds::of(patterns.iter().map(|(pattern, kind)| ((*pattern).to_owned(), *kind)))
    }

    fn pinned(kinds: &Kinds, kind: Kind, key: &str) -> Kind {
        let mut entity = Entity { account: "111122223333".into(), kind, key: key.into() };
        kinds.pin(&mut entity);
        entity.kind
    }

    #[test]
    fn the_pattern_that_says_the_most_counts() {
        let kinds = kinds(&[("*", Kind::Workload), ("*bot*", Kind::Agent), ("*robot*", Kind::Ci)]);
        for (key, expected) in
            [("x", Kind::Workload), ("a-bot", Kind::Agent), ("a-robot", Kind::Ci)]
        {
            assert_eq!(pinned(&kinds, Kind::Human, key), expected, "{key}");
        }
        assert_eq!(super::Kinds::of([]), Kinds::default());
    }

    #[test]
    fn of_two_patterns_one_counts_whatever_their_order() {
        // Each fits the key, and the first of the two counts.
        for (key, first, second) in [
            // A `?` says less than a character, though it stands before it in the alphabet.
            ("abc", "abc", "a?c"),
            ("abc", "*bc", "??c*"),
            // It says more than `*`.
            ("abc", "a?c", "a*c"),
            ("abc", "*??c", "*?c"),
            ("abc", "*b?", "*c"),
            // What says equally much is taken by its characters.
            ("bot-dev", "*-dev", "bot-*"),
            ("ab", "*b*", "a*"),
        ] {
            let both = [(first, Kind::Agent), (second, Kind::Human)];
            let [one, other] = both;
            for both in [both, [other, one]] {
                assert_eq!(pinned(&kinds(&both), Kind::Ci, key), Kind::Agent, "{first} {second}");
            }
        }
    }

    #[test]
    fn what_stands_in_the_record_is_not_pinned() {
        let kinds = kinds(&[("*", Kind::Agent)]);
        for kind in Kind::ALL {
            let is_pinned = Kinds::PINNED.contains(kind);
            let expected = if is_pinned { Kind::Agent } else { *kind };
            assert_eq!(pinned(&kinds, *kind, "x"), expected, "{kind:?}");
        }
        let logs = Logs::with(|options| options.kinds = Arc::new(kinds));
        let logs = logs.call(0, "9:00", by(root()).api("iam:CreateUser"));
        let logs = logs.call(0, "9:00", by(service("config.amazonaws.com")).api("iam:GetUser"));
        let kinds: Vec<_> = logs.all().iter().map(|finding| finding.entity.kind).collect();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Root), "{kinds:?}");
    }

    fn bot(api: &str) -> Call {
        let role = role_session("support-bot", "session-1");
        by(role).api(api).from_ip("18.236.0.1").agent("Boto3/1.35 Python/3.12")
    }

    #[test]
    fn a_kind_decides_who_the_peers_are_and_what_is_asked() {
        // Alice, a user whose name says nothing, is a machine with small habits.
        let alice = |api: &str| call("alice").api(api).from_ip("18.236.0.1").agent("Boto3/1.35");
        let mut logs = Logs::new();
        for clock in ["9:00", "12:00", "15:00", "18:00"] {
            logs = logs.daily(20, clock, |_| alice("lambda:Invoke"));
            logs = logs.daily(20, clock, |_| bot("bedrock:Retrieve"));
        }
        let logs = logs.call(0, "12:00", alice("iam:CreateUser"));
        logs.clone().stays_quiet("anomalous-persistence");
        let pin = kinds(&[("arn:aws:iam::*:user/alice", Kind::Workload)]);
        let finding = logs
            .with_options(|options| options.kinds = Arc::new(pin))
            .finding("anomalous-persistence");
        assert_eq!(finding.entity.kind, Kind::Workload);
        assert_eq!(finding.threshold.unwrap().bits.to_bits(), 25.0_f64.to_bits());
    }
}
