use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::flow::Value;

mod json;

const V2: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const LINE: &str = "2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";

type Row = BTreeMap<&'static str, String>;

fn rows_of(batch: &FlowBatch) -> Vec<Row> {
    (0..batch.rows())
        .map(|i| {
            batch
                .row(i)
                .map(|(name, value)| {
                    let text = match value {
                        Value::Null => "-".to_owned(),
                        Value::Integer(number) => number.to_string(),
                        Value::Text(text) => text.into_owned(),
                    };
                    (name, text)
                })
                .collect()
        })
        .collect()
}

fn read_with(format: Option<&str>, text: &str) -> (Vec<Row>, FlowCounts) {
    let format = format.map(|format| FlowFormat::parse(format).unwrap());
    let mut rows = Vec::new();
    let counts =
        FlowReader::new(format).read(text.as_bytes(), &mut |batch| rows.extend(rows_of(&batch)));
    assert_eq!(counts.rows, rows.len() as u64);
    (rows, counts)
}

fn read(text: &str) -> (Vec<Row>, FlowCounts) {
    read_with(None, text)
}

#[test]
fn a_default_line_needs_no_header() {
    let (rows, counts) = read(LINE);
    let account = Some("123456789010".to_owned());
    assert_eq!(counts, FlowCounts { rows: 1, account, ..FlowCounts::default() });
    assert_eq!(rows[0].len(), 14);
    assert_eq!(rows[0]["srcaddr"], "172.31.16.139");
    assert_eq!(rows[0]["dstport"], "22");
    assert_eq!(rows[0]["end"], "1418530070");
    assert_eq!(rows[0]["log_status"], "OK");
}

/// The conformance pairs, which are not part of the repository.
#[test]
fn published_examples_are_read_as_published() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/conformance/vpcflow_pairs.ndjson.gz"
    );
    let Ok(object) = std::fs::read(path) else {
        println!("SKIPPED: no conformance data at {path}");
        return;
    };
    let text = crate::decode::gunzip(&object, 1 << 24).unwrap();
    let mut parsed = 0;
    for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let pair: serde_json::Value = serde_json::from_slice(line).unwrap();
        let header = pair["header"].as_str().map_or(String::new(), |header| format!("{header}\n"));
        let input = format!("{header}{}\n", pair["line"].as_str().unwrap());
        let (rows, counts) = read(&input);
        if pair["must"] != "parse" && pair["must"] != "optional" {
            assert_eq!((rows.len(), counts.bad_rows), (0, 1), "{}", pair["id"]);
            continue;
        }
        assert_eq!((rows.len(), counts.bad_rows), (1, 0), "{}: {counts:?}", pair["id"]);
        for (name, expected) in pair["expected"].as_object().into_iter().flatten() {
            let expected = match expected {
                serde_json::Value::Null => "-".to_owned(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(rows[0].get(name.as_str()), Some(&expected), "{}: {name}", pair["id"]);
        }
        parsed += 1;
    }
    assert!(parsed >= 30, "{parsed} pairs");
}

#[test]
fn a_header_sets_any_order_and_either_spelling() {
    for header in
        ["dstport srcaddr log-status interface_id", "DstPort srcAddr log_status interface-id"]
    {
        let (rows, counts) = read(&format!("{header}\n443 10.0.0.1 OK eni-1\n"));
        assert_eq!((counts.rows, counts.bad_rows), (1, 0));
        let names: Vec<_> = rows[0].keys().copied().collect();
        assert_eq!(names, ["dstport", "interface_id", "log_status", "srcaddr"]);
        assert_eq!(rows[0]["dstport"], "443");
    }
}

#[test]
fn a_header_may_come_again_and_may_change() {
    let text = format!("{V2}\n{LINE}\n{V2}\n{LINE}\n\nsrcaddr dstaddr bytes\n1.1.1.1 2.2.2.2 7\n");
    let (rows, counts) = read(&text);
    assert_eq!((counts.rows, counts.bad_rows), (3, 0));
    assert_eq!(rows[1]["dstport"], "22");
    assert_eq!(rows[2]["bytes"], "7");
    assert_eq!(rows[2].len(), 3);
}

#[test]
fn a_header_of_words_only_is_still_no_record() {
    let text = "instance-id interface-id\ni-1 eni-1\ninstance-id interface-id\ni-2 eni-2\n";
    let (rows, _) = read(text);
    let ids: Vec<_> = rows.iter().map(|row| row["instance_id"].as_str()).collect();
    assert_eq!(ids, ["i-1", "i-2"]);
}

