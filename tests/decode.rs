//! `sentrail decode`: one row per record, whatever it was wrapped or packed in.

use crate::support::{gzip, run, run_on, run_unread, text, zstd};
use serde_json::{Value, json};
use std::fs;

const RECORD: &str = r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEWANDA","arn":"arn:aws:iam::111122223333:user/wanda","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEWANDA","userName":"wanda"},"eventTime":"2026-01-05T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.0 \u00e9","errorCode":"AccessDenied","eventID":"6f0c7e0a-1111-4222-8333-944455556666","eventType":"AwsApiCall","recipientAccountId":"111122223333"}"#;

fn row() -> Value {
    json!({
        "event_time": "2026-01-05T10:00:00Z",
        "event_source": "s3.amazonaws.com",
        "event_name": "GetObject",
        "region": "eu-west-1",
        "source_ip": "192.0.2.7",
        "user_agent": "aws-cli/2.0 \u{e9}",
        "identity_type": "IAMUser",
        "identity_arn": "arn:aws:iam::111122223333:user/wanda",
        "account": "111122223333",
        "event_id": "6f0c7e0a-1111-4222-8333-944455556666",
        "event_type": "AwsApiCall",
        "outcome": "failure",
        "error_code": "AccessDenied",
        "invoked_by": null,
        "user_name": "wanda",
        "principal_id": "AIDAEXAMPLEWANDA",
        "access_key": "AKIAEXAMPLEWANDA",
    })
}

/// Decodes `input` twice, told what it is and not told, and compares both with `rows`.
#[track_caller]
fn check(kind: &str, input: &[u8], rows: &[Value]) {
    for arguments in [&["decode", "-"][..], &["decode", "--as", kind, "-"]] {
        let ended = run_on(input, arguments);
        assert_eq!(ended.ends(0).rows(), rows, "{arguments:?} {}", ended.err);
    }
}

/// Decodes `input` as `kind` and compares code, number of rows and words of one complaint.
#[track_caller]
fn check_bad(kind: &str, input: &[u8], (code, n_rows): (i32, usize), words: &[&str]) {
    let ended = run_on(input, &["decode", "--as", kind, "-"]);
    assert_eq!(ended.ends(code).rows().len(), n_rows);
    ended.tells(&[&["sentrail: -: "], words].concat());
}

fn log_file(n: usize) -> String {
    format!(r#"{{"Records":[{}]}}"#, vec![RECORD; n].join(","))
}

#[test]
fn a_record_reads_the_same_in_every_shape() {
    let quoted = Value::from(RECORD).to_string();
    for input in [
        RECORD.to_owned(),
        log_file(1),
        format!("{RECORD}\n"),
        format!("[{RECORD}]"),
        format!(r#"{{"Events":[{{"EventId":"x","CloudTrailEvent":{quoted}}}]}}"#),
        format!(
            r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{RECORD}}}"#
        ),
        format!(
            r#"{{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"g","logStream":"s","subscriptionFilters":["f"],"logEvents":[{{"id":"1","timestamp":1767607200000,"message":{quoted}}}]}}"#
        ),
        format!("\u{feff}{RECORD}"),
    ] {
        check("cloudtrail", input.as_bytes(), &[row()]);
    }
    for input in [format!("{RECORD}\n{RECORD}\n"), format!("{RECORD}{RECORD}"), log_file(2)] {
        check("cloudtrail", input.as_bytes(), &[row(), row()]);
    }
    for nothing in ["", " \n", r#"{"Records":[]}"#] {
        check("cloudtrail", nothing.as_bytes(), &[]);
    }
}

