use std::io::Write;

use proptest::prelude::*;

use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.gzip_compress_bound(content.len())];
    let n = compressor.gzip_compress(content, &mut out).unwrap();
    out.truncate(n);
    out
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A member with every optional header field.
fn gzip_with_long_header(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new()
        .filename("a_CloudTrail_b.json")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn small() -> Limits {
    Limits {
        inflated_bytes_max: 100_000,
        whole_bytes_max: 10_000,
        rows_bytes_max: 10_000,
        ratio_watch_bytes: 50_000,
        ratio_max: 400,
    }
}

fn whole_with(limits: Limits, input: &[u8]) -> Result<Vec<u8>, DecodeError> {
    match Decoder::new(limits).decode(input)? {
        Inflated::Whole(bytes) => Ok(bytes.to_vec()),
        Inflated::Stream(mut stream) => {
            let begin = stream.first_block()?.to_vec();
            let mut all = Vec::new();
            loop {
                let block = stream.next_block()?;
                if block.is_empty() {
                    assert!(all.starts_with(&begin));
                    return Ok(all);
                }
                all.extend_from_slice(block);
            }
        }
    }
}

fn whole(input: &[u8]) -> Result<Vec<u8>, DecodeError> {
    whole_with(Limits::default(), input)
}

/// Is this object inflated without the block reader?
fn fast(input: &[u8]) -> bool {
    gzip::Whole::default().inflate(input, &mut Vec::new(), WHOLE_BYTES_MAX).is_some()
}

/// Bytes that do not compress to nothing, the same in every run.
fn noise(n: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 58) as u8 + b'0'
        })
        .collect()
}

#[test]
fn plain_text_passes_without_its_mark() {
    assert_eq!(whole(b"{}").unwrap(), b"{}");
    assert_eq!(whole(b"").unwrap(), b"");
    assert_eq!(whole(b"\xef\xbb\xbf{}").unwrap(), b"{}");
    assert_eq!(whole(&gzip(b"\xef\xbb\xbf{}")).unwrap(), b"{}");
    let unread = |found| Err(DecodeError::Unread { found });
    assert_eq!(whole(b"\xff\xfe{\0"), unread("UTF-16 text"));
    assert_eq!(whole(&gzip(b"\xfe\xff\0{")), unread("UTF-16 text"));
}

#[test]
fn parquet_and_zip_are_told_by_their_first_bytes() {
    let unread = |found| Err(DecodeError::Unread { found });
    assert_eq!(whole(b"PAR1\x15\x04"), unread("Parquet"));
    assert_eq!(whole(b"PK\x03\x04\x14"), unread("a zip archive"));
}

#[test]
fn all_members_of_a_gzip_object_are_read() {
    let content = noise(70_000);
    let object: Vec<u8> = [&content[..10], &content[10..11], &[], &content[11..]]
        .iter()
        .flat_map(|part| gzip(part))
        .collect();
    assert_eq!(whole(&object).unwrap(), content);
    let object: Vec<u8> = content.chunks(9_000).flat_map(gzip).collect();
    assert!(fast(&object));
    assert_eq!(whole(&object).unwrap(), content);
}

#[test]
fn equal_members_are_all_counted() {
    let member = gzip(b"2 123 eni-1\n");
    let object = member.repeat(5);
    assert!(fast(&object));
    assert_eq!(whole(&object).unwrap(), b"2 123 eni-1\n".repeat(5));
}

#[test]
fn long_headers_are_stepped_over() {
    let content = noise(5_000);
    let object = [gzip_with_long_header(&content), gzip_with_long_header(b"x")].concat();
    assert_eq!(whole(&object).unwrap(), [&content[..], b"x"].concat());
    // The block reader alone agrees.
    assert_eq!(
        whole_with(Limits { whole_bytes_max: 10, ..Limits::default() }, &object).unwrap(),
        [&content[..], b"x"].concat()
    );
}

#[test]
fn zero_padding_is_accepted_and_other_bytes_are_not() {
    let mut object = gzip(b"hello hello hello");
    let end = object.len() as u64;
    object.extend([0; 100]);
    assert_eq!(whole(&object).unwrap(), b"hello hello hello");
    object.push(7);
    assert_eq!(whole(&object), Err(DecodeError::TrailingBytes { format: "gzip", offset: end }));
    let mut object = gzip(b"hello hello hello");
    // A copy of the right trailer is garbage like any other.
    let trailer = object[object.len() - 8..].to_vec();
    object.extend(b"xyz");
    object.extend(trailer);
    assert_eq!(whole(&object), Err(DecodeError::TrailingBytes { format: "gzip", offset: end }));
}

