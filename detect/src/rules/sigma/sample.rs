//! Table `tests`: records that a rule must fire on or must not, turned into JSON.

use super::{
    Line, Sample,
    table::{Faults, Table, items, shown, text, wrong},
};
use crate::rules::yaml::{Fault, Kind, Node, Scalar, Value};
use std::fmt::Write;

pub(super) fn read(node: &Node, faults: &mut Faults) -> Option<Vec<Sample>> {
    let table = faults.keep(Table::of(node, "tests"))?;
    faults.keep(table.only(&["fires", "quiet"]));
    let mut samples = Vec::new();
    for (key, fires) in [("fires", true), ("quiet", false)] {
        let Some(node) = table.get(key) else { continue };
        for node in faults.keep(items(node, key)).unwrap_or_default() {
            samples.extend(faults.keep(sample(node, fires)));
        }
    }
    Some(samples)
}

fn sample(node: &Node, fires: bool) -> Result<Sample, Fault> {
    let table = Table::of(node, "test")?;
    table.only(&["name", "record", "records"])?;
    let name = text(table.required("name")?, "name")?.to_owned();
    let records = match (table.get("record"), table.get("records")) {
        (Some(node), None) => vec![record(node)?],
        (None, Some(node)) => match &node.kind {
            Kind::Sequence(_) => {
                items(node, "records")?.iter().map(record).collect::<Result<_, _>>()?
            }
            _ => return Err(wrong(node, "records", "a list, or \"record\" for one")),
        },
        _ => {
            let what = "test with neither or both of \"record\" and \"records\" (expected one)";
            return Err(Fault::new(node.line, what));
        }
    };
    Ok(Sample { line: table.line, name, fires, records })
}

/// A record as JSON: a mapping, or what is JSON already.
fn record(node: &Node) -> Result<String, Fault> {
    let mut json = String::new();
    match &node.kind {
        Kind::Mapping(_) => write_value(&mut json, node)?,
        Kind::Scalar(Scalar { text, value: Value::Text }) if text.trim().starts_with('{') => {
            json.push_str(text.trim());
        }
        _ => return Err(wrong(node, "record", "a mapping, or a text that is a JSON object")),
    }
    Ok(json)
}

fn write_value(json: &mut String, node: &Node) -> Result<(), Fault> {
    match &node.kind {
        Kind::Scalar(scalar) => write_scalar(json, node.line, scalar),
        Kind::Sequence(nodes) => {
            json.push('[');
            for (n, node) in nodes.iter().enumerate() {
                json.push_str(if n > 0 { "," } else { "" });
                write_value(json, node)?;
            }
            json.push(']');
            Ok(())
        }
        Kind::Mapping(entries) => {
            json.push('{');
            for (n, (key, node)) in entries.iter().enumerate() {
                json.push_str(if n > 0 { "," } else { "" });
                write_text(json, &key.text);
                json.push(':');
                write_value(json, node)?;
            }
            json.push('}');
            Ok(())
        }
    }
}

fn write_scalar(json: &mut String, line: Line, scalar: &Scalar) -> Result<(), Fault> {
    match scalar.value {
        Value::Null => json.push_str("null"),
        Value::Bool(true) => json.push_str("true"),
        Value::Bool(false) => json.push_str("false"),
        Value::Text => write_text(json, &scalar.text),
        Value::Int(_) | Value::Float(_) => {
            if !is_json_number(&scalar.text) {
                let what = format!("number {} (expected quotes around it)", shown(&scalar.text));
                return Err(Fault::new(line, what));
            }
            json.push_str(&scalar.text);
        }
    }
    Ok(())
}

/// Of what YAML takes for a number, what JSON does too. `012` and `.5` are not.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, _) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (mantissa, None),
    };
    let is_digit = |byte: u8| byte.is_ascii_digit();
    let starts_well = whole == "0" || !whole.starts_with('0');
    let is_whole = !whole.is_empty() && whole.bytes().all(is_digit);
    starts_well
        && is_whole
        && part.is_none_or(|part| !part.is_empty() && part.bytes().all(is_digit))
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                // Writing to a text does not fail.
                write!(json, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}
