use proptest::prelude::*;

use super::*;

const SAMPLES: [&[u8]; 7] = [
    include_bytes!("samples/gzip.parquet"),
    include_bytes!("samples/none.parquet"),
    include_bytes!("samples/snappy-v2.parquet"),
    include_bytes!("samples/zstd.parquet"),
    include_bytes!("samples/delta.parquet"),
    include_bytes!("samples/words.parquet"),
    include_bytes!("samples/ocsf-flow.parquet"),
];

fn all_columns(object: &Parquet<'_>) -> Vec<usize> {
    object.columns().map(|(number, _)| number).collect()
}

/// Reads everything in all columns and counts the rows.
fn read(bytes: &[u8]) -> Result<usize, ParquetError> {
    let object = Parquet::open(bytes, &Limits::default())?;
    let mut n_rows = 0;
    object.read(&all_columns(&object), 3, &mut |batch| {
        n_rows += batch.num_rows();
        Ok(())
    })?;
    Ok(n_rows)
}

#[test]
fn an_object_that_is_cut_is_refused_wherever_it_ends() {
    for sample in SAMPLES {
        assert_eq!(read(sample), Ok(4));
        for end in 0..sample.len() {
            assert!(read(&sample[..end]).is_err(), "{end} of {}", sample.len());
        }
    }
}

#[test]
fn a_cut_object_and_a_broken_page_are_told_with_their_place() {
    let [sample, ..] = SAMPLES;
    let error = read(&sample[..1_000]).unwrap_err().to_string();
    assert_eq!(
        error,
        "damaged Parquet near byte 1000: expected the rest of it, which ends in `PAR1`"
    );
    let object = Parquet::open(sample, &Limits::default()).unwrap();
    let column = object.metadata.row_group(0).column(3);
    let at = usize::try_from(column.dictionary_page_offset().unwrap()).unwrap();
    let mut damaged = sample.to_vec();
    damaged[at] ^= 0xff;
    let error = read(&damaged).unwrap_err().to_string();
    assert_eq!(error, format!("damaged Parquet near byte {at}: expected the header of a page"));
    let mut damaged = sample.to_vec();
    damaged[at + 30] ^= 0xff;
    let error = read(&damaged).unwrap_err().to_string();
    assert!(
        error.starts_with("damaged Parquet in row group 0: page of column `srcaddr`"),
        "{error}"
    );
}

#[test]
fn a_page_that_is_not_compressed_has_a_checksum() {
    let [_, sample, ..] = SAMPLES;
    let word = b"REJECT";
    let at = sample.windows(word.len()).position(|window| window == word).unwrap();
    let mut damaged = sample.to_vec();
    damaged[at] = b'X';
    let error = read(&damaged).unwrap_err().to_string();
    assert!(error.contains("page of column `action` at byte"), "{error}");
    assert!(error.ends_with("its checksum is that of other bytes"), "{error}");
}

fn with_footer(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [MAGIC, footer, &length, MAGIC].concat()
}

#[test]
fn a_footer_that_is_too_long_or_too_deep_is_refused_unread() {
    // A list of columns, each of which has the next one in it.
    let deep = |n: u8| {
        let mut footer = vec![0x29, 0xfc, n];
        (1..n).for_each(|_| footer.extend([0x55, 2, 0]));
        footer.extend([0x55, 0, 0, 0]);
        with_footer(&footer)
    };
    let error = read(&deep(33)).unwrap_err().to_string();
    assert!(error.ends_with("expected a footer with a schema of up to 32 levels"), "{error}");
    let error = read(&deep(32)).unwrap_err().to_string();
    assert!(error.contains("expected a valid footer ("), "{error}");
    let mut long = with_footer(&[0]);
    let at = long.len() - 8;
    long[at..at + 4].copy_from_slice(&0x0100_0001_u32.to_le_bytes());
    let error = read(&long).unwrap_err().to_string();
    assert!(error.ends_with("expected a footer of up to 16777216 bytes"), "{error}");
    // More columns and row groups than there are bytes.
    for head in [0x29, 0x49] {
        let error = read(&with_footer(&[head, 0xfc, 0xff, 0xff, 0xff, 0x7f, 0])).unwrap_err();
        assert!(matches!(error, ParquetError::Damaged { offset: 4, .. }), "{error}");
    }
}

#[test]
fn the_limits_of_an_object_hold() {
    let [sample, ..] = SAMPLES;
    let of = |limits: Limits| Parquet::open(sample, &limits).map(|object| object.inflated_bytes());
    let inflated = of(Limits::default()).unwrap();
    assert!(inflated >= 4 * ROW_BYTES_MIN);
    let limit = inflated - 1;
    let small = Limits { inflated_bytes_max: limit, ..Limits::default() };
    assert_eq!(of(small), Err(ParquetError::TooLarge { limit }));
    let watched = Limits { ratio_watch_bytes: 0, ratio_max: 0, ..Limits::default() };
    assert_eq!(of(watched), Err(ParquetError::Ratio { limit: 0 }));
    let mut object = Parquet::open(sample, &Limits::default()).unwrap();
    object.row_group_bytes_max = 10;
    let columns = all_columns(&object);
    let error = object.read(&columns, 10, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(error.contains("in the columns in use; expected up to 10"), "{error}");
    let object = Parquet::open(sample, &Limits::default()).unwrap();
    let error = object.read(&columns, BATCH_COLUMN_BYTES_MAX, &mut |_| Ok(())).unwrap_err();
    assert!(error.to_string().ends_with("expected a dictionary of words up to 1 bytes"), "{error}");
    let lists = include_bytes!("samples/ocsf-cloudtrail.parquet");
    let mut lists = Parquet::open(lists, &Limits::default()).unwrap();
    let columns: Vec<usize> = lists.all_columns().map(|(number, _)| number).collect();
    assert_eq!(lists.read(&columns, 10, &mut |_| Ok(())), Ok(()));
    lists.listed_values_max = 5;
    let error = lists.read(&columns, 10, &mut |_| Ok(())).unwrap_err().to_string();
    assert!(error.ends_with("values in a column of lists; expected up to 5"), "{error}");
    let column = object.metadata.row_group(0).column(3);
    let place = range(column, sample.len()).unwrap();
    let error = heads::walk(&sample[place], 0, 1).unwrap_err();
    assert_eq!(error, ParquetError::TooManyPages { limit: PAGES_MAX });
}

#[test]
fn what_the_crate_asserts_is_an_error() {
    let asserts = |holds: bool| {
        guarded(|| {
            assert!(holds, "a claim about bytes of others");
            Ok::<_, String>(1)
        })
    };
    let told = "expected values in the encoding that their page names".to_owned();
    assert_eq!((asserts(true), asserts(false)), (Ok(1), Err(told)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_bytes_make_a_reader_panic(
        sample in 0..SAMPLES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = SAMPLES[sample].to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _either = read(&bytes);
    }
}