#[test]
fn unusual_spacing_is_tolerated() {
    let spaced = LINE.replace(' ', "  ");
    let tabbed = LINE.replace(' ', "\t");
    let text = format!("{V2}\r\n{LINE}\r\n  {spaced}\n{tabbed} \n\n{LINE}");
    let (rows, counts) = read(&text);
    assert_eq!((counts.rows, counts.bad_rows), (4, 0));
    assert!(rows.iter().all(|row| *row == rows[0]));
}

#[test]
fn commas_separate_where_spaces_do_not() {
    let (rows, counts) = read("srcaddr,dstport,action\n1.2.3.4,80,\n1.2.3.4,81,ACCEPT\n");
    assert_eq!((counts.rows, counts.bad_rows), (2, 0));
    assert_eq!((rows[0]["action"].as_str(), rows[1]["action"].as_str()), ("-", "ACCEPT"));
}

#[test]
fn nodata_and_skipdata_are_kept_and_counted() {
    let text = "2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA\n\
        2 1 eni-1 - - - - - - - 1431280876 1431280934 - SKIPDATA\n\
        2 1 eni-1 - - - - - - - 1431280876 1431280934 - NODATA\n\
        2 1 - - - - - - - - 1431280876 1431280934 - -\n";
    let (rows, counts) = read(text);
    assert_eq!((counts.rows, counts.nodata, counts.skipdata), (4, 2, 1));
    assert_eq!(rows[0]["srcaddr"], "-");
    assert_eq!(rows[3]["interface_id"], "-");
    let gap = Gap { interface: "eni-1".into(), start_s: 1_431_280_876, end_s: 1_431_280_934 };
    assert_eq!((gap.lasted_s(), counts.gaps), (58, vec![gap]));
    // A first row without a status must not pass for one with.
    let (_, counts) = read("log-status srcport\n- 1\nNODATA 1\n");
    assert_eq!(counts.nodata, 1);
}

#[test]
fn whose_flows_were_lost_is_kept_up_to_a_bound() {
    let skipped = |n: usize| format!("2 1 eni-{n} - - - - - - - {n} {} - SKIPDATA\n", n + 60);
    let fine = "2 1 eni-9 10.0.0.1 192.0.2.1 40000 443 6 9 2000 100 150 ACCEPT OK\n".repeat(40);
    // In all ways in which lines are read: many at once, one by one, and in another shape.
    let text = [
        &fine,
        &skipped(1),
        "no record\n",
        &fine,
        &skipped(2).replace(' ', "  "),
        &fine,
        &skipped(3),
    ];
    let (_, counts) = read(&text.concat());
    let whose: Vec<(&str, i64)> =
        counts.gaps.iter().map(|gap| (&*gap.interface, gap.end_s)).collect();
    assert_eq!(whose, [("eni-1", 61), ("eni-2", 62), ("eni-3", 63)]);
    let many: String = (0..counts::GAPS_MAX + 5).map(skipped).collect();
    let (_, counts) = read(&many);
    assert_eq!(
        (counts.gaps.len(), counts.skipdata),
        (counts::GAPS_MAX, counts::GAPS_MAX as u64 + 5)
    );
}

#[test]
fn a_bad_line_costs_that_line() {
    let short = LINE.trim_end_matches(" OK");
    let text = format!(
        "{V2}\n{LINE}\n{short}\n{LINE} more\n{}\n{}\nwhat is this\n{LINE}\n",
        LINE.replace("172.31.16.21", "172.31.16.999"),
        LINE.replace(" 22 ", " 99999999999 "),
    );
    let (rows, counts) = read(&text);
    assert_eq!((counts.rows, counts.bad_rows), (2, 5));
    assert_eq!(rows[0], rows[1]);
    let said: Vec<String> = counts.bad_samples.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "line 3: 13 fields; expected 14 as in the header or format",
            "line 4: 15 fields; expected 14 as in the header or format",
            "line 5: field `dstaddr` at place 5 is no IPv4 or IPv6 address",
            "line 6: field `dstport` at place 7 is no number up to 2147483647",
            "line 7: 3 fields; expected 14 as in the header or format",
        ]
    );
    let (_, counts) = read(&"x\n".repeat(100));
    assert_eq!((counts.bad_rows, counts.bad_samples.len()), (100, BAD_SAMPLES_MAX));
}

