//! How sure a finding is: how much history stood behind the judgement.

use baseline::Bits;
use serde::Serialize;

/// From so many days of own history on, confidence is high: a week holds every weekday once.
/// Unit: days.
const OWN_DAYS_HIGH: u32 = 7;

/// How much history a finding rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Confidence {
    /// `low` without any history, `medium` below [`OWN_DAYS_HIGH`] own days, else `high`.
    pub(crate) level: &'static str,
    /// Days of the entity's own profile.
    pub(crate) own_days: u32,
    /// Days of its group's profile.
    pub(crate) group_days: u32,
    /// The same in words.
    pub(crate) note: String,
}

impl Confidence {
    /// Of the days of the entity's own history, and of its group's, and what a finding carries: where it carries bits
    /// without any history, they are those of a pattern, as of a beacon, and no floor decided.
    pub(crate) fn of((own_days, group_days): (u32, u32), bits: Bits) -> Self {
        let days = |n: u32| if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
        let (level, note) = match (own_days, group_days) {
            (0, 0) if bits > Bits::ZERO => {
                let note = "nobody has history yet: what is unusual is the pattern itself";
                ("low", note.to_owned())
            }
            (0, 0) => ("low", "nobody has history yet, so fixed floors decide".to_owned()),
            (0, group) => {
                ("medium", format!("no history of its own; judged by {} of its group", days(group)))
            }
            (own, 0) => (level(own), format!("judged by {} of its own history", days(own))),
            (own, group) => (
                level(own),
                format!(
                    "judged by {} of its own history and {} of its group",
                    days(own),
                    days(group)
                ),
            ),
        };
        Self { level, own_days, group_days, note }
    }

    /// The level as a number from 1 to 3.
    pub(crate) fn step(&self) -> u8 {
        match self.level {
            "low" => 1,
            "medium" => 2,
            _ => 3,
        }
    }

    /// The level on a scale of 0 to 100: the middle of its third, since no more is known.
    pub(crate) fn score(&self) -> u8 {
        match self.step() {
            1 => 17,
            2 => 50,
            _ => 83,
        }
    }
}

fn level(own_days: u32) -> &'static str {
    if own_days < OWN_DAYS_HIGH { "medium" } else { "high" }
}

#[cfg(test)]
mod tests {
    use super::Confidence;
    use baseline::Bits;

    #[test]
    fn confidence_grows_with_own_history() {
        for (days, level, words) in [
            ((0, 0), "low", "nobody has history yet"),
            ((0, 30), "medium", "30 days of its group"),
            ((1, 0), "medium", "1 day of its own history"),
            ((6, 30), "medium", "6 days of its own history and 30 days of its group"),
            ((7, 0), "high", "7 days of its own"),
        ] {
            let confidence = Confidence::of(days, Bits::ZERO);
            assert_eq!(confidence.level, level);
            assert!(confidence.note.contains(words), "{}", confidence.note);
        }
    }

    #[test]
    fn no_floor_decides_about_a_pattern() {
        let note = |days, bits| Confidence::of(days, Bits::of(bits)).note;
        assert!(note((0, 0), 0.0).ends_with("so fixed floors decide"));
        assert!(note((0, 0), 44.0).ends_with("what is unusual is the pattern itself"));
        assert_eq!(note((1, 0), 44.0), note((1, 0), 0.0));
    }

    #[test]
    fn every_level_has_a_number() {
        for (days, numbers) in [((0, 0), (1, 17)), ((0, 30), (2, 50)), ((7, 0), (3, 83))] {
            let confidence = Confidence::of(days, Bits::ZERO);
            assert_eq!((confidence.step(), confidence.score()), numbers);
        }
    }
}
