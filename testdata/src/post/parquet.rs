//! Flow logs delivered as Parquet in place of text: the same records, packed otherwise.

use std::error::Error;

use libdeflater::Decompressor;

use super::Sink;
use crate::aws::parquet::parquet;

/// How an object of text ends, and one of Parquet.
const ENDINGS: (&str, &str) = (".log.gz", ".log.parquet");

/// Hands objects on, those of flow logs as Parquet.
pub struct AsParquet<'s>(pub &'s mut dyn Sink);

impl Sink for AsParquet<'_> {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let Some(stem) = key.strip_suffix(ENDINGS.0) else { return self.0.object(key, bytes) };
        // The last bytes of gzip say how long the content is.
        let length = bytes.last_chunk().map_or(0, |length| u32::from_le_bytes(*length));
        let mut text = vec![0; usize::try_from(length)?];
        Decompressor::new().gzip_decompress(bytes, &mut text)?;
        let key = format!("{stem}{}", ENDINGS.1);
        self.0.object(&key, &parquet(std::str::from_utf8(&text)?)?)
    }
}