#[test]
fn unknown_fields_are_left_out_and_named_once() {
    let text =
        "version srcaddr new-thing dstaddr srcaddr\n12 1.1.1.1 x 2.2.2.2 3.3.3.3\n".repeat(2);
    let (rows, counts) = read(&text);
    assert_eq!(counts.unknown_fields, ["new-thing", "srcaddr"]);
    let mut reader = FlowReader::default();
    reader.read(text.as_bytes(), &mut |_| {});
    let names: Vec<_> = reader.format().names().collect();
    assert_eq!(names, ["version", "srcaddr", "new-thing", "dstaddr", "srcaddr"], "as they were");
    assert_eq!(rows[1].len(), 3);
    assert_eq!(rows[1]["srcaddr"], "1.1.1.1");
}

#[test]
fn transit_gateway_lines_are_known_by_their_second_word() {
    let format = FlowFormat::transit_gateway();
    assert_eq!(format.positions().len(), 36);
    let line = "6 TransitGateway 748335378900 tgw-1 tgw-attach-1 1 2 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 az1 az2 tgw-attach-2 10.0.0.1 10.0.1.1 39464 22 6 49 8947 1755592533 1755592558 OK IPv4 0 0 1 0 2 us-east-1 ingress - -\n";
    let (rows, counts) = read(&line.repeat(2));
    assert_eq!((counts.rows, counts.bad_rows), (2, 0));
    assert_eq!(rows[0]["tgw_pair_attachment_id"], "tgw-attach-2");
    assert_eq!(rows[1]["packets_lost_mtu_exceeded"], "1");
    let (rows, counts) = read("version resource-type srcport\n6  TransitGateway 5\n");
    assert_eq!((rows.len(), counts.bad_rows), (1, 0), "a header says more than that word");
}

#[test]
fn half_of_the_names_make_a_header() {
    let (rows, counts) = read("srcport news\n80 x\n");
    assert_eq!((rows.len(), counts.unknown_fields), (1, vec!["news".to_owned()]));
    let (rows, _) = read("srcport news more\n80 x y\n");
    assert!(rows.is_empty());
}

#[test]
fn a_given_format_serves_lines_without_a_header() {
    let (rows, counts) =
        read_with(Some("${interface-id} ${srcaddr},dstaddr"), "eni-1 ::1 10.0.0.1\n");
    assert_eq!((counts.rows, counts.bad_rows), (1, 0));
    assert_eq!(rows[0]["srcaddr"], "::1");
}

#[test]
fn a_wrong_format_is_refused_with_a_hint() {
    let said = |text| FlowFormat::parse(text).unwrap_err().to_string();
    assert_eq!(
        said("version src-adr"),
        "unknown flow log field `src-adr`; did you mean `srcaddr`?"
    );
    assert_eq!(
        said("interface-idd"),
        "unknown flow log field `interface-idd`; did you mean `interface-id`?"
    );
    assert_eq!(said("nothing-like-it"), "unknown flow log field `nothing-like-it`");
    assert_eq!(said("enb"), "unknown flow log field `enb`; did you mean `end`?");
    assert_eq!(said("exx"), "unknown flow log field `exx`", "two of three letters differ");
    assert_eq!(said("start start"), "flow log field `start` is named twice; expected it once");
    assert!(said("  ").starts_with("empty flow log format"));
}

#[test]
fn long_lines_and_long_json_hit_their_bounds() {
    let long = "x".repeat(LINE_BYTES_MAX + 1);
    let text = format!("{LINE}\n{long}\n{LINE}\n");
    let (_, counts) = read(&text);
    assert_eq!((counts.rows, counts.bad_rows), (2, 1));
    assert_eq!(counts.bad_samples[0].why, RowError::Long);
    let longest = format!("{}\n", "x".repeat(LINE_BYTES_MAX));
    for size in [LINE_BYTES_MAX, longest.len()] {
        let mut reader = FlowReader::default();
        longest.as_bytes().chunks(size).for_each(|block| reader.push(block, &mut |_| {}));
        let counts = reader.finish(&mut |_| {});
        assert_eq!(
            counts.bad_samples[0].why,
            RowError::Fields { expected: 14, found: 1 },
            "{size}"
        );
    }
    let mut reader = FlowReader::default();
    let mut visit = |_: FlowBatch| {};
    for block in text.as_bytes().chunks(1_000) {
        reader.push(block, &mut visit);
        assert!(reader.carry.len() <= LINE_BYTES_MAX + 1_000);
    }
    assert_eq!(reader.finish(&mut visit).rows, 2);
    let json = format!("{{\"srcaddr\":\"{}\"", "x".repeat(JSON_BYTES_MAX));
    reader.push(json.as_bytes(), &mut visit);
    assert!(reader.carry.is_empty());
    assert_eq!(reader.finish(&mut visit).bad_rows, 1);
}

