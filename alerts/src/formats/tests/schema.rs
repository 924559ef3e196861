//! As much of JSON Schema as `docs/finding.schema.json` uses; another keyword fails the test.

use serde_json::{Map, Value};
use std::sync::LazyLock;

const KEYWORDS: &[&str] = &[
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "enum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "minimum",
    "maximum",
    "maxItems",
    "pattern",
];

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../docs/finding.schema.json")).unwrap()
});

pub(super) fn properties() -> impl Iterator<Item = String> {
    let schema = &*SCHEMA;
    let required: Vec<_> = schema["required"].as_array().unwrap().clone();
    assert_eq!(required.len(), schema["properties"].as_object().unwrap().len());
    required.into_iter().map(|name| name.as_str().unwrap().to_owned())
}

/// What about `line` does not fit.
pub(super) fn faults(line: &Value) -> Vec<String> {
    let root = &*SCHEMA;
    let mut faults = Vec::new();
    check(root, root, line, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let rules = schema.as_object().unwrap();
    for (keyword, rule) in rules {
        assert!(KEYWORDS.contains(&keyword.as_str()), "unknown keyword {keyword}");
        let fits = match keyword.as_str() {
            "type" => match rule {
                Value::Array(types) => types.iter().any(|name| is_type(value, name)),
                name => is_type(value, name),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            "maxItems" => {
                value.as_array().is_none_or(|all| all.len() as u64 <= rule.as_u64().unwrap())
            }
            "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| {
                let mut inner = Vec::new();
                check(root, one, value, at, &mut inner);
                inner.is_empty()
            }),
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, at, faults);
                true
            }
            _ => true,
        };
        if !fits {
            faults.push(format!("{at}: {value} does not fit {keyword} {rule}"));
        }
    }
    match value {
        Value::Object(fields) => check_fields(root, rules, fields, at, faults),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                if let Some(rule) = rules.get("items") {
                    check(root, rule, item, &format!("{at}/{n}"), faults);
                }
            }
        }
        _ => {}
    }
}

fn check_fields(
    root: &Value,
    rules: &Map<String, Value>,
    fields: &Map<String, Value>,
    at: &str,
    faults: &mut Vec<String>,
) {
    let Some(properties) = rules.get("properties") else { return };
    assert_eq!(rules["additionalProperties"], false, "{at}");
    for name in rules["required"].as_array().unwrap() {
        if !fields.contains_key(name.as_str().unwrap()) {
            faults.push(format!("{at}: no {name}"));
        }
    }
    for (name, value) in fields {
        match properties.get(name) {
            Some(rule) => check(root, rule, value, &format!("{at}/{name}"), faults),
            None => faults.push(format!("{at}/{name} is not in the schema")),
        }
    }
}

fn is_type(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}

/// The patterns of the schema are shapes of digits: `9` for a digit, `f` for a hexadecimal one.
fn matches(pattern: &str, text: &str) -> bool {
    let shapes: &[&str] = match pattern {
        "^[0-9a-f]{32}$" => &["ffffffffffffffffffffffffffffffff"],
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => &["9999-99-99"],
        "^T[0-9]{4}(\\.[0-9]{3})?$" => &["T9999", "T9999.999"],
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?Z$" => {
            &["9999-99-99T99:99:99Z", "9999-99-99T99:99:99.999Z"]
        }
        other => panic!("unknown pattern {other}"),
    };
    shapes.iter().any(|shape| {
        shape.len() == text.len()
            && shape.chars().zip(text.chars()).all(|(shape, c)| match shape {
                '9' => c.is_ascii_digit(),
                'f' => matches!(c, '0'..='9' | 'a'..='f'),
                same => same == c,
            })
    })
}
