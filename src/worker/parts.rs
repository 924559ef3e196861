//! An object whose rows are too many to be held until it is known to be whole: it was read to its end before, and
//! is read again, a part at a time. In: its bytes. Out: its records, applied.

use super::{ObjectRead, Worker, take};
use anyhow::Result;
use detect::{Chunk, Engine};
use ingest::cloudtrail::Feed;

/// Records that are applied at a time, and as many more as one block holds. Unit: records.
const PART_RECORDS: usize = 16_384;

impl Worker<'_> {
    /// Applies CloudTrail records of what was loaded, which [`Worker::read`] found whole and of this size; answers
    /// when the newest of them happened. Unit: bytes; milliseconds since the Unix epoch.
    pub(crate) fn apply(
        &mut self,
        inflated_bytes: u64,
        stamp_ms: Option<i64>,
        engine: &mut Engine,
    ) -> Result<Option<i64>> {
        let content = self.content();
        let Self { decoder, file, filter, .. } = self;
        let mut stream = decoder.stream(file, inflated_bytes);
        let mut feed = Feed::new(usize::try_from(inflated_bytes).unwrap_or(usize::MAX));
        // What the records amount to was told when the object was found whole.
        let mut told = ObjectRead::default();
        let mut newest_ms = None;
        let mut reader = engine.reader_after(Chunk::default());
        reader.begin(content, stamp_ms);
        loop {
            let block = stream.next_block()?;
            if block.is_empty() {
                break;
            }
            feed.push(block, |_, record| take(&record, filter, &mut told, &mut reader))?;
            if reader.n_records() >= PART_RECORDS {
                newest_ms = newest_ms.max(reader.newest_ms());
                let part = reader.finish();
                engine.apply(std::slice::from_ref(&part))?;
                reader = engine.reader_after(part.emptied(usize::MAX));
                reader.go_on(stamp_ms);
            }
        }
        feed.finish(|_, record| take(&record, filter, &mut told, &mut reader))?;
        newest_ms = newest_ms.max(reader.newest_ms());
        engine.apply(&[reader.finish()])?;
        Ok(newest_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::{BATCH_BYTES_MAX, Observer, Whole},
        replay::{self, Plan},
        summary::Summary,
    };
    use ingest::{
        decode::Limits,
        enrich::Enrich,
        source::{Filter, PathArg},
    };
    use std::path::Path;

    #[derive(Default)]
    struct Told {
        unread: Vec<String>,
        newest_ms: Vec<Option<i64>>,
    }

    impl Observer for Told {
        fn begin(&mut self, _: u64) {}

        fn read(&mut self, _: u64) {}

        fn applied(&mut self, _: &mut Engine, objects: &[Whole<'_>]) -> Result<()> {
            self.newest_ms.extend(objects.iter().map(|whole| whole.newest_ms));
            Ok(())
        }

        fn trouble(&mut self, object: &str, what: &str) {
            self.unread.push(format!("{object}: {what}"));
        }
    }

    fn record(n: usize) -> String {
        format!(
            r#"{{"eventTime":"2025-03-14T09:{:02}:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","eventID":"e-{n}","recipientAccountId":"111122223333"}}"#,
            n % 50
        )
    }

    fn deliver(folder: &Path, name: u8, text: &str) {
        let name = format!(
            "111122223333_CloudTrail_us-east-1_20250314T10{name:02}Z_aaaaaaaaaaaaaaaa.json.gz"
        );
        std::fs::write(folder.join(name), testdata::aws::gzip(text.as_bytes()).unwrap()).unwrap();
    }

    fn replayed(folder: &Path, limits: Limits) -> (Summary, Told) {
        replayed_with(folder, limits, detect::Options::default())
    }

    fn replayed_with(folder: &Path, limits: Limits, options: detect::Options) -> (Summary, Told) {
        let plan = Plan {
            paths: vec![PathArg::new(folder)],
            filter: Filter::default(),
            limits,
            flow_format: None,
            batch_bytes: BATCH_BYTES_MAX,
            buckets: Vec::new(),
            aws: None,
        };
        let mut engine = Engine::new(options, Enrich::built_in());
        let mut told = Told::default();
        (replay::run(&plan, &mut engine, &mut told).unwrap(), told)
    }

    #[test]
    fn what_is_applied_in_parts_counts_as_what_is_applied_at_once() {
        const RECORDS: usize = 2 * PART_RECORDS + 1_000;
        let folder = tempfile::tempdir().unwrap();
        let records: Vec<String> = (0..RECORDS).map(record).collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        deliver(folder.path(), 1, &text);
        deliver(folder.path(), 2, &format!(r#"{{"Records":[{}]}}"#, record(RECORDS)));
        // The same again, and all but the end of it.
        deliver(folder.path(), 3, &text);
        deliver(folder.path(), 4, text.get(..text.len() - 2).unwrap());
        let (at_once, told_at_once) = replayed(folder.path(), Limits::default());
        let small =
            Limits { whole_bytes_max: 1 << 20, rows_bytes_max: 2 << 20, ..Limits::default() };
        let (in_parts, told_in_parts) = replayed(folder.path(), small);
        assert_eq!(in_parts.intake, at_once.intake);
        let n_counted = (in_parts.intake.n_records, in_parts.intake.n_duplicate_objects);
        assert_eq!(n_counted, (RECORDS as u64 + 1, 1));
        assert_eq!(in_parts.inflated_bytes(), at_once.inflated_bytes());
        assert_eq!(told_in_parts.newest_ms, told_at_once.newest_ms);
        assert_eq!(told_in_parts.unread, told_at_once.unread);
        assert_eq!(told_in_parts.unread.len(), 1, "{:?}", told_in_parts.unread);
    }
    #[test]
    fn all_of_an_object_that_comes_twice_is_left_out_whatever_is_known_of_its_records() {
        const RECORDS: usize = 2 * PART_RECORDS;
        let folder = tempfile::tempdir().unwrap();
        let records: Vec<String> = (0..RECORDS).map(record).collect();
        let text = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        deliver(folder.path(), 1, &text);
        deliver(folder.path(), 2, &text);
        let options = detect::Options { duplicates_budget_bytes: 1, ..detect::Options::default() };
        let small =
            Limits { whole_bytes_max: 1 << 20, rows_bytes_max: 2 << 20, ..Limits::default() };
        let intake = replayed_with(folder.path(), small, options).0.intake;
        let n_counted = (intake.n_records, intake.n_duplicates, intake.n_duplicate_objects);
        assert_eq!(n_counted, (RECORDS as u64, RECORDS as u64, 1));
    }
}
