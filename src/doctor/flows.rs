//! The format of flow logs: which fields the newest object has, and what it costs that others are missing. In: an object. Out:
//! a check.

use super::{
    logs::Found,
    report::{Report, State},
};
use crate::aws::{Aws, BucketPath};
use anyhow::{Result, anyhow};
use ingest::{
    decode::{Limits, gunzip},
    flowlog::{FlowFormat, FlowReader},
    parquet::{Parquet, is_parquet},
    source::s3::S3Object,
};
use std::collections::BTreeSet;

/// A larger object is not read for its header alone. Unit: bytes.
pub(super) const OBJECT_BYTES_MAX: u64 = 32 << 20;
/// The same of its content. Unit: bytes.
const INFLATED_BYTES_MAX: usize = 512 << 20;

/// Fields without which flow logs say nothing.
const NEEDED: [&str; 11] = [
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
];

/// Fields that say more, and what it costs that they are missing.
const BETTER: [(&str, &str); 3] = [
    ("tcp-flags", "who opened a connection, and how many, is worked out from ports and packets"),
    ("flow-direction", "which side is the interface's is worked out from addresses"),
    ("encryption-status", "encryption-fallback is silent"),
];

/// Looks at the newest object of flow logs.
pub(super) fn examine(
    (aws, at): (&Aws, &BucketPath),
    found: &Found,
    given: Option<&FlowFormat>,
    report: &mut Report,
) {
    let url = format!("s3://{}/{}", at.bucket, found.key);
    let (subject, tried) = (("flow-format", url.as_str()), "reading the newest object");
    if found.bytes > OBJECT_BYTES_MAX {
        let what = format!("it has {} bytes, of {OBJECT_BYTES_MAX} that are read", found.bytes);
        report.note(subject, State::Unknown, tried, what);
        return;
    }
    let (bucket, key) = (at.bucket.as_str().into(), found.key.as_str().into());
    let object = S3Object { bucket, key, version_id: None, etag: None };
    let names = aws.get(&object).and_then(|bytes| fields(&bytes, given));
    let names = match names {
        Ok(names) => names,
        Err(error) => {
            report.note(subject, State::Unknown, tried, format!("{error:#}"));
            return;
        }
    };
    let is_missing = |name: &&str| !names.contains(*name);
    let needed: Vec<_> = NEEDED.into_iter().filter(is_missing).collect();
    let better: Vec<_> = BETTER.into_iter().filter(|(name, _)| is_missing(name)).collect();
    if !needed.is_empty() {
        let what = format!("no {}: without them nothing can be judged", needed.join(", "));
        let check = report.note(subject, State::Fault, tried, what);
        check.mend("create the flow log anew with these fields");
        return;
    }
    let costs: Vec<_> = better.iter().map(|(name, cost)| format!("no {name}: {cost}")).collect();
    let what = if costs.is_empty() {
        "it has every field that is used".to_owned()
    } else {
        format!("it has what is needed, but {}", costs.join("; "))
    };
    report.note(subject, State::Ok, tried, what);
}

/// Names of the fields, as AWS writes them.
fn fields(bytes: &[u8], given: Option<&FlowFormat>) -> Result<BTreeSet<String>> {
    let mut reader = FlowReader::new(given.cloned());
    if is_parquet(bytes) {
        let object = Parquet::open(bytes, &Limits::default())?;
        reader.check_parquet(&object)?;
    } else {
        let text = gunzip(bytes, INFLATED_BYTES_MAX)?;
        // The first line says what the others hold.
        let first: Vec<u8> = text.iter().take_while(|byte| **byte != b'\n').copied().collect();
        if first.is_empty() {
            return Err(anyhow!("it is empty (expected a header line)"));
        }
        reader.push(&first, &mut |_| {});
        reader.finish(&mut |_| {});
    }
    Ok(reader.format().names().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_the_fields() {
        let names = fields(b"version interface-id tcp-flags\n2 eni-1 2\n", None).unwrap();
        let expected = ["version", "interface-id", "tcp-flags"].map(str::to_owned);
        assert_eq!(names, expected.into());
        // Without one it is the default of AWS.
        let text = b"2 111122223333 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 1 1 1 ACCEPT OK\n";
        assert!(fields(text, None).unwrap().contains("srcaddr"));
        let given = FlowFormat::parse("interface-id pkt-srcaddr").unwrap();
        assert!(fields(b"eni-1 10.0.0.1\n", Some(&given)).unwrap().contains("pkt-srcaddr"));
        assert!(fields(b"", None).is_err());
    }
}