#[test]
fn insights_and_aggregated_records_say_what_they_have() {
    let insight = r#"{"eventVersion":"1.09","eventTime":"2026-01-05T10:00:00Z","awsRegion":"eu-west-1","eventID":"i-1","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","sharedEventID":"s-1","eventCategory":"Insight","insightDetails":{"state":"Start","eventSource":"iam.amazonaws.com","eventName":"ListUsers","insightType":"ApiCallRateInsight"}}"#;
    let rows = run_on(insight.as_bytes(), &["decode", "-"]).ends(0).rows();
    assert_eq!(rows.len(), 1);
    for (name, value) in [
        ("event_id", "i-1"),
        ("event_type", "AwsCloudTrailInsight"),
        ("event_source", "iam.amazonaws.com"),
        ("event_name", "ListUsers"),
        ("account", "111122223333"),
    ] {
        assert_eq!(rows[0][name], value);
    }
    assert_eq!(rows[0]["outcome"], Value::Null);
    let aggregated = r#"{"eventVersion":"1.0","accountId":"111122223333","eventId":"a-1","eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","timeWindow":{"windowStart":"2026-01-05T10:00:00Z","windowEnd":"2026-01-05T10:05:00Z"},"summary":{"primaryDimension":{"dimension":"resourceARN","statistics":[]},"details":[]}}"#;
    let ended = run_on(aggregated.as_bytes(), &["decode", "-"]);
    let rows = ended.ends(0).rows();
    assert_eq!(rows.len(), 1, "{}", ended.err);
    for (name, value) in [
        ("event_time", "2026-01-05T10:00:00Z"),
        ("event_id", "a-1"),
        ("event_source", "s3.amazonaws.com"),
        ("account", "111122223333"),
    ] {
        assert_eq!(rows[0][name], value);
    }
}

#[test]
fn a_digest_holds_no_rows() {
    let digest = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-01-05T09:00:00Z","digestEndTime":"2026-01-05T10:00:00Z","digestS3Bucket":"b","digestS3Object":"o","logFiles":[]}"#;
    let ended = run_on(digest.as_bytes(), &["decode", "--as", "cloudtrail", "-"]);
    assert_eq!(ended.ends(0).out, "");
    ended.tells(&["digest", "no events"]);
}

#[test]
fn packing_does_not_matter() {
    let object = log_file(2);
    let (head, tail) = object.as_bytes().split_at(object.len() / 2);
    let members = [gzip(head), gzip(tail)].concat();
    for input in
        [object.clone().into_bytes(), gzip(object.as_bytes()), members, zstd(object.as_bytes())]
    {
        check("cloudtrail", &input, &[row(), row()]);
        let folder = tempfile::tempdir().unwrap();
        let path = text(&folder.path().join("any.name"));
        fs::write(&path, &input).unwrap();
        assert_eq!(run(&["decode", &path]).ends(0).rows(), [row(), row()]);
    }
}

#[test]
fn damaged_packing_gives_nothing_and_says_where() {
    let packed = gzip(log_file(50).as_bytes());
    let cut = &packed[..packed.len() - 20];
    let at = format!("byte {}", cut.len());
    check_bad("cloudtrail", cut, (1, 0), &["object ends", &at, "expected the rest"]);
    let mut damaged = packed.clone();
    let middle = packed.len() / 2;
    damaged[middle] ^= 0xff;
    check_bad("cloudtrail", &damaged, (1, 0), &["byte"]);
    let packed = zstd(log_file(2).as_bytes());
    check_bad("cloudtrail", &packed[..packed.len() - 9], (1, 0), &["byte"]);
    let folder = tempfile::tempdir().unwrap();
    let path = text(&folder.path().join("cut.json.gz"));
    fs::write(&path, cut).unwrap();
    run(&["decode", &path]).ends(1).tells(&[&path, &at]);
}

