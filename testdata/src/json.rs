//! JSON whose keys stay in the order they were written: AWS has an order of its own, and readers
//! that stop early depend on it.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value; an object is a list of pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number; the logs written here need no other.
    Number(i64),
    /// A string, escaped when written.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object in the order given.
    Object(Vec<(&'static str, Json)>),
}

impl Json {
    /// The text in one line, without spaces, as AWS writes it.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_i64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(values) => serializer.collect_seq(values),
            Self::Object(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Self {
        Self::List(values)
    }
}

/// An object: `object! { "bucketName": bucket, "acl": "" }`.
#[macro_export]
macro_rules! object {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::json::Json::Object(vec![$(($key, $crate::json::Json::from($value))),*])
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_texts_are_escaped() {
        let value = object! {
            "z": 1, "a": object! { "y": "say \"no\"", "b": Json::Null }, "m": vec![Json::Bool(true)],
        };
        assert_eq!(value.line().unwrap(), r#"{"z":1,"a":{"y":"say \"no\"","b":null},"m":[true]}"#);
    }
}
