mod asff;
mod fields;
mod ocsf;
pub(crate) mod random;
mod schema;

use super::*;
use crate::{escape::is_hidden, sample};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const PLAIN: Style = Style { colour: false, width: 80 };

fn written(format: Format, findings: &[Finding], style: Style) -> String {
    written_in(style, format, findings, &sample::inputs())
}

fn written_in(style: Style, format: Format, findings: &[Finding], inputs: &Inputs) -> String {
    let mut writer = Writer::new(format, Vec::new(), style);
    for finding in findings {
        writer.finding(finding, inputs).unwrap();
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
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut chars = row.chars().peekable();
    loop {
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next().unwrap() {
                    '"' if chars.next_if_eq(&'"').is_none() => break,
                    c => cell.push(c),
                }
            }
        } else {
            cell.extend(std::iter::from_fn(|| chars.next_if(|c| *c != ',')));
            assert!(!cell.contains('"'), "a quote in what is not quoted: {cell}");
        }
        cells.push(std::mem::take(&mut cell));
        match chars.next() {
            Some(c) => assert_eq!(c, ',', "behind {:?}", cells.last()),
            None => return cells,
        }
    }
}

/// Whether a spreadsheet would compute a cell, whatever blanks and quotes it takes for none.
fn is_computed(cell: &str) -> bool {
    cell.trim_start_matches([' ', '"']).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

/// Whether a line holds what the finding says, as the schema has it.
fn check_json(text: &str, finding: &Finding) {
    let line: Value = serde_json::from_str(text).unwrap();
    assert_eq!(schema::faults(&line), Vec::<String>::new());
    assert_eq!(line["entity"]["key"], *finding.entity.key);
    assert_eq!(line["targets"], serde_json::json!(finding.targets));
}

/// Whether a line has its cells, of which no program computes any: neither one that takes `,` for the end of a cell
/// nor one that takes `;`, as those of many countries do, to which our quotes stand amid a cell.
fn check_csv(text: &str) {
    let rows: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!((rows.len(), text.matches('\n').count()), (2, 2));
    let cells = cells(rows[1]);
    assert_eq!(cells.len(), 34);
    assert_eq!(cells.iter().find(|cell| is_computed(cell)), None);
    assert_eq!(rows[1].split(';').find(|cell| is_computed(cell)), None);
}

/// Whether no line is wider than it may be, and none begins but those that always do.
fn check_lines(text: &str, (width, begins): (usize, &[&str])) {
    for line in text.lines() {
        let is_own = begins.iter().any(|begin| line.starts_with(begin));
        assert!(line.is_empty() || is_own || line.starts_with("  "), "{line:?}");
        assert!(line.width() <= width, "{line:?}");
    }
}

/// Beginnings of lines of the table, and of what is told of one finding.
const BEGINS: &[&str] =
    &["LOW  ", "MEDIUM  ", "HIGH  ", "CRITICAL  ", "2026-03-12 Thursday", "1 finding: "];
const HEADINGS: &[&str] = &[
    "finding ",
    "Where the bits come from",
    "How much is known",
    "What would have kept it quiet",
    "First records, ",
    "To hear less of it, one of these in the configuration",
    "To be told nothing of the like, in the file of suppressions",
    "To make it again",
];

/// Whether every form of a finding is what it says, and nothing of it is obeyed by whoever reads it.
pub(crate) fn check(kept: &Kept, width: usize) {
    let Kept { finding, run, .. } = kept;
    let style = Style { colour: false, width };
    for &format in Format::ALL {
        let text = written_in(style, format, std::slice::from_ref(finding), &run.inputs);
        let is_csv = format == Format::Csv;
        assert_eq!(
            text.chars().find(|c| is_obeyed(*c) && !(is_csv && *c == '\r')),
            None,
            "{text:?}"
        );
        match format {
            Format::Table => check_lines(&text, (width.max(40), BEGINS)),
            Format::Json => assert_eq!(text.matches('\n').count(), 3),
            Format::JsonLines => check_json(&text, finding),
            Format::Csv => check_csv(&text),
            Format::Asff => asff::check(&text, finding, &run.inputs),
            Format::Ocsf => ocsf::check(&text, finding),
        }
    }
    for is_explained in [true, false] {
        let mut out = Vec::new();
        if is_explained {
            explain(kept, baseline::Day(0), PLAIN, &mut out).unwrap();
        } else {
            show(kept, PLAIN, &mut out).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains(is_obeyed), "{text:?}");
        check_lines(&text, (usize::MAX, &[BEGINS, HEADINGS].concat()));
    }
}

/// What a terminal would obey or hide, whatever the program takes for such, but for the end of a line.
pub(crate) fn is_obeyed(c: char) -> bool {
    let is_format = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    );
    c != '\n' && (c.is_control() || is_format || is_hidden(c))
}
