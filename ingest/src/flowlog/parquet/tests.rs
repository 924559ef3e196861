use super::*;
use crate::decode::Limits;
use crate::flow::Value;
use crate::flowlog::FlowCounts;

/// The records of all samples, which `samples/make.py` writes with pyarrow.
const TEXT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 111122223333 eni-0a1 10.0.0.4 192.0.2.9 41001 443 6 10 840 1767607200 1767607260 ACCEPT OK
2 111122223333 eni-0a1 192.0.2.9 10.0.0.4 443 41001 6 12 9000 1767607200 1767607260 ACCEPT OK
2 111122223333 eni-0a2 - - - - - - - 1767607200 1767607260 - NODATA
2 111122223333 eni-0a2 2001:db8::1 2001:db8::2 51000 22 6 1 40 1767607201 1767607259 REJECT OK
";

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../parquet/samples/", $name, ".parquet"))
    };
}

type Row = Vec<(&'static str, Value<'static>)>;

fn rows(batch: &FlowBatch) -> Vec<Row> {
    let owned = |value: Value<'_>| match value {
        Value::Null => Value::Null,
        Value::Integer(number) => Value::Integer(number),
        Value::Text(text) => Value::Text(text.into_owned().into()),
    };
    let row = |i| batch.row(i).map(|(name, value)| (name, owned(value))).collect();
    (0..batch.rows()).map(row).collect()
}

fn of_text(text: &str, fields: Option<&[Field]>) -> (Vec<Row>, FlowCounts) {
    let mut all = Vec::new();
    let counts = reader(fields).read(text.as_bytes(), &mut |batch| all.extend(rows(&batch)));
    (all, counts)
}

fn reader(fields: Option<&[Field]>) -> FlowReader {
    let reader = FlowReader::default();
    if let Some(fields) = fields { reader.with_fields(fields) } else { reader }
}

fn of_parquet(
    bytes: &[u8],
    fields: Option<&[Field]>,
) -> Result<(Vec<Row>, FlowCounts), ParquetError> {
    let object = Parquet::open(bytes, &Limits::default())?;
    let mut all = Vec::new();
    let mut reader = reader(fields);
    reader.parquet(&object, &mut |batch| all.extend(rows(&batch)))?;
    let counts = reader.finish(&mut |_| panic!("rows are left"));
    Ok((all, counts))
}

#[test]
fn what_others_write_reads_as_the_text_of_the_same_records() {
    for (name, bytes) in [
        ("gzip", &sample!("gzip")[..]),
        ("none", sample!("none")),
        ("snappy-v2", sample!("snappy-v2")),
        ("zstd", sample!("zstd")),
        ("delta", sample!("delta")),
        ("words", sample!("words")),
    ] {
        assert_eq!(of_parquet(bytes, None), Ok(of_text(TEXT, None)), "{name}");
        let fields = [Field::InterfaceId, Field::DstAddr, Field::Bytes];
        let (rows, counts) = of_parquet(bytes, Some(&fields)).unwrap();
        assert_eq!((&rows, &counts), (&of_text(TEXT, Some(&fields)).0, &of_text(TEXT, None).1));
        assert_eq!((rows[0].len(), counts.nodata), (3, 1), "{name}");
        assert_eq!(counts.account.as_deref(), Some("111122223333"), "{name}");
    }
}

#[test]
fn a_reader_goes_from_text_to_parquet_and_back() {
    let object = Parquet::open(sample!("gzip"), &Limits::default()).unwrap();
    let mut reader = FlowReader::default();
    for text in [TEXT, "interface-id bytes\neni-1 5\n", TEXT] {
        let mut all = Vec::new();
        reader.parquet(&object, &mut |batch| all.extend(rows(&batch))).unwrap();
        reader.finish(&mut |_| {});
        assert_eq!(all, of_text(TEXT, None).0);
        let mut all = Vec::new();
        reader.read(text.as_bytes(), &mut |batch| all.extend(rows(&batch)));
        assert_eq!(all, of_text(text, None).0);
    }
}

#[test]
fn a_bad_value_costs_its_row_and_is_told() {
    let (rows, counts) = of_parquet(sample!("bad"), None).unwrap();
    let names = |row: &Row| row[0].1.clone();
    let text = |text: &'static str| Value::Text(text.into());
    assert_eq!(rows.iter().map(names).collect::<Vec<_>>(), [text("eni-1"), text("eni-5")]);
    assert_eq!((counts.rows, counts.bad_rows), (2, 3));
    let told: Vec<String> = counts.bad_samples.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "row 2: field `srcaddr` is no IPv4 or IPv6 address",
            "row 3: field `srcport` is no number up to 2147483647",
            "row 4: field `bytes` is no number up to 9223372036854775807",
        ]
    );
    assert_eq!(counts.unknown_fields, ["extra", "nested.one"]);
}

#[test]
fn a_table_of_something_else_is_refused() {
    let of = |bytes| of_parquet(bytes, None).unwrap_err();
    assert_eq!(of(sample!("other")), ParquetError::Unknown);
    let error = of(sample!("kinds")).to_string();
    assert_eq!(error, "column `srcport` holds Boolean; expected number up to 2147483647");
    let error = of(sample!("delta-prefix")).to_string();
    assert!(error.contains("column `account_id` at byte"), "{error}");
    assert!(error.contains("DELTA_BYTE_ARRAY"), "{error}");
}

#[test]
fn flows_of_security_lake_read_as_the_flow_log_that_they_were() {
    let text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status vpc-id region flow-direction
5 111122223333 eni-0a1 10.0.0.4 192.0.2.9 41001 443 6 10 840 1767607200 1767607260 ACCEPT OK vpc-0a1 eu-west-1 egress
5 111122223333 eni-0a1 192.0.2.9 10.0.0.4 443 41001 6 12 9000 1767607200 1767607260 ACCEPT OK vpc-0a1 eu-west-1 ingress
5 111122223333 eni-0a2 - - - - - - - 1767607200 1767607260 - NODATA vpc-0a1 eu-west-1 -
5 111122223333 eni-0a2 2001:db8::1 2001:db8::2 51000 22 6 1 40 1767607201 1767607259 REJECT OK vpc-0a1 eu-west-1 ingress
";
    let (expected, counts) = of_text(text, None);
    assert_eq!(of_parquet(sample!("ocsf-flow"), None), Ok((expected, counts)));
}