#[test]
fn a_false_length_is_named_and_allocates_nothing() {
    for stated in [0_u32, 16, 18, 0x7fff_ffff, u32::MAX] {
        let mut object = gzip(b"hello hello hello");
        let at = object.len() - 4;
        object[at..].copy_from_slice(&stated.to_le_bytes());
        let mut decoder = Decoder::default();
        assert_eq!(
            decoder.decode(&object).unwrap_err(),
            DecodeError::Checksum { what: "length", offset: at as u64, stated, actual: 17 }
        );
        assert!(decoder.out.len() < 100_000, "{}", decoder.out.len());
    }
}

#[test]
fn a_last_member_shorter_than_the_first_does_not_limit_it() {
    let content = noise(300_000);
    let object = [gzip(&content), gzip(b"end")].concat();
    assert_eq!(whole(&object).unwrap(), [&content[..], b"end"].concat());
}

#[test]
fn a_header_inside_compressed_data_is_no_member() {
    // Stored blocks carry their bytes as they are.
    let mut content = noise(3_000);
    content.splice(1_000..1_003, [0x1f, 0x8b, 8]);
    content[1_003] = 0;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&content).unwrap();
    let object = encoder.finish().unwrap();
    assert!(fast(&object));
    assert_eq!(whole(&object).unwrap(), content);
    let content = gzip(b"inner").repeat(20);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(&content).unwrap();
    assert_eq!(whole(&encoder.finish().unwrap()).unwrap(), content);
}

#[test]
fn every_truncation_is_an_error() {
    for object in [
        [gzip(b"one one one one"), gzip(&noise(300))].concat(),
        gzip_with_long_header(&noise(100)),
        zstd(&noise(3_000)),
    ] {
        let all = whole(&object).unwrap();
        for end in 4..object.len() {
            match whole(&object[..end]) {
                // A cut exactly between two members cannot be seen.
                Ok(part) => assert!(end < object.len() && part == b"one one one one"),
                Err(DecodeError::Truncated { offset, .. }) => assert_eq!(offset, end as u64),
                Err(other) => panic!("cut at {end} of {}: {other}", object.len()),
            }
        }
        assert!(!all.is_empty());
    }
}

#[test]
fn a_flipped_bit_is_never_content() {
    let content = noise(400);
    for object in [gzip(&content), zstd(&content)] {
        for at in 0..object.len() * 8 {
            let mut damaged = object.clone();
            damaged[at / 8] ^= 1 << (at % 8);
            // Times, names and the like in a header may differ; content may not.
            if let Ok(got) = whole(&damaged) {
                assert!(got == content || got == damaged, "bit {at}");
            }
        }
    }
}

#[test]
fn large_content_comes_in_blocks_after_a_check() {
    let content = noise(90_000);
    for object in [gzip(&content), zstd(&content)] {
        let mut decoder = Decoder::new(small());
        let Inflated::Stream(stream) = decoder.decode(&object).unwrap() else {
            panic!("expected a stream")
        };
        assert_eq!(stream.inflated_bytes(), 90_000);
        assert_eq!(whole_with(small(), &object).unwrap(), content);
        let mut cut = object;
        cut.pop();
        assert!(Decoder::new(small()).decode(&cut).is_err());
    }
}

#[test]
fn content_of_just_the_size_that_is_held_comes_whole() {
    let content = noise(small().whole_bytes_max);
    for object in [gzip(&content), zstd(&content)] {
        let mut decoder = Decoder::new(small());
        assert!(matches!(decoder.decode(&object), Ok(Inflated::Whole(bytes)) if bytes == content));
    }
}

#[test]
fn a_header_may_have_a_checksum_of_its_own() {
    let mut object = gzip(b"content");
    object[3] |= 2;
    object.splice(10..10, [0x12, 0x34]);
    assert!(fast(&object));
    assert_eq!(whole(&object).unwrap(), b"content");
    // Padding is left to the block reader.
    object.push(0);
    assert!(!fast(&object));
    assert_eq!(whole(&object).unwrap(), b"content");
}