#[test]
fn batches_are_bounded_in_rows_and_text() {
    let mut sizes = Vec::new();
    let text = format!("{V2}\n{}", format!("{LINE}\n").repeat(BATCH_ROWS * 2 + 10));
    let counts = FlowReader::default().read(text.as_bytes(), &mut |batch| sizes.push(batch.rows()));
    assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 10]);
    assert_eq!(counts.rows, BATCH_ROWS as u64 * 2 + 10);
    let mut batches = 0;
    let text = format!("srcport vpc-id\n{}", format!("1 {}\n", "v".repeat(60_000)).repeat(600));
    FlowReader::default().read(text.as_bytes(), &mut |_| batches += 1);
    assert_eq!(batches, 3);
    let mut sizes = Vec::new();
    let text = format!("vpc-id\n{}", "vpc-1\n".repeat(BATCH_ROWS + 1));
    FlowReader::default().read(text.as_bytes(), &mut |batch| sizes.push(batch.rows()));
    assert_eq!(sizes, [BATCH_ROWS, 1]);
}

#[test]
fn long_words_that_begin_alike_stay_distinct() {
    let word = |n: u32| format!("arn:aws:ecs:eu-west-1:111122223333:task/cluster/{n:08}");
    let line = |n: u32| format!("{n} {} {}\n", word(n), word(n / 2));
    let lines: String = (0..2_000).map(line).collect();
    let (rows, _) = read(&format!("srcport ecs-task-arn ecs-cluster-arn\n{lines}"));
    for (n, row) in (0..).zip(&rows) {
        assert_eq!((&row["ecs_task_arn"], &row["ecs_cluster_arn"]), (&word(n), &word(n / 2)));
    }
    assert_eq!(rows.len(), 2_000);
}

#[test]
fn many_distinct_words_stay_distinct() {
    let mut text = String::from("srcport vpc-id instance-tag\n");
    let tail = "t".repeat(30) + "\n";
    for i in 0..BATCH_ROWS {
        text.push_str(&["1 vpc-", &i.to_string(), " ", &i.to_string(), &tail].concat());
    }
    let (rows, _) = read(&text);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["vpc_id"], format!("vpc-{i}"));
        assert!(row["instance_tag"].starts_with(&format!("{i}t")));
    }
}

#[test]
fn invalid_utf8_is_replaced_in_that_word() {
    let mut text = b"vpc-id srcport\n".to_vec();
    text.extend(b"vpc\xff-1 5\nvpc\xff-1 6\nvpc-2 7\n");
    let mut rows = Vec::new();
    let counts = FlowReader::default().read(&text, &mut |batch| rows.extend(rows_of(&batch)));
    assert_eq!((counts.rows, counts.bad_rows), (3, 0));
    assert_eq!(rows[1]["vpc_id"], "vpc\u{fffd}-1");
}

#[test]
fn a_reader_forgets_the_last_object() {
    let mut reader = FlowReader::default();
    let first = reader.read(b"srcport\n1\nx y\n", &mut |_| {});
    assert_eq!((first.rows, first.bad_rows), (1, 1));
    let second =
        reader.read(LINE.as_bytes(), &mut |batch| assert_eq!(batch.layout().fields().len(), 14));
    let account = Some("123456789010".to_owned());
    assert_eq!(second, FlowCounts { rows: 1, account, ..FlowCounts::default() });
}

#[test]
fn objects_of_many_formats_may_take_turns() {
    let headed = |n: usize| {
        let names: Vec<_> = V2.split(' ').cycle().skip(n).take(14).collect();
        let values: Vec<_> = LINE.split(' ').cycle().skip(n).take(14).collect();
        format!("{} made-up\n{} x\n", names.join(" "), values.join(" "))
    };
    let mut objects: Vec<String> = (0..SHAPES_MAX + 3).map(headed).collect();
    let json = r#"{"srcaddr":"10.0.0.1"}"#.to_owned();
    objects.extend([LINE.to_owned(), json, headed(1), format!("{V2}\n{LINE}\n{}", headed(2))]);
    let mut reader = FlowReader::default();
    for turn in [0, 1, 2, 5, 7] {
        for object in objects.iter().cycle().step_by(turn + 1).take(objects.len()) {
            let mut rows = Vec::new();
            let text = object.as_bytes();
            let counts = reader.read(text, &mut |batch| rows.extend(rows_of(&batch)));
            assert_eq!((rows, counts), read(object), "{object}");
        }
    }
}

