//! Flow records as JSON, by themselves and in the messages of a subscription.

use super::*;

#[test]
fn json_rows_are_read_in_any_layout() {
    let plain =
        r#"{"version":2,"account_id":"1","srcaddr":"1.2.3.4","dstport":443.0,"action":null}"#;
    let other = r#"{"dstPort":22,"log-status":"OK","extra":{"a":[1]}}"#;
    let (rows, counts) = read(&format!("{plain}{plain} {other}\n\n{}", plain.replace(',', ",\n")));
    assert_eq!((counts.rows, counts.bad_rows), (4, 0));
    assert_eq!(rows[0]["dstport"], "443");
    assert_eq!(rows[0]["action"], "-");
    assert_eq!(rows[1].len(), 5);
    assert_eq!((rows[2]["srcaddr"].as_str(), rows[2]["log_status"].as_str()), ("-", "OK"));
    assert_eq!(rows[3]["srcaddr"], "1.2.3.4");
    let (rows, counts) = read(r#"{"interface_id":"a b\tc","dstport":443.5}{"dstport":1}"#);
    assert_eq!((rows.len(), counts.bad_rows), (1, 1));
    let (rows, counts) = read("{\"dstport\":1}\n{\"dstport\":\n{}\n{\"dstport\":3}\n");
    assert_eq!((rows.len(), counts.bad_rows), (2, 2), "{counts:?}");
}

#[test]
fn a_bad_json_value_is_told_by_its_line_and_what_was_expected() {
    let (_, counts) =
        read("{\"dstport\":1}\n\n {\"a\":1}\n{\"dstport\":[1]}\n{\"dstport\" 1}\n5\n");
    let told: Vec<String> = counts.bad_samples.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3: no JSON flow record: no flow log field; expected one such as `srcaddr`",
            "line 4: no JSON flow record: invalid type: sequence, expected a number, a string or null",
            "line 5: no JSON flow record: expected `:`; expected an object of flow log fields",
            "line 6: 1 fields; expected 14 as in the header or format",
        ]
    );
}

#[test]
fn json_longer_than_a_line_may_be_cut_behind_a_line_end() {
    let long = format!("{{\"dstport\":1,\"extra\":\"{}\"}}\n", "x".repeat(LINE_BYTES_MAX));
    let text = long.repeat(3);
    for size in [1 << 10, 100_000, text.len()] {
        let mut reader = FlowReader::default();
        let mut visit = |_: FlowBatch| {};
        text.as_bytes().chunks(size).for_each(|block| reader.push(block, &mut visit));
        let counts = reader.finish(&mut visit);
        assert_eq!((counts.rows, counts.bad_rows), (3, 0), "{size}: {counts:?}");
    }
}

#[test]
fn subscription_messages_are_unwrapped() {
    let data = serde_json::json!({
        "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g",
        "logEvents": [{"id": "1", "timestamp": 1, "message": LINE}, {"message": "{\"dstport\": 7}"}],
    });
    let control = serde_json::json!({
        "messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "CWL CONTROL MESSAGE"}],
    });
    let (rows, counts) = read(&format!("{control}{data}{data}"));
    assert_eq!((counts.rows, counts.bad_rows), (4, 0), "{counts:?}");
    assert_eq!(rows[0]["dstport"], "22");
    assert_eq!(rows[1]["dstport"], "7");
}
