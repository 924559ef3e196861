//! Tells flow logs from other logs by their content, for files without AWS's names.

use super::{FlowFormat, FlowReader};
use crate::flow::Field;

/// How much of the text is looked at. Unit: bytes.
const SNIFF_BYTES: usize = 16 << 10;

/// Is this the start of a flow log: a header line, a line in AWS's default format, or JSON with
/// flow fields, plain or inside a `CloudWatch` Logs subscription message? Records in a custom
/// format without a header cannot be told.
pub fn looks_like_flow(text: &[u8]) -> bool {
    let text = text.get(..SNIFF_BYTES).unwrap_or(text);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    if text.first() == Some(&b'{') {
        return json(text);
    }
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let mut tokens: Vec<&[u8]> =
        line.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).collect();
    if let &[only] = tokens.as_slice() {
        tokens = only.split(|b| *b == b',').collect();
    }
    if tokens.len() > 1 && FlowFormat::of_header(&tokens).is_some() {
        return true;
    }
    let mut line = line.to_vec();
    line.push(b'\n');
    let counts = FlowReader::default().read(&line, &mut |_| {});
    counts.rows == 1 && counts.bad_rows == 0
}

/// Are two keys of the first object known that only flow logs have, or does a log event's message
/// look like a flow record?
fn json(text: &[u8]) -> bool {
    if let Some(at) = memchr::memmem::find(text, b"\"message\"")
        && memchr::memmem::find(text, b"\"logEvents\"").is_some()
    {
        let rest = text.get(at + b"\"message\"".len()..).unwrap_or_default();
        let value = rest.iter().position(|b| *b == b'"').and_then(|open| rest.get(open + 1..));
        let message = value.unwrap_or_default();
        if message.starts_with(b"{\\\"") {
            let plain: Vec<u8> = message.iter().copied().filter(|b| *b != b'\\').collect();
            return keys(&plain) >= 2;
        }
        let end = message.iter().position(|b| matches!(b, b'"' | b'\\')).unwrap_or(0);
        return looks_like_flow(message.get(..end).unwrap_or_default());
    }
    keys(text) >= 2
}

/// How many of the fields that only flow logs have are keys of the first object.
fn keys(text: &[u8]) -> usize {
    let end = text.iter().position(|b| *b == b'}').unwrap_or(text.len());
    text.get(..end)
        .unwrap_or_default()
        .split(|b| *b == b'"')
        .skip(1)
        .step_by(2)
        .filter_map(Field::of)
        .filter(|field| {
            matches!(
                field,
                Field::InterfaceId
                    | Field::SrcAddr
                    | Field::DstAddr
                    | Field::SrcPort
                    | Field::DstPort
                    | Field::LogStatus
                    | Field::TcpFlags
                    | Field::PktSrcAddr
                    | Field::PktDstAddr
            )
        })
        .count()
}
