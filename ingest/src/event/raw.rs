//! Looking into a JSON value that was only cut out so far. A value that turns out to be damaged
//! reads as far as it is whole.

use crate::event::{Raw, Text};
use crate::json;

impl<'a> Raw<'a> {
    /// The value where it is a string. It was cut out where its string ends, so that nobody has to
    /// look for the end again.
    #[inline]
    pub fn text(self) -> Option<Text<'a>> {
        self.0.trim_ascii().strip_prefix('"')?.strip_suffix('"').map(Text)
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.0.trim_ascii() == "null"
    }

    /// The value where it is `true` or `false`, as a literal or as a string.
    pub fn bool(self) -> Option<bool> {
        match self.0.trim_ascii() {
            "true" | "\"true\"" => Some(true),
            "false" | "\"false\"" => Some(false),
            _ => None,
        }
    }

    /// The value where it is a whole number, as a literal or as a string.
    pub fn integer(self) -> Option<i64> {
        let digits = match self.text() {
            Some(text) => text.0,
            None => self.0.trim_ascii(),
        };
        if let Ok(integer) = digits.parse() {
            return Some(integer);
        }
        whole(digits)
    }

    /// The member called `key`; the last one where there are several.
    pub fn get(self, key: &str) -> Option<Raw<'a>> {
        let [value] = self.members([key]);
        value
    }

    /// The members called `keys`, found in one pass; the last ones where there are several.
    pub fn members<const N: usize>(self, keys: [&str; N]) -> [Option<Raw<'a>>; N] {
        let mut found = [None; N];
        for (name, value) in self.entries() {
            for (key, found) in keys.iter().zip(&mut found) {
                if name.is(key) {
                    *found = Some(value);
                }
            }
        }
        found
    }

    /// The value at the end of `keys`, one [`get`](Self::get) after the other.
    pub fn path(self, keys: &[&str]) -> Option<Raw<'a>> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The members of an object in the order of the log; nothing for any other value.
    pub fn entries(self) -> Entries<'a> {
        Entries(Members::of(self.0, b'{'))
    }

    /// One or many: the elements of an array, nothing for `null`, any other value itself.
    pub fn each(self) -> Each<'a> {
        let members = Members::of(self.0, b'[');
        let alone = (members.at.is_none() && !self.is_null()).then_some(self);
        Each { members, alone }
    }
}

/// A number in another spelling, such as `1e3` or `5.0`.
fn whole(digits: &str) -> Option<i64> {
    /// Unit: one; 2^53, up to which every whole f64 is exact.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let number: f64 = digits.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    (number.abs() <= EXACT_MAX && number.fract() == 0.0).then_some(number as i64)
}

/// The members of an object; see [`Raw::entries`].
#[derive(Debug, Clone)]
pub struct Entries<'a>(Members<'a>);

impl<'a> Iterator for Entries<'a> {
    type Item = (Text<'a>, Raw<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (text, at) = (self.0.text, self.0.begin()?);
        let key_at = at + 1;
        let key_end = json::string_end(text.as_bytes(), key_at).ok()?;
        let colon = json::skip_space(text.as_bytes(), key_end + 1);
        if [at, colon].map(|at| json::byte(text.as_bytes(), at)) != [b'"', b':'] {
            return None;
        }
        let key = text.get(key_at..key_end)?;
        let value = self.0.value(json::skip_space(text.as_bytes(), colon + 1))?;
        Some((Text(key), Raw(value)))
    }
}

/// The elements of a value that may be one or many; see [`Raw::each`].
#[derive(Debug, Clone)]
pub struct Each<'a> {
    members: Members<'a>,
    alone: Option<Raw<'a>>,
}

impl<'a> Iterator for Each<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(alone) = self.alone.take() {
            return Some(alone);
        }
        let at = self.members.begin()?;
        self.members.value(at).map(Raw)
    }
}

/// The inside of a container, read value by value.
#[derive(Debug, Clone)]
struct Members<'a> {
    text: &'a str,
    /// Where the last value ended; `None` once something unexpected was met.
    at: Option<usize>,
    first: bool,
}

impl<'a> Members<'a> {
    fn of(container: &'a str, open: u8) -> Self {
        let at = json::skip_space(container.as_bytes(), 0);
        let at = (json::byte(container.as_bytes(), at) == open).then_some(at + 1);
        Self { text: container, at, first: true }
    }

