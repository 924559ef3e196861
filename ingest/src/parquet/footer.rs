//! The footer of a Parquet object: schema, row groups, columns. In: the object. Out: what the crate
//! reads in it, once it is known to be neither too large nor too deep for that.

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::compact::{Compact, kind};
use super::guard::guarded;
use super::{FOOTER_BYTES_MAX, MAGIC, ParquetError, SCHEMA_DEPTH_MAX};

/// Length of the footer and last magic bytes. Unit: bytes.
const TAIL_BYTES: usize = 8;

/// What the footer says, and where it begins.
pub(super) fn read(bytes: &[u8]) -> Result<(ParquetMetaData, usize), ParquetError> {
    let damaged = |at: usize, expected: &str| ParquetError::Damaged {
        offset: at as u64,
        expected: expected.to_owned(),
    };
    let end = bytes.len();
    let (body, tail) = bytes
        .split_last_chunk::<TAIL_BYTES>()
        .filter(|(body, tail)| body.len() >= MAGIC.len() && tail.ends_with(MAGIC))
        .ok_or_else(|| damaged(end, "the rest of it, which ends in `PAR1`"))?;
    let length = tail.first_chunk().map_or(0, |length| u32::from_le_bytes(*length)) as usize;
    if length > FOOTER_BYTES_MAX {
        return Err(damaged(end, &format!("a footer of up to {FOOTER_BYTES_MAX} bytes")));
    }
    let at = body.len().checked_sub(length).filter(|at| *at >= MAGIC.len());
    let at = at.ok_or_else(|| damaged(end, "a footer that is shorter than the object"))?;
    let footer = body.get(at..).unwrap_or_default();
    if depth(footer).is_none_or(|depth| depth > SCHEMA_DEPTH_MAX) {
        let expected = format!("a footer with a schema of up to {SCHEMA_DEPTH_MAX} levels");
        return Err(damaged(at, &expected));
    }
    let metadata = guarded(|| ParquetMetaDataReader::decode_metadata(footer));
    let metadata = metadata.map_err(|why| damaged(at, &format!("a valid footer ({why})")))?;
    Ok((metadata, at))
}

/// How deep the columns of the schema stand in one another. The crate goes down by calling itself, so
/// it has to be known before.
fn depth(footer: &[u8]) -> Option<usize> {
    let mut deepest = None;
    Compact::new(footer).fields(&mut |compact, id, of| {
        if (id, of) != (2, kind::LIST) {
            return Some(false);
        }
        let (n, _) = compact.list()?;
        // How many columns are still to come in each that is open.
        let mut open: Vec<u32> = Vec::new();
        for _ in 0..n {
            let mut n_children = 0;
            compact.fields(&mut |compact, id, of| {
                if (id, of) != (5, kind::I32) {
                    return Some(false);
                }
                n_children = compact.count()?;
                Some(true)
            })?;
            if let Some(left) = open.last_mut() {
                *left = left.checked_sub(1)?;
            }
            open.push(n_children);
            deepest = deepest.max(Some(open.len()));
            // One level above the limit is enough to know.
            if open.len() > SCHEMA_DEPTH_MAX {
                break;
            }
            while open.last() == Some(&0) {
                open.pop();
            }
        }
        (open.len() <= SCHEMA_DEPTH_MAX).then_some(true)
    })?;
    deepest
}