#[test]
fn flow_logs_are_told_from_other_text() {
    for text in [
        LINE.to_owned(),
        format!("{V2}\n"),
        "srcaddr,dstaddr,bytes\n".to_owned(),
        "instance-id interface-id srcaddr\n- eni-1 1.1.1.1".to_owned(),
        r#"{"version":2,"interface_id":"eni-1","srcaddr":"1.1.1.1"}"#.to_owned(),
        format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","message":"{LINE}"}}]}}"#),
        r#"{"logEvents":[{"message":"{\"srcaddr\":\"1.1.1.1\",\"dstaddr\":\"2.2.2.2\"}"}]}"#.to_owned(),
        "6 TransitGateway 7 tgw-1 a 1 2 v w s t e f z y p 10.0.0.1 10.0.1.1 3 22 6 49 8947 17 18 OK IPv4 0 0 1 0 2 r ingress - -".to_owned(),
    ] {
        assert!(looks_like_flow(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "{}",
        r#"{"Records":[{"eventVersion":"1.08","userIdentity":{"type":"Root"}}]}"#,
        r#"{"eventVersion":"1.08","sourceIPAddress":"1.1.1.1"}"#,
        r#"{"name":"x","srcaddr":"1.1.1.1"}"#,
        r#"{"logEvents":[{"message":"{\"eventVersion\":\"1.08\"}"}]}"#,
        "version https://git-lfs.github.com/spec/v1",
        "region",
        "hello world, this is text",
        "1 2 3",
    ] {
        assert!(!looks_like_flow(text.as_bytes()), "{text}");
    }
}

/// A value of the field's kind as AWS would write it.
fn value_of(field: Field) -> BoxedStrategy<String> {
    let value = match field.kind() {
        Kind::Int32 => (0..=i32::MAX).prop_map(|n| n.to_string()).boxed(),
        Kind::Int64 => {
            prop_oneof![0..100_000_i64, 0..=i64::MAX].prop_map(|n| n.to_string()).boxed()
        }
        Kind::Address => prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::from(std::net::Ipv4Addr::from(bits))),
            any::<u128>().prop_map(|bits| IpAddr::from(Ipv6Addr::from(bits))),
            (any::<u16>(), any::<u16>())
                .prop_map(|(a, b)| Ipv6Addr::new(a, 0, 0, 0, 0, 0, 0, b).into()),
        ]
        .prop_map(|ip| ip.to_canonical().to_string())
        .boxed(),
        Kind::Text => "[a-z:/%0-9é-]{1,60}".prop_map(|text| format!("w{text}")).boxed(),
    };
    prop_oneof![1 => Just("-".to_owned()), 9 => value].boxed()
}

fn table() -> impl Strategy<Value = (Vec<Field>, Vec<Vec<String>>)> {
    proptest::sample::subsequence(Field::ALL.to_vec(), 1..=Field::ALL.len())
        .prop_shuffle()
        .prop_flat_map(|fields| {
            let row: Vec<_> = fields.iter().map(|field| value_of(*field)).collect();
            (Just(fields), proptest::collection::vec(row, 1..6))
        })
}