    /// Where the next member or element begins: after a comma, unless it is the first.
    #[inline]
    fn begin(&mut self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let at = json::skip_space(bytes, self.at.take()?);
        if std::mem::take(&mut self.first) {
            return Some(at);
        }
        (json::byte(bytes, at) == b',').then(|| json::skip_space(bytes, at + 1))
    }

    /// The value that begins at `at`.
    #[inline]
    fn value(&mut self, at: usize) -> Option<&'a str> {
        let end = json::value_end(self.text.as_bytes(), at).ok()?;
        self.at = Some(end);
        self.text.get(at..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scalars_read_in_every_spelling() {
        assert_eq!(Raw(r#" "a\"b" "#).text(), Some(Text(r#"a\"b"#)));
        assert_eq!(Raw("5").text(), None);
        for (raw, integer) in [
            ("5", Some(5)),
            (r#""-7""#, Some(-7)),
            ("1e3", Some(1000)),
            ("5.0", Some(5)),
            ("5.5", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("1e300", None),
            ("true", None),
        ] {
            assert_eq!(Raw(raw).integer(), integer, "{raw}");
        }
        assert_eq!(Raw(r#""true""#).bool(), Some(true));
        assert_eq!(Raw("false").bool(), Some(false));
        assert_eq!(Raw("1").bool(), None);
        assert!(Raw(" null").is_null());
    }

    #[test]
    fn members_are_found_by_key_and_path() {
        let raw = Raw(r#"{ "a" : {"b": [1, {"c": "x"}]} , "n": 1, "\u006e": 2 }"#);
        assert_eq!(raw.path(&["a", "b"]), Some(Raw(r#"[1, {"c": "x"}]"#)));
        assert_eq!(raw.get("n").and_then(Raw::integer), Some(2));
        assert_eq!(raw.path(&["a", "missing", "b"]), None);
        assert_eq!(raw.members(["n", "z", "n"]), [Some(Raw("2")), None, Some(Raw("2"))]);
        assert_eq!(Raw("[1]").get("a"), None);
        assert_eq!(Raw("{}").entries().count(), 0);
    }

    #[test]
    fn one_or_many_reads_alike() {
        let values = |raw| Raw(raw).each().map(|value| value.0).collect::<Vec<_>>();
        assert_eq!(values("[1, [2] ,{}]"), ["1", "[2]", "{}"]);
        assert_eq!(values(r#"{"a":1}"#), [r#"{"a":1}"#]);
        assert_eq!(values("7"), ["7"]);
        assert!(values("[]").is_empty());
        assert!(values(" null ").is_empty());
    }

    #[test]
    fn a_damaged_value_reads_as_far_as_it_is_whole() {
        let keys = |raw| Raw(raw).entries().map(|(key, _)| key.0).collect::<Vec<_>>();
        assert_eq!(keys(r#"{"a":1,"b":"#), ["a"]);
        assert_eq!(keys(r#"{"a":1;"b":2}"#), ["a"]);
        assert_eq!(keys(r#"{"a":1,,"b":2}"#), ["a"]);
        assert_eq!(Raw("[1,2").each().count(), 2);
        let bomb = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(Raw(&bomb).get("a"), None);
    }

    proptest! {
        #[test]
        fn objects_read_as_serde_reads_them(
            members in proptest::collection::btree_map(any::<String>(), any::<(String, i64)>(), 0..6)
        ) {
            let object = serde_json::json!(members);
            let text = serde_json::to_string_pretty(&object).unwrap();
            for (key, (name, number)) in &members {
                let mut pair = Raw(&text).get(key).unwrap().each();
                prop_assert_eq!(pair.next().and_then(Raw::text).unwrap().get(), name.as_str());
                prop_assert_eq!(pair.next().and_then(Raw::integer), Some(*number));
            }
            prop_assert_eq!(Raw(&text).entries().count(), members.len());
        }

        #[test]
        fn any_text_is_answered(text in r#"[\[\]{}"\\a,: 0-9é]{0,80}"#) {
            let _ = (Raw(&text).entries().count(), Raw(&text).each().count());
            let _ = (Raw(&text).text(), Raw(&text).integer(), Raw(&text).bool());
        }
    }
}
