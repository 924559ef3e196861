//! Flow logs as Parquet, as AWS writes them: names with underscores, numbers as INT32 and INT64, all
//! else as strings, `-` as null, GZIP inside. In: the text of the same records, with its header.
//!
//! It is written by hand, so that whoever reads Parquet is not tested with the library that it reads
//! with (parquet.apache.org/docs/file-format, and `parquet.thrift` for the numbers of fields).

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "an object has far less than 2 GiB, and a row group fewer than 65,536 rows"
)]

use std::collections::BTreeMap;

use libdeflater::CompressionError;

use super::gzip;

/// A row group has no more. Unit: rows.
const GROUP_ROWS_MAX: usize = 50_000;

/// Fields that AWS writes as INT32.
const INT32: [&str; 6] = ["version", "srcport", "dstport", "protocol", "tcp_flags", "traffic_path"];
/// Fields that AWS writes as INT64.
const INT64: [&str; 4] = ["packets", "bytes", "start", "end"];

/// Types, encodings, codecs and repetitions by their numbers in `parquet.thrift`.
mod number {
    pub(super) const INT32: i64 = 1;
    pub(super) const INT64: i64 = 2;
    pub(super) const BYTE_ARRAY: i64 = 6;
    pub(super) const OPTIONAL: i64 = 1;
    pub(super) const UTF8: i64 = 0;
    pub(super) const PLAIN: i64 = 0;
    pub(super) const RLE: i64 = 3;
    pub(super) const RLE_DICTIONARY: i64 = 8;
    pub(super) const GZIP: i64 = 2;
    pub(super) const DATA_PAGE: i64 = 0;
    pub(super) const DICTIONARY_PAGE: i64 = 2;
}

/// The object with the records of this text.
pub fn parquet(text: &str) -> Result<Vec<u8>, CompressionError> {
    let mut lines = text.lines();
    let names: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(|name| name.replace('-', "_"))
        .collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split_ascii_whitespace().collect()).collect();
    let mut out = b"PAR1".to_vec();
    let mut groups = Vec::new();
    for rows in rows.chunks(GROUP_ROWS_MAX) {
        let mut columns = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let values: Vec<Option<&str>> =
                rows.iter().map(|row| row.get(at).copied().filter(|value| *value != "-")).collect();
            columns.push(column(name, &values, &mut out)?);
        }
        groups.push((columns, rows.len()));
    }
    let footer = footer(&names, &groups, rows.len());
    out.extend(&footer);
    out.extend((footer.len() as u32).to_le_bytes());
    out.extend(b"PAR1");
    Ok(out)
}

fn physical(name: &str) -> i64 {
    match name {
        _ if INT32.contains(&name) => number::INT32,
        _ if INT64.contains(&name) => number::INT64,
        _ => number::BYTE_ARRAY,
    }
}

/// Appends the pages of a column and describes it.
fn column(
    name: &str,
    values: &[Option<&str>],
    out: &mut Vec<u8>,
) -> Result<Struct, CompressionError> {
    let physical = physical(name);
    let start = out.len();
    let mut inflated = 0;
    let present = || values.iter().flatten();
    let levels: Vec<u32> = values.iter().map(|value| u32::from(value.is_some())).collect();
    let levels = packed(&levels, 1);
    let mut content = (levels.len() as u32).to_le_bytes().to_vec();
    content.extend(levels);
    let mut encoding = number::PLAIN;
    match physical {
        number::INT32 => content.extend(present().flat_map(|value| int(value).to_le_bytes())),
        number::INT64 => content.extend(present().flat_map(|value| long(value).to_le_bytes())),
        _ => {
            let mut places = BTreeMap::new();
            let mut dictionary = Vec::new();
            let mut keys = Vec::new();
            for value in present() {
                let next = places.len() as u32;
                let place = *places.entry(*value).or_insert(next);
                if place == next {
                    dictionary.extend((value.len() as u32).to_le_bytes());
                    dictionary.extend(value.bytes());
                }
                keys.push(place);
            }
            let mut header = Struct::default();
            header.number(1, places.len() as i64).number(2, number::PLAIN);
            inflated += page(number::DICTIONARY_PAGE, (7, header), &dictionary, out)?;
            let width = (places.len() as u32).max(2).next_power_of_two().ilog2();
            content.push(width as u8);
            content.extend(packed(&keys, width));
            encoding = number::RLE_DICTIONARY;
        }
    }
    let data_at = out.len();
    let mut header = Struct::default();
    header.number(1, values.len() as i64).number(2, encoding);
    header.number(3, number::RLE).number(4, number::RLE);
    inflated += page(number::DATA_PAGE, (5, header), &content, out)?;
    let mut about = Struct::default();
    about.number(1, physical);
    about.numbers(2, &[number::PLAIN, number::RLE, number::RLE_DICTIONARY]);
    about.texts(3, &[name]).number(4, number::GZIP).long(5, values.len() as i64);
    about.long(6, inflated as i64).long(7, (out.len() - start) as i64).long(9, data_at as i64);
    if physical == number::BYTE_ARRAY {
        about.long(11, start as i64);
    }
    let mut column = Struct::default();
    column.long(2, start as i64).inner(3, about);
    Ok(column)
}

