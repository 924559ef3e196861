//! Flow text of every shape: no panic, every row readable, and calls within their bounds.
#![no_main]

use ingest::flow::{Calls, FlowBatch};
use ingest::flowlog::{FlowReader, looks_like_flow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let (block, text) = text.split_first().map_or((1, text), |(n, text)| (1 + *n as usize, text));
    let _ = looks_like_flow(text);
    let mut calls = Calls::default();
    let mut rows = 0;
    let mut visit = |batch: FlowBatch| {
        calls.add(&batch);
        for i in 0..batch.rows() {
            rows += 1;
            assert_eq!(batch.row(i).count(), batch.layout().fields().len());
        }
    };
    let mut reader = FlowReader::default();
    for block in text.chunks(block) {
        reader.push(block, &mut visit);
    }
    let counts = reader.finish(&mut visit);
    assert_eq!(counts.rows, rows);
    calls.finish(&mut Vec::new());
});