#[test]
fn damaged_records_cost_themselves() {
    let object = format!(r#"{{"Records":[{{"eventName":"NoTime"}},{RECORD}]}}"#);
    check_bad("cloudtrail", object.as_bytes(), (4, 1), &["record 0 at byte 12", "expected"]);
    let cut = log_file(2);
    let cut = &cut.as_bytes()[..cut.len() - 30];
    check_bad("cloudtrail", cut, (4, 1), &["byte", "expected"]);
    let many = format!("[{}]", vec![r#"{"eventName":"NoTime"}"#; 50].join(","));
    let ended = run_on(many.as_bytes(), &["decode", "--as", "cloudtrail", "-"]);
    ended.ends(1).tells(&["50 records could not be read"]);
    assert!(ended.err.lines().count() < 12, "{}", ended.err);
}

#[test]
fn what_is_something_else_is_refused() {
    for (kind, input) in [
        ("cloudtrail", "plain words"),
        ("cloudtrail", "2 111122223333 eni-1 - - - - - - - 1767607200 1767607260 - NODATA\n"),
        ("flow", RECORD),
        ("flow", "plain words\n"),
        ("notification", "plain words"),
        ("notification", RECORD),
    ] {
        check_bad(kind, input.as_bytes(), (1, 0), &[]);
    }
    run_on(b"plain words", &["decode", "-"]).ends(1);
    run(&["decode", "/nowhere"]).ends(1).tells(&["/nowhere", "cannot be opened"]);
    run(&["decode", "testdata"]).ends(1).tells(&["testdata"]);
}

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const FLOW: &str =
    "2 111122223333 eni-0a1 10.0.0.4 192.0.2.9 41001 443 6 10 840 1767607200 1767607260 ACCEPT OK";

fn flow() -> Value {
    json!({
        "version": 2, "account_id": "111122223333", "interface_id": "eni-0a1",
        "srcaddr": "10.0.0.4", "dstaddr": "192.0.2.9", "srcport": 41001, "dstport": 443,
        "protocol": 6, "packets": 10, "bytes": 840, "start": 1_767_607_200,
        "end": 1_767_607_260, "action": "ACCEPT", "log_status": "OK",
    })
}

#[test]
fn flows_read_the_same_in_every_format() {
    let with_header = format!("{HEADER}\n{FLOW}\n");
    for input in [with_header.clone(), format!("{FLOW}\n"), with_header.replace('\n', "\r\n")] {
        check("flow", input.as_bytes(), &[flow()]);
        check("flow", &gzip(input.as_bytes()), &[flow()]);
    }
    let short = "interface-id dstaddr tcp-flags\neni-0a1 2001:db8::1 -\n";
    let row = json!({"interface_id": "eni-0a1", "dstaddr": "2001:db8::1", "tcp_flags": null});
    check("flow", short.as_bytes(), std::slice::from_ref(&row));
    let format = "interface-id dstaddr tcp-flags";
    for kind in [&[][..], &["--as", "flow"]] {
        let arguments = [&["decode", "--flow-format", format], kind, &["-"]].concat();
        let ended = run_on(b"eni-0a1 2001:db8::1 -\n", &arguments);
        assert_eq!(ended.ends(0).rows(), std::slice::from_ref(&row));
    }
}

#[test]
fn bad_flow_lines_cost_themselves() {
    let input = format!("{HEADER}\n{FLOW}\nshort line\n{FLOW}\n");
    check_bad("flow", input.as_bytes(), (4, 2), &["line 3", "2 fields", "expected 14"]);
    let input = format!("{HEADER}\n{}\n{FLOW}\n", FLOW.replace("192.0.2.9", "nobody"));
    check_bad("flow", input.as_bytes(), (4, 1), &["line 2", "dstaddr"]);
}

/// `first`, `n_mib` MiB of `filler` (1 MiB long) and `last`, in a gzip member each.
fn large(first: &str, (n_mib, filler): (usize, &str), last: &str) -> Vec<u8> {
    assert_eq!(filler.len(), 1 << 20);
    let filler = gzip(filler.as_bytes()).repeat(n_mib);
    [gzip(first.as_bytes()), filler, gzip(last.as_bytes())].concat()
}

/// From 64 MiB on, content is not held in memory at once.
#[test]
fn large_flow_logs_are_read_in_blocks() {
    let long_line = format!("{}\n", "x".repeat((1 << 20) - 1));
    let input = large(&format!("{HEADER}\n{FLOW}\n"), (65, &long_line), &format!("{FLOW}\n"));
    check_bad("flow", &input, (4, 2), &["line 3", "longer than 65536 bytes"]);
}

#[test]
fn large_cloudtrail_objects_are_read_in_blocks() {
    let blank = " ".repeat(1 << 20);
    let input = large(&format!("{RECORD}\n"), (65, &blank), RECORD);
    check("cloudtrail", &input, &[row(), row()]);
    let input = large(&format!("{RECORD}\n"), (65, &blank), r#"{"eventTime":"2026"#);
    check_bad("cloudtrail", &input, (4, 1), &["byte", "expected"]);
}

const S3_EVENT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventTime":"2026-01-05T10:00:00.000Z","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"rivermill-logs"},"object":{"key":"a+b/%C3%A9.json.gz","size":1024,"eTag":"d41d8c","versionId":"v1","sequencer":"0A"}}}]}"#;

