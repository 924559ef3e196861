//! When a message that failed is sent again: the schedule of Standard Webhooks 1.0.0.

use baseline::stable_hash;

const S_MS: i64 = 1_000;
const MIN_MS: i64 = 60 * S_MS;
const H_MS: i64 = 60 * MIN_MS;

/// How long to wait before the first attempt, the second, and so on; who failed the last is dead. Unit:
/// milliseconds.
pub(super) const WAITS_MS: [i64; 10] = [
    0,
    5 * S_MS,
    5 * MIN_MS,
    30 * MIN_MS,
    2 * H_MS,
    5 * H_MS,
    10 * H_MS,
    14 * H_MS,
    20 * H_MS,
    24 * H_MS,
];

/// So much of a wait may come on top, so that messages do not all come back at once. Unit: 1/n of the wait.
const JITTER_SHARE: i64 = 10;

/// When to send a message again of which `attempts` failed, the last one now; `None` when that was the
/// last. `after_ms` is how long the sink wants to be left alone. Unit: milliseconds since the Unix epoch.
///
/// The jitter comes of the message and the attempt: equal whoever works it out.
pub(crate) fn next_due(id: &str, attempts: u32, now_ms: i64, after_ms: Option<i64>) -> Option<i64> {
    let wait_ms = *WAITS_MS.get(usize::try_from(attempts).ok()?)?;
    let hash = stable_hash(&[id.as_bytes(), &attempts.to_le_bytes()]);
    let most = wait_ms / JITTER_SHARE + 1;
    let jitter_ms = i64::try_from(hash % u128::from(most.unsigned_abs())).unwrap_or_default();
    Some(now_ms.saturating_add((wait_ms + jitter_ms).max(after_ms.unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_follow_the_schedule_and_end() {
        let mut total = 0;
        for (attempts, wait) in (0..).zip(WAITS_MS) {
            let due = next_due("msg_1", attempts, 1_000, None).unwrap() - 1_000;
            assert!((wait..=wait + wait / 10).contains(&due), "{attempts}: {due}");
            total += wait;
        }
        // The sum that the specification's table gives.
        assert_eq!(total / MIN_MS, 75 * 60 + 35);
        assert_eq!(next_due("msg_1", 10, 0, None), None);
        assert_eq!(next_due("msg_1", u32::MAX, 0, None), None);
    }

    #[test]
    fn jitter_tells_messages_and_attempts_apart_and_nothing_else() {
        let of = |id: &str| next_due(id, 4, 0, None).unwrap();
        assert_eq!(of("msg_1"), of("msg_1"));
        let all: std::collections::BTreeSet<_> =
            (0..100).map(|n| of(&format!("msg_{n}"))).collect();
        assert!(all.len() > 95, "{}", all.len());
        let spread = all.last().unwrap() - all.first().unwrap();
        assert!(spread > H_MS / 10, "{spread}");
    }

    #[test]
    fn the_longer_of_schedule_and_wish_counts() {
        assert_eq!(next_due("msg_1", 1, 10, Some(90_000)), Some(90_010));
        assert!(next_due("msg_1", 2, 10, Some(1)).unwrap() >= 5 * MIN_MS);
    }
}
