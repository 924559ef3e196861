//! How long a receiver wants to be left alone: the header `retry-after`, in both of its forms (RFC 9110).

use ingest::time::parse_ms;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `retry-after` counts up to this. Unit: milliseconds (1 h).
const AFTER_MS_MAX: i64 = 3_600_000;

/// How long to wait by this header. Unit: milliseconds from now; `now_ms` since the Unix epoch.
pub(super) fn asked_ms(header: Option<&str>, now_ms: i64) -> Option<i64> {
    Some(retry_after_ms(header?, now_ms)?.clamp(0, AFTER_MS_MAX))
}

/// A number of seconds, or a date as `Sun, 06 Nov 1994 08:49:37 GMT`. Unit: milliseconds from now; `now_ms`
/// since the Unix epoch.
fn retry_after_ms(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time.
        return Some(text.parse().unwrap_or(i64::MAX).saturating_mul(1_000));
    }
    Some(http_date_ms(text)?.saturating_sub(now_ms).max(0))
}

/// A date as `Sun, 06 Nov 1994 08:49:37 GMT`. Unit: milliseconds since the Unix epoch.
pub fn http_date_ms(text: &str) -> Option<i64> {
    let words: Vec<_> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|one| *one == month)? + 1;
    parse_ms(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms_are_read_and_nothing_else() {
        let now_ms = parse_ms("1994-11-06T08:49:00Z").unwrap();
        for (text, ms) in [
            ("0", Some(0)),
            (" 120 ", Some(120_000)),
            ("99999999999999999999", Some(i64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37_000)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 36 Nov 1994 08:49:37 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ] {
            assert_eq!(retry_after_ms(text, now_ms), ms, "{text}");
        }
    }
    proptest! {
        #[test]
        fn no_wait_is_negative(
            text in "\\PC{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT",
            now_ms: i64,
        ) {
            prop_assert!(retry_after_ms(&text, now_ms).is_none_or(|ms| ms >= 0));
        }
    }
}