fn lines(fields: &[Field], rows: &[Vec<String>]) -> String {
    let names: Vec<String> = fields.iter().map(|field| field.name().replace('_', "-")).collect();
    let mut text = names.join(" ") + "\n";
    for row in rows {
        text.push_str(&row.join(" "));
        text.push('\n');
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_format_comes_back_as_written((fields, rows) in table()) {
        let (got, counts) = read(&lines(&fields, &rows));
        prop_assert_eq!(counts.bad_rows, 0, "{:?}", counts);
        prop_assert_eq!(got.len(), rows.len());
        for (got, row) in got.iter().zip(&rows) {
            prop_assert_eq!(got.len(), fields.len());
            for (field, value) in fields.iter().zip(row) {
                prop_assert_eq!(&got[field.name()], value);
            }
        }
    }

    #[test]
    fn blocks_may_be_cut_anywhere(
        (fields, rows) in table(), block in 1_usize..200, json in any::<bool>(), junk in "[ -~\n]{0,40}",
    ) {
        let mut text = lines(&fields, &rows);
        if json {
            text.push_str(r#"{"srcaddr":"1.1.1.1","dstport":5}{"dstport":6}"#);
            text.push('\n');
        }
        text.push_str(&junk);
        let (expected, counts) = read(&text);
        let mut reader = FlowReader::default();
        let mut got = Vec::new();
        let mut visit = |batch: FlowBatch| got.extend(rows_of(&batch));
        for block in text.as_bytes().chunks(block) {
            reader.push(block, &mut visit);
        }
        let streamed = reader.finish(&mut visit);
        // Only where broken JSON ends can depend on the blocks.
        if !junk.contains('{') {
            prop_assert_eq!(streamed, counts);
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        start in prop::sample::select(vec!["", V2, LINE, "{\"srcaddr\":", "srcport vpc-id\n1 x\n"]),
        tail in proptest::collection::vec(any::<u8>(), 0..300),
        block in 1_usize..64,
    ) {
        let text = [start.as_bytes(), &tail].concat();
        let _sniffed = looks_like_flow(&text);
        let mut reader = FlowReader::default();
        let mut rows = 0;
        let mut visit = |batch: FlowBatch| rows += rows_of(&batch).len() as u64;
        for block in text.chunks(block) {
            reader.push(block, &mut visit);
        }
        let counts = reader.finish(&mut visit);
        prop_assert_eq!(counts.rows, rows);
    }

    #[test]
    fn almost_right_lines_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = format!("{V2}\n{LINE}\n{LINE}\n").into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        let counts = FlowReader::default().read(&text, &mut |_| {});
        prop_assert!(counts.rows + counts.bad_rows <= 4);
    }
}

#[test]
fn fields_that_are_not_wanted_are_stepped_over() {
    let text = "version vpc-id srcaddr bytes log-status\n\
        5 vpc-1 10.0.0.1 40 OK\n5 vpc-2 10.0.0.2 x NODATA\n5 10.0.0.3 40 OK\n";
    let wanted = [Field::SrcAddr, Field::VpcId, Field::DstAddr];
    let mut reader = FlowReader::default().with_fields(&wanted);
    for _ in 0..2 {
        let mut rows = Vec::new();
        let counts = reader.read(text.as_bytes(), &mut |batch| {
            assert_eq!(batch.layout().fields(), [Field::SrcAddr, Field::VpcId]);
            let addresses = batch.addresses(Field::SrcAddr).unwrap();
            rows.extend((0..batch.rows()).filter_map(|i| addresses.get(i)));
        });
        assert_eq!((counts.rows, counts.nodata, counts.bad_rows), (2, 1, 1));
        assert_eq!(rows, [0xffff_0a00_0001, 0xffff_0a00_0002]);
    }
}

#[test]
fn the_account_is_that_of_the_first_record_that_names_one() {
    let header = "account-id interface-id srcport log-status\n";
    for (lines, account, nodata) in [
        ("1 eni-1 x OK\n- eni-1 1 OK\n22 eni-1 1 OK\n333 eni-1 1 OK\n", Some("22"), 0),
        ("- eni-1 - NODATA\n- eni-1 - NODATA", None, 2),
        ("4\teni-1\t-\tNODATA\n", Some("4"), 1),
        ("{\"account_id\":\"5\",\"srcport\":1}\n6 eni-1 1 OK\n", Some("5"), 0),
    ] {
        let text = format!("{header}{lines}");
        let mut reader = FlowReader::default().with_fields(&[Field::SrcPort]);
        let counts = reader.read(text.as_bytes(), &mut |_| {});
        assert_eq!((counts.account.as_deref(), counts.nodata), (account, nodata), "{lines}");
    }
}

#[test]
fn a_bad_line_among_many_costs_only_itself() {
    let line = |n: u32| {
        let bytes = if n % 100 == 77 { "x".to_owned() } else { n.to_string() };
        format!("vpc-{n} 10.0.0.{} {bytes}\n", n % 256)
    };
    let lines: String = (0..1_000).map(line).collect();
    let text = format!("vpc-id srcaddr bytes\n{lines}");
    let mut rows = Vec::new();
    let counts =
        FlowReader::default().read(text.as_bytes(), &mut |batch| rows.extend(rows_of(&batch)));
    assert_eq!((counts.rows, counts.bad_rows), (990, 10));
    assert_eq!(counts.bad_samples.first().map(|bad| bad.line), Some(79));
    for row in rows {
        assert_eq!(row["vpc_id"], format!("vpc-{}", row["bytes"]));
    }
}
