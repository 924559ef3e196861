//! Objects of every format, damaged in every way: no panic, no growth past the limits, and the fast
//! way agrees with the block reader.
#![no_main]

use ingest::decode::{Decoder, Inflated, Limits};
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    inflated_bytes_max: 1 << 20,
    whole_bytes_max: 1 << 16,
    rows_bytes_max: 1 << 18,
    ratio_watch_bytes: 1 << 19,
    ratio_max: 900,
};

fn content(limits: Limits, object: &[u8]) -> Option<Vec<u8>> {
    match Decoder::new(limits).decode(object).ok()? {
        Inflated::Whole(bytes) => Some(bytes.to_vec()),
        Inflated::Stream(mut stream) => {
            let mut all = Vec::new();
            loop {
                match stream.next_block().expect("the first pass found no fault") {
                    [] => break,
                    block => all.extend_from_slice(block),
                }
            }
            assert!(all.len() as u64 <= limits.inflated_bytes_max);
            Some(all)
        }
    }
}

fuzz_target!(|object: &[u8]| {
    let fast = content(LIMITS, object);
    let in_blocks = content(Limits { whole_bytes_max: 0, ..LIMITS }, object);
    assert_eq!(fast, in_blocks);
});