#[test]
fn notifications_name_their_objects() {
    let row = json!({
        "bucket": "rivermill-logs", "key": "a b/\u{e9}.json.gz", "action": "created",
        "version_id": "v1", "etag": "d41d8c", "size_bytes": 1024,
    });
    let quoted = Value::from(S3_EVENT).to_string();
    let sns =
        format!(r#"{{"Type":"Notification","MessageId":"m","TopicArn":"t","Message":{quoted}}}"#);
    check("notification", S3_EVENT.as_bytes(), std::slice::from_ref(&row));
    check("notification", sns.as_bytes(), &[row]);
    let own = r#"{"s3Bucket":"rivermill-logs","s3ObjectKey":["a+b.json.gz","c.json.gz"]}"#;
    let ended = run_on(own.as_bytes(), &["decode", "-"]);
    let rows = ended.ends(0).rows();
    let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["a+b.json.gz", "c.json.gz"]);
    let bridge = r#"{"version":"0","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2026-01-05T10:00:00Z","region":"eu-west-1","detail":{"bucket":{"name":"b"},"object":{"key":"k+k","size":1}}}"#;
    let ended = run_on(bridge.as_bytes(), &["decode", "-"]);
    assert_eq!(ended.ends(0).rows()[0]["key"], "k+k");
}

#[test]
fn notifications_without_objects_give_no_rows() {
    for input in [
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-01-05T10:00:00.000Z","Bucket":"b"}"#,
        "CloudTrail validation message.",
    ] {
        check("notification", input.as_bytes(), &[]);
    }
}

#[test]
fn rows_are_written_in_the_form_asked_for() {
    let input = log_file(2);
    let decode = |format| run_on(input.as_bytes(), &["decode", "--format", format, "-"]);
    let array: Value = serde_json::from_str(&decode("json").ends(0).out).unwrap();
    assert_eq!(array, json!([row(), row()]));
    assert_eq!(run_on(b"", &["decode", "--format", "json", "-"]).ends(0).out, "[]\n");
    let csv = decode("csv");
    let lines: Vec<_> = csv.ends(0).out.split("\r\n").collect();
    assert!(lines[0].starts_with("event_time,event_source,event_name,"));
    assert!(lines[1].starts_with("2026-01-05T10:00:00Z,s3.amazonaws.com,GetObject,"));
    assert_eq!((lines.len(), lines[3]), (4, ""));
    run_on(input.as_bytes(), &["decode", "--format", "table", "-"]).ends(2);
}

#[test]
fn hostile_text_is_neither_computed_nor_obeyed() {
    let record = RECORD.replace("aws-cli/2.0 \\u00e9", "=cmd|' /C calc'!A0\\u001b[2J\u{202e}");
    let csv = run_on(record.as_bytes(), &["decode", "--format", "csv", "-"]);
    let out = &csv.ends(0).out;
    assert!(out.contains(",\"'=cmd|"), "{out}");
    let lines = run_on(record.as_bytes(), &["decode", "-"]);
    for hostile in ['\u{1b}', '\u{202e}'] {
        assert!(!out.contains(hostile) && !lines.out.contains(hostile));
    }
    assert_eq!(lines.rows()[0]["user_agent"], "=cmd|' /C calc'!A0\u{1b}[2J\u{202e}");
}

#[test]
fn csv_has_one_header() {
    let input = format!("{HEADER}\n{FLOW}\ninterface-id dstaddr\neni-0a1 192.0.2.1\n");
    let ended = run_on(input.as_bytes(), &["decode", "--format", "csv", "-"]);
    ended.ends(1).tells(&["fields change at row 2", "jsonl"]);
    run_on(input.as_bytes(), &["decode", "-"]).ends(0);
}

#[test]
fn wrong_arguments_are_usage() {
    for arguments in
        [&["decode"][..], &["decode", "--as", "x", "-"], &["decode", "--flow-format", "nope", "-"]]
    {
        run(arguments).ends(2);
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = text(&folder.path().join("records.json"));
    let records = format!("{RECORD}\n").repeat(100);
    let blank = " ".repeat(1 << 20);
    for input in [log_file(100).into_bytes(), large(&records, (65, &blank), RECORD)] {
        fs::write(&path, input).unwrap();
        for format in ["json", "jsonl", "csv"] {
            let ended = run_unread(&["decode", "--format", format, &path]);
            assert_eq!(ended, (Some(0), String::new()));
        }
    }
}
