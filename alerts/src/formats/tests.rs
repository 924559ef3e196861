mod asff;
mod fields;
mod ocsf;
mod random;
mod schema;

use super::*;
use crate::{escape::is_hidden, sample};
use proptest::prelude::*;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const PLAIN: Style = Style { colour: false, width: 80 };

fn written(format: Format, findings: &[Finding], style: Style) -> String {
    let mut writer = Writer::new(format, Vec::new(), style);
    for finding in findings {
        writer.finding(finding, &sample::inputs()).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn all() -> Vec<Finding> {
    vec![sample::finding("s3-mass-reencryption"), sample::flow(), sample::hostile()]
}

fn lines(findings: &[Finding]) -> Vec<Value> {
    lines_of(Format::JsonLines, findings)
}

fn lines_of(format: Format, findings: &[Finding]) -> Vec<Value> {
    let text = written(format, findings, PLAIN);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_fits_the_schema() {
    for line in lines(&all()) {
        assert_eq!(schema::faults(&line), Vec::<String>::new());
    }
}

#[test]
fn every_detector_can_speak_in_the_schema() {
    let rules = detect::Rules::built_in();
    let each = rules.catalogue().iter().map(|about| sample::finding(&about.id));
    for line in lines(&each.collect::<Vec<_>>()) {
        assert_eq!(schema::faults(&line), Vec::<String>::new(), "{}", line["detector"]);
    }
}

#[test]
fn the_schema_refuses_what_does_not_fit() {
    let good = lines(&all()).remove(0);
    let change = |path: &str, value: Value| {
        let mut line = good.clone();
        *line.pointer_mut(path).unwrap() = value;
        schema::faults(&line)
    };
    assert_eq!(change("/severity/label", "loud".into()).len(), 1);
    assert_eq!(change("/count", "120".into()).len(), 1);
    assert_eq!(change("/inputs", Value::Object(serde_json::Map::new())).len(), 5);
    let mut more = good.clone();
    more["entity"]["extra"] = Value::Null;
    assert_eq!(schema::faults(&more).len(), 1);
}

#[test]
fn fields_come_in_the_order_of_the_schema() {
    let text = written(Format::JsonLines, &all(), PLAIN);
    let names: Vec<_> = schema::properties().collect();
    for line in text.lines() {
        let at = names.iter().map(|name| line.find(&format!("\"{name}\":")).unwrap());
        assert!(at.is_sorted());
    }
    assert!(names.len() > 20);
}

#[test]
fn a_line_says_who_did_what_and_how_sure_that_is() {
    let line = &lines(&all())[0];
    let summary = line["summary"].as_str().unwrap();
    assert!(summary.starts_with("hedda@example.com (AWSReservedSSO_Engineer) wrote 120 objects"));
    assert!(summary.ends_with("usual: never seen."));
    assert_eq!(line["first_seen"], "2026-03-12T14:03:11Z");
    assert_eq!(line["last_seen"], "2026-03-12T14:41:02.250Z");
    assert_eq!(line["day"], "2026-03-12");
    assert_eq!(line["id"], "0000000000000000000000000a1b2c3d");
    assert_eq!(line["event_ids"].as_array().unwrap().len(), 30);
    assert_eq!(line["addresses"]["count"], 30);
    assert_eq!(line["addresses"]["is_complete"], false);
    assert_eq!(line["addresses"]["values"].as_array().unwrap().len(), 20);
    assert_eq!(line["access_keys"]["values"], serde_json::json!(["ASIAIOSFODNN7EXAMPLE"]));
    assert_eq!(line["inputs"]["country_table_date"], "2026-03-01");
    assert_eq!(line["inputs"]["network_table_date"], Value::Null);
    assert_eq!(line["flow"], Value::Null);
    assert_eq!(line["confidence"]["level"], "high");
}

#[test]
fn parts_sum_to_the_score_in_hundredths() {
    for line in lines(&all()) {
        let hundredths = |value: &Value| -> u64 {
            let text = value.to_string();
            let (whole, fraction) = text.split_once('.').unwrap();
            assert!(fraction.len() <= 2, "{text}");
            format!("{whole}{fraction:0<2}").parse().unwrap()
        };
        let parts = line["parts"].as_array().unwrap();
        let sum: u64 = parts.iter().map(|part| hundredths(&part["bits"])).sum();
        assert_eq!(sum, hundredths(&line["bits"]));
    }
}

#[test]
fn the_same_findings_give_the_same_bytes() {
    for &format in Format::ALL {
        assert_eq!(written(format, &all(), PLAIN), written(format, &all(), PLAIN));
    }
}

#[test]
fn json_is_one_array_of_the_same_lines() {
    for findings in [all(), Vec::new()] {
        let array: Value = serde_json::from_str(&written(Format::Json, &findings, PLAIN)).unwrap();
        assert_eq!(array, Value::Array(lines(&findings)));
    }
}

#[test]
fn hostile_text_stays_whole_in_json_and_is_never_obeyed() {
    let text = written(Format::JsonLines, &[sample::hostile()], PLAIN);
    assert_eq!(text.matches(|c: char| is_hidden(c)).collect::<Vec<_>>(), ["\n"]);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["entity"]["key"], &*sample::hostile().entity.key);
}

#[test]
fn hostile_text_breaks_no_line_of_the_table() {
    for width in [0, 40, 80, 200] {
        let style = Style { colour: false, width };
        let text = written(Format::Table, &all(), style);
        for line in text.lines() {
            assert!(line.width() <= width.max(40), "{line}");
            assert!(!line.chars().any(is_hidden), "{line:?}");
        }
        assert!(text.lines().count() < 120);
    }
}

#[test]
fn the_table_reads_well() {
    let text = written(Format::Table, &all()[..2], Style { colour: false, width: 100 });
    let expected = "\
2026-03-12 Thursday (UTC)

CRITICAL  14:03 - 14:41  hedda@example.com (AWSReservedSSO_Engineer), account 111122223333
  S3 objects re-encrypted with a key that the account does not hold
  Wrote 120 objects in 60 minutes to bucket ledger with a key that this account does not hold;
  usual: never seen
  do now: Stop the session first: revoke the credential, then deny `s3:PutObject` with SSE-C by a
  resource control policy. Is versioning on, and is there a lifecycle rule that expires the older
  versions? Restore from versions or backups; the key cannot be had from AWS.
  from 203.0.113.0 and 29 more, key ASIAIOSFODNN7EXAMPLE, in us-west-2
  s3-mass-reencryption, 120 records in 2 clock hours, 37.34 bits, confidence high
  finding 0000000000000000000000000a1b2c3d, first record 0a1b2c3d-0000-0000-0000-000000000000

MEDIUM    14:03 - 14:41  eni-0a1b2c3d, account 111122223333
  Port scan from an interface
  Tried 40 pairs of address and port that did not answer, in 60 minutes; usual: none
  do now: Which process calls? If nobody knows: isolate the interface with an empty security group,
  keep the disk, and look at the instance's role in CloudTrail.
  to 10.0.1.7, ports 22 3389
  port-scan, 120 records in 2 clock hours, 37.34 bits, confidence low
  finding 0000000000000000000000000a1b2c3d

2 findings: 1 critical, 1 medium
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn colour_adds_only_what_a_terminal_takes_away() {
    let coloured = written(Format::Table, &all(), Style { colour: true, width: 80 });
    assert!(coloured.contains("\u{1b}[1m"));
    let mut plain = String::new();
    for (n, piece) in coloured.split('\u{1b}').enumerate() {
        plain.push_str(if n == 0 { piece } else { piece.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, written(Format::Table, &all(), PLAIN));
}

#[test]
fn nothing_found_is_said_in_every_form() {
    assert_eq!(written(Format::Table, &[], PLAIN), "no findings\n");
    assert_eq!(written(Format::Json, &[], PLAIN), "[]\n");
    for lines in [Format::JsonLines, Format::Asff, Format::Ocsf] {
        assert_eq!(written(lines, &[], PLAIN), "");
    }
    assert!(written(Format::Csv, &[], PLAIN).starts_with("id,detector,"));
}

#[test]
fn csv_has_one_line_a_finding_and_computes_nothing() {
    let text = written(Format::Csv, &all(), PLAIN);
    let rows: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 1 + all().len());
    assert!(!text.replace("\r\n", "").chars().any(is_hidden));
    for row in rows {
        let cells = cells(row);
        assert_eq!(cells.len(), 34);
        let computed = |cell: &String| cell.starts_with(['=', '+', '-', '@']);
        assert!(!cells.iter().any(computed), "{cells:?}");
    }
}

/// The cells of a line as RFC 4180 has them.
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for (n, piece) in row.split('"').enumerate() {
        if n > 0 {
            quoted = !quoted;
            if quoted && !cell.is_empty() {
                cell.push('"');
            }
        }
        if quoted {
            cell.push_str(piece);
            continue;
        }
        for (n, plain) in piece.split(',').enumerate() {
            if n > 0 {
                cells.push(std::mem::take(&mut cell));
            }
            cell.push_str(plain);
        }
    }
    cells.push(cell);
    cells
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_of_a_log_is_written(text in any::<String>(), width in 0_usize..120) {
        let mut finding = sample::hostile();
        finding.entity.key = text.as_str().into();
        finding.summary.clone_from(&text);
        finding.targets = vec![text.clone()];
        let line = &lines(std::slice::from_ref(&finding))[0];
        prop_assert_eq!(schema::faults(line), Vec::<String>::new());
        prop_assert_eq!(&line["targets"][0], &text);
        let findings = [finding];
        let table = written(Format::Table, &findings, Style { colour: false, width });
        prop_assert!(table.lines().all(|line| line.width() <= width.max(40)));
        let csv = written(Format::Csv, &findings, PLAIN);
        prop_assert_eq!(csv.matches("\r\n").count(), 2);
    }
}
