//! Parquet of every shape: no panic, every row readable, and none of an object that is damaged.
#![no_main]

use ingest::cloudtrail::{is_ocsf, read_ocsf};
use ingest::decode::Limits;
use ingest::flowlog::FlowReader;
use ingest::parquet::Parquet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { inflated_bytes_max: 64 << 20, ..Limits::default() };
    let Ok(object) = Parquet::open(bytes, &limits) else { return };
    if is_ocsf(&object) {
        let mut next = 0;
        let _either = read_ocsf(&object, |index, _| {
            assert_eq!(index, next);
            next += 1;
        });
        return;
    }
    let mut reader = FlowReader::default();
    let mut rows = 0;
    let read = reader.parquet(&object, &mut |batch| {
        for i in 0..batch.rows() {
            rows += 1;
            assert_eq!(batch.row(i).count(), batch.layout().fields().len());
        }
    });
    let counts = reader.finish(&mut |_| {});
    assert!(read.is_err() || counts.rows == rows);
});
