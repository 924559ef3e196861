//! How watches put what they say.

use super::{Wanted, Watch};
use crate::rules::sigma::{Bound, Bounds};
use baseline::time::SLOTS;

/// `60 minutes`, `2 hours`, `7 days`.
pub(super) fn timespan(n_slots: i32) -> String {
    let minutes = i64::from(n_slots) * 60 / i64::from(SLOTS);
    match minutes {
        _ if minutes > 60 && minutes % (24 * 60) == 0 => n_of(minutes / (24 * 60), "day"),
        _ if minutes > 60 && minutes % 60 == 0 => n_of(minutes / 60, "hour"),
        _ => n_of(minutes, "minute"),
    }
}

/// `1 match`, `2 matches`.
pub(super) fn n_matches(n: u64) -> String {
    if n == 1 { "1 match".to_owned() } else { format!("{n} matches") }
}

fn n_of(n: i64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// `at least 10 and fewer than 20`.
pub(super) fn bounds(bounds: &Bounds) -> String {
    let each = bounds.0.iter().map(|(bound, n)| match bound {
        Bound::Less => format!("fewer than {n}"),
        Bound::LessOrEqual => format!("at most {n}"),
        Bound::Greater => format!("more than {n}"),
        Bound::GreaterOrEqual => format!("at least {n}"),
        Bound::Equal => format!("exactly {n}"),
        Bound::NotEqual => format!("any number but {n}"),
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// Whether a count within these bounds stays within them when more comes.
pub(super) fn only_grows(bounds: &Bounds) -> bool {
    bounds.0.iter().all(|(bound, _)| matches!(bound, Bound::Greater | Bound::GreaterOrEqual))
}

/// `"A" and "B"`.
pub(super) fn titles<'t>(titles: impl IntoIterator<Item = &'t str>, between: &str) -> String {
    let titles = titles.into_iter().map(|title| format!("\"{title}\""));
    titles.collect::<Vec<_>>().join(between)
}

impl Watch {
    /// What happened, where the author of the rule does not say it; the entity is the subject. A rule by
    /// itself tells what was called.
    pub(super) fn clause(&self, statistic: &str, apis: &[String]) -> String {
        let titles =
            |between| titles(self.members.iter().map(|(_, title)| title.as_str()), between);
        let within = timespan(self.n_slots);
        match &self.wanted {
            Wanted::One if !apis.is_empty() => {
                format!("called {} (matched {})", apis.join(", "), titles(", "))
            }
            Wanted::One => format!("matched {}", titles(", ")),
            Wanted::Events(wanted) => {
                let (of, told) = (titles(" or "), bounds(wanted));
                format!("had {statistic} of {of} in about {within}, {told} are told")
            }
            Wanted::Values(what, wanted) => {
                let (of, told) = (titles(" or "), bounds(wanted));
                format!(
                    "had {statistic} different values of {what} in matches of {of} in about {within}, {told} are told"
                )
            }
            Wanted::All => format!("matched {} within about {within}", titles(" and ")),
            Wanted::InOrder => format!("matched {} within about {within}", titles(", then ")),
        }
    }
}
