//! How AWS writes logs: keys of objects, names, stamps, delays, compression. Stories are elsewhere.

pub mod api;
pub mod call;
pub mod caller;
pub mod delivery;
pub mod digest;
pub mod flow;
pub mod parquet;

use libdeflater::{CompressionError, CompressionLvl, Compressor};

/// One gzip member without a time or a name in its header, so that equal text gives equal bytes.
pub fn gzip(text: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut bytes = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}
