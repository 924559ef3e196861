use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, ListArray, StringArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;
use proptest::prelude::*;

use super::*;
use crate::cloudtrail::RECORD_BYTES_MAX;
use crate::decode::Limits;
use crate::event::Event;

const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../parquet/samples/ocsf-cloudtrail.parquet"),
    include_bytes!("../../parquet/samples/ocsf-cloudtrail-v2.parquet"),
];

/// What every record says, in words.
fn told(sample: &[u8], tell: impl Fn(&Event<'_>) -> String) -> Vec<Result<String, String>> {
    let object = Parquet::open(sample, &Limits::default()).unwrap();
    assert!(is_ocsf(&object));
    let mut all = Vec::new();
    read_ocsf(&object, |index, record| {
        assert_eq!(index, all.len());
        all.push(match record {
            Ok(Record::Event(event)) => Ok(tell(&event)),
            Ok(_) => Err("no event".to_owned()),
            Err(error) => Err(error.to_string()),
        });
    })
    .unwrap();
    all
}

#[test]
fn a_call_reads_as_that_of_cloudtrail() {
    let words = |event: &Event<'_>| {
        let of = |text: Option<crate::Text<'_>>| {
            text.map_or_else(|| "-".into(), |text| text.to_string())
        };
        [
            of(event.id),
            format_ms(event.time_ms),
            event.source.to_string(),
            event.name.to_string(),
            of(event.source_ip),
            of(event.error_code),
            of(event.event_type),
            of(event.recipient_account),
            of(event.user_agent),
        ]
        .join(" ")
    };
    for sample in SAMPLES {
        let all = told(sample, words);
        let expected = [
            "e-0 2026-01-05T10:00:00.123Z s3.amazonaws.com GetObject 192.0.2.9 - AwsApiCall 111122223333 aws-cli/2.15",
            "e-1 2026-01-05T10:00:01.123Z cloudtrail.amazonaws.com DeleteTrail 2001:db8::7 AccessDenied AwsApiCall 111122223333 aws-cli/2.15",
            "e-2 2026-01-05T10:00:02.123Z signin.amazonaws.com ConsoleLogin 192.0.2.9 - AwsConsoleSignIn 111122223333 aws-cli/2.15",
            "e-3 2026-01-05T10:00:03.123Z kms.amazonaws.com GenerateDataKey s3.amazonaws.com - AwsApiCall 111122223333 aws-cli/2.15",
        ];
        let (records, others) = all.split_at(4);
        assert_eq!(records, expected.map(|one| Ok(one.to_owned())));
        assert!(others[0].as_ref().unwrap_err().ends_with("expected a record of CloudTrail"));
    }
}

#[test]
fn what_has_no_column_of_its_own_stands_where_cloudtrail_has_it() {
    for sample in SAMPLES {
        let raw = told(sample, |event| event.raw.0.to_owned());
        let value = |n: usize| serde_json::from_str::<Value>(raw[n].as_ref().unwrap()).unwrap();
        let (first, second, third, fourth) = (value(0), value(1), value(2), value(3));
        assert_eq!(first["readOnly"], true);
        assert_eq!(first["managementEvent"], false);
        assert_eq!(first["additionalEventData"]["bytesTransferredOut"], 4096);
        assert_eq!(first.get("sharedEventID"), None);
        assert_eq!(first["requestParameters"]["bucketName"], "logs");
        let session = &first["userIdentity"]["sessionContext"];
        assert_eq!(session["sessionIssuer"]["type"], "Role");
        assert_eq!(session["sessionIssuer"]["arn"], "arn:aws:iam::111122223333:role/r");
        assert_eq!(session["attributes"]["mfaAuthenticated"], "true");
        assert_eq!(session["attributes"]["creationDate"], "2026-01-05T08:00:00Z");
        assert_eq!(
            first["resources"],
            serde_json::json!([{"ARN": "arn:aws:s3:::logs", "accountId": "111122223333", "type": "AWS::S3::Bucket"}])
        );
        assert_eq!(second["tlsDetails"]["tlsVersion"], "TLSv1.3");
        assert_eq!(second.get("responseElements"), None);
        assert_eq!(third["additionalEventData"]["MFAUsed"], "No");
        assert_eq!(third["additionalEventData"]["MobileVersion"], "No");
        assert_eq!(third["responseElements"]["ConsoleLogin"], "Failure");
        assert_eq!(fourth["requestParameters"], "no JSON");
        assert_eq!(fourth.get("resources"), None);
    }
}

#[test]
fn names_without_end_and_names_in_the_way_are_left_out() {
    let mut record = Map::new();
    insert(&mut record, "a.b", "kept".into());
    insert(&mut record, "a.b.c", "in the way".into());
    insert(&mut record, &["x"; UNMAPPED_DEPTH_MAX].join("."), "deep".into());
    insert(&mut record, &["y"; UNMAPPED_DEPTH_MAX + 1].join("."), "too deep".into());
    assert_eq!(record["a"]["b"], "kept");
    assert!(record.contains_key("x") && !record.contains_key("y"));
}

#[test]
fn flow_logs_and_older_tables_are_none() {
    let flows = include_bytes!("../../parquet/samples/ocsf-flow.parquet");
    assert!(!is_ocsf(&Parquet::open(flows, &Limits::default()).unwrap()));
}

/// A column with a row for each of these numbers of items, all of one word that is written once.
fn lists(n_items: &[usize], word: &str) -> RecordBatch {
    let keys = Int32Array::from(vec![0; n_items.iter().sum()]);
    let word: ArrayRef = Arc::new(StringArray::from(vec![word]));
    let words = DictionaryArray::<Int32Type>::new(keys, word);
    let item = Arc::new(Field::new("item", arrow_array::Array::data_type(&words).clone(), true));
    let lengths = OffsetBuffer::from_lengths(n_items.iter().copied());
    let column: ArrayRef = Arc::new(ListArray::new(item, lengths, Arc::new(words), None));
    RecordBatch::try_from_iter([("resources", column)]).unwrap()
}

#[test]
fn a_record_with_too_many_items_is_bad_and_those_around_it_are_read() {
    let batch = lists(&[cells::LISTED_MAX, cells::LISTED_MAX + 1, 1], "w");
    let n_items =
        |row| cells::row(&batch, row).map(|row| row["resources"].as_array().unwrap().len());
    assert_eq!([0, 1, 2].map(n_items), [Some(cells::LISTED_MAX), None, Some(1)]);
    let (mut index, mut told) = (7, Vec::new());
    all(&batch, &mut index, &mut |n, record| told.push((n, record.unwrap_err().to_string())));
    let expected = "record 8 at byte 0: expected a record of at most 16 MiB, with at most 4,096 values in lists";
    assert_eq!((index, &told[1]), (10, &(8, expected.to_owned())));
    assert_eq!((cells::LISTED_MAX, RECORD_BYTES_MAX), (4_096, 16 << 20));
}

#[test]
fn a_word_counts_as_often_as_it_stands_in_a_record() {
    let n = 64;
    let word = "w".repeat((RECORD_BYTES_MAX - "resources".len()) / n);
    let batch = lists(&[n, n + 1, n], &word);
    assert_eq!([0, 1, 2].map(|row| cells::row(&batch, row).is_some()), [true, false, true]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_bytes_make_it_panic(
        sample in 0..SAMPLES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = SAMPLES[sample].to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(object) = Parquet::open(&bytes, &Limits::default()) {
            let _either = read_ocsf(&object, |_, _| {});
        }
    }
}