/// Appends a page and says how large it is inflated, its header included. Unit: bytes.
fn page(
    kind: i64,
    (id, header): (i16, Struct),
    content: &[u8],
    out: &mut Vec<u8>,
) -> Result<usize, CompressionError> {
    let stored = gzip(content)?;
    let mut all = Struct::default();
    all.number(1, kind).number(2, content.len() as i64).number(3, stored.len() as i64);
    all.inner(id, header);
    let header = all.end();
    out.extend(&header);
    out.extend(stored);
    Ok(header.len() + content.len())
}

fn footer(names: &[String], groups: &[(Vec<Struct>, usize)], n_rows: usize) -> Vec<u8> {
    let mut root = Struct::default();
    root.text(4, "schema").number(5, names.len() as i64);
    let mut schema = vec![root];
    for name in names {
        let mut column = Struct::default();
        let physical = physical(name);
        column.number(1, physical).number(3, number::OPTIONAL).text(4, name);
        if physical == number::BYTE_ARRAY {
            column.number(6, number::UTF8);
        }
        schema.push(column);
    }
    let groups: Vec<Struct> = groups
        .iter()
        .map(|(columns, n_rows)| {
            let mut group = Struct::default();
            group.inners(1, columns).long(2, 0).long(3, *n_rows as i64);
            group
        })
        .collect();
    let mut footer = Struct::default();
    footer.number(1, 1).inners(2, &schema).long(3, n_rows as i64).inners(4, &groups);
    footer.text(6, "simulated");
    footer.end()
}

fn int(value: &str) -> i32 {
    value.parse().unwrap_or_default()
}

fn long(value: &str) -> i64 {
    value.parse().unwrap_or_default()
}

/// Numbers of so many bits, eight at a time, the lowest bits first: one run of the hybrid of runs and
/// packed bits.
fn packed(numbers: &[u32], width: u32) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, (numbers.len().div_ceil(8) as u64) << 1 | 1);
    for eight in numbers.chunks(8) {
        let mut bits = 0_u128;
        let mut shifts = (0..).step_by(width as usize);
        for number in eight {
            bits |= u128::from(*number) << shifts.next().unwrap_or(0);
        }
        // 8 numbers of up to 16 bits.
        out.extend(bits.to_le_bytes().iter().take(width as usize));
    }
    out
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn zigzag(out: &mut Vec<u8>, number: i64) {
    varint(out, (number << 1 ^ number >> 63).cast_unsigned());
}

/// A struct of Thrift's compact protocol, its fields in ascending order.
#[derive(Debug, Clone, Default)]
struct Struct {
    bytes: Vec<u8>,
    last: i16,
}

impl Struct {
    fn head(&mut self, id: i16, kind: u8) -> &mut Vec<u8> {
        self.bytes.push(((id - self.last) as u8) << 4 | kind);
        self.last = id;
        &mut self.bytes
    }

    fn number(&mut self, id: i16, number: i64) -> &mut Self {
        zigzag(self.head(id, 5), number);
        self
    }

    fn long(&mut self, id: i16, number: i64) -> &mut Self {
        zigzag(self.head(id, 6), number);
        self
    }

    fn text(&mut self, id: i16, text: &str) -> &mut Self {
        let out = self.head(id, 8);
        varint(out, text.len() as u64);
        out.extend(text.bytes());
        self
    }

    fn inner(&mut self, id: i16, inner: Self) -> &mut Self {
        self.head(id, 12).extend(inner.end());
        self
    }

    fn list(&mut self, id: i16, kind: u8, n: usize) -> &mut Vec<u8> {
        let out = self.head(id, 9);
        out.push(0xf0 | kind);
        varint(out, n as u64);
        out
    }

    fn numbers(&mut self, id: i16, numbers: &[i64]) -> &mut Self {
        let out = self.list(id, 5, numbers.len());
        for number in numbers {
            zigzag(out, *number);
        }
        self
    }

    fn texts(&mut self, id: i16, texts: &[&str]) -> &mut Self {
        let out = self.list(id, 8, texts.len());
        for text in texts {
            varint(out, text.len() as u64);
            out.extend(text.bytes());
        }
        self
    }

    fn inners(&mut self, id: i16, inners: &[Self]) -> &mut Self {
        let out = self.list(id, 12, inners.len());
        for inner in inners {
            out.extend(inner.clone().end());
        }
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}