#[test]
fn a_zstd_frame_that_cannot_be_read_says_what_was_expected() {
    // A window of 2 GiB, and a block of a type that does not exist.
    for (frame, expected) in [
        (&[0xa8, 0, 0, 0][..], "a window of at most 67108864 bytes, not 2147483648"),
        (&[0, 7, 0, 0, 0], "a valid frame"),
    ] {
        let object = [&[0x28, 0xb5, 0x2f, 0xfd, 0][..], frame].concat();
        let told = whole(&object).unwrap_err().to_string();
        assert!(told.starts_with("damaged zstd data near byte "), "{told}");
        assert!(told.ends_with(&format!(": expected {expected}")), "{told}");
    }
}

#[test]
fn a_mark_may_be_cut_by_a_member() {
    let object = [gzip(b"\xef"), gzip(b"\xbb\xbf{}")].concat();
    let limits = Limits { whole_bytes_max: 0, ..Limits::default() };
    assert_eq!(whole(&object).unwrap(), b"{}");
    assert_eq!(whole_with(limits, &object).unwrap(), b"{}");
}

#[test]
fn bombs_hit_the_cap() {
    let limits = Limits { ratio_max: u64::MAX, ..small() };
    for object in [gzip(&noise(100_001)), zstd(&noise(100_001))] {
        assert!(matches!(
            whole_with(limits, &object),
            Err(DecodeError::TooLarge { limit: 100_000, .. })
        ));
    }
    let object = gzip(&vec![b' '; 90_000]);
    assert!(matches!(whole_with(small(), &object), Err(DecodeError::Ratio { limit: 400, .. })));
    assert_eq!(whole_with(limits, &object).unwrap().len(), 90_000);
    // Below the watched size a high ratio is nobody's business.
    assert_eq!(whole_with(small(), &gzip(&vec![b' '; 50_000])).unwrap().len(), 50_000);
    // Whole content obeys the cap as well.
    let limits = Limits { inflated_bytes_max: 1_000, ..Limits::default() };
    assert!(whole_with(limits, &gzip(&noise(1_001))).is_err());
    assert!(whole_with(limits, &noise(1_001)).is_err());
    assert_eq!(whole_with(limits, &gzip(&noise(1_000))).unwrap().len(), 1_000);
    assert_eq!(whole_with(limits, &noise(1_000)).unwrap().len(), 1_000);
    assert!(gunzip(&gzip(&noise(1_001)), 1_000).is_err());
}

#[test]
fn all_frames_of_a_zstd_object_are_read() {
    let mut object = zstd(b"one ");
    object.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    object.extend(zstd(b"two"));
    assert_eq!(whole(&object).unwrap(), b"one two");
    object.extend(b"????");
    assert!(matches!(whole(&object), Err(DecodeError::TrailingBytes { format: "zstd", .. })));
}

#[test]
fn a_decoder_serves_one_object_after_the_other() {
    let mut decoder = Decoder::new(small());
    for n in [9_000, 10, 90_000, 0, 5_000] {
        let content = noise(n);
        let object = gzip(&content);
        match decoder.decode(&object).unwrap() {
            Inflated::Whole(bytes) => assert_eq!(bytes, content),
            Inflated::Stream(stream) => assert_eq!(stream.inflated_bytes(), n as u64),
        }
        assert!(decoder.out.len() <= small().whole_bytes_max);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn members_may_be_cut_anywhere(
        content in proptest::collection::vec(any::<u8>(), 0..3_000),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(content.len() + 1)).collect();
        at.extend([0, content.len()]);
        at.sort_unstable();
        let object: Vec<u8> =
            at.windows(2).flat_map(|pair| gzip(&content[pair[0]..pair[1]])).collect();
        let expected = text(&content);
        prop_assert_eq!(whole(&object), expected.map(<[u8]>::to_vec));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        magic in prop::sample::select(vec![
            vec![], vec![0x1f, 0x8b, 8, 0], vec![0x1f, 0x8b, 8, 31], vec![0x28, 0xb5, 0x2f, 0xfd],
        ]),
        tail in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let object = [magic, tail].concat();
        let _outcome = whole_with(small(), &object);
    }
}
