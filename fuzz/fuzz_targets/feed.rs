//! CloudTrail objects in blocks: the records, errors and offsets of the whole text, however it is
//! cut.
#![no_main]

use ingest::cloudtrail::{self, Feed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let decoded = cloudtrail::text(bytes);
    let mut whole = Vec::new();
    let shape = cloudtrail::read(&decoded.text, |index, record| {
        whole.push(format!("{index} {record:?}"));
    });
    let mut feed = Feed::new(decoded.text.len());
    let mut seen = Vec::new();
    let mut pushed = Ok(());
    for block in bytes.chunks(usize::from(size).max(1)) {
        pushed = feed.push(block, |index, record| seen.push(format!("{index} {record:?}")));
        if pushed.is_err() {
            break;
        }
    }
    let fed = pushed.and_then(|()| {
        assert_eq!(feed.is_lossy(), decoded.lossy);
        feed.finish(|index, record| seen.push(format!("{index} {record:?}")))
    });
    assert_eq!(fed, shape);
    assert_eq!(seen, whole);
});
