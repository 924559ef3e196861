use proptest::prelude::*;

use super::table::{BLOCK_BYTES_MAX, Table};
use super::*;

const RANGES: [&Ranges; 4] = [&COUNTRY4, &COUNTRY6, &NETWORK4, &NETWORK6];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check(address: &str, country: Option<&str>, network: Option<u32>) {
    let origin = Enrich::built_in().origin(ip(address));
    assert_eq!(origin.country.as_ref().map(Country::as_str), country, "{address}");
    assert_eq!(origin.network, network.map(Asn), "{address}");
}

#[test]
fn well_known_addresses_have_their_country_and_network() {
    check("8.8.8.8", Some("US"), Some(15169));
    check("2001:4860:4860::8888", Some("US"), Some(15169));
    check("18.236.0.1", Some("US"), Some(16509));
    check("1.1.1.1", Some("AU"), Some(13335));
    check("::ffff:8.8.8.8", Some("US"), Some(15169));
}

#[test]
fn addresses_that_nobody_routes_have_no_origin() {
    for text in ["10.0.0.1", "192.0.2.1", "2001:db8::1", "fe80::1", "224.0.0.1", "255.255.255.255"]
    {
        check(text, None, None);
        assert_eq!(Enrich::built_in().place(ip(text)), None);
    }
}

#[test]
fn checksums_hold() {
    let plain = [(network::NAMES, Kind::Names), (place::PLACES, Kind::Places)];
    for (bytes, kind) in RANGES.iter().map(|ranges| (ranges.bytes, ranges.kind)).chain(plain) {
        let stored = u32::from_le_bytes(bytes[24..28].try_into().unwrap());
        assert_eq!(libdeflater::crc32(&bytes[28..]), stored, "{kind:?}");
    }
}

#[test]
fn every_block_decodes_in_order_and_within_the_memory_bound() {
    let mut held = 0;
    for ranges in RANGES {
        let opened = ranges.opened().unwrap();
        let (mut entries, mut last) = (0, None);
        for (at, first) in opened.table.firsts().enumerate() {
            let block = opened.block(at).unwrap();
            assert_eq!(block.firsts[0], first);
            assert!(last < Some(first), "{:?}", ranges.kind);
            assert!(block.firsts.is_sorted_by(|a, b| a < b), "{:?}", ranges.kind);
            last = block.firsts.last().copied();
            entries += block.firsts.len();
            held += block.firsts.len() * 8 + block.values.len() * 4;
        }
        assert_eq!(entries, opened.table.entries, "{:?}", ranges.kind);
    }
    assert!(held <= DECODED_BYTES_MAX, "{held}");
    assert!(held > DECODED_BYTES_MAX / 2, "the bound is far from what is held: {held}");
}

#[test]
fn first_and_last_key_of_ranges_and_the_gaps_between_are_told_apart() {
    for ranges in RANGES {
        let opened = ranges.opened().unwrap();
        for at in (0..opened.table.blocks()).step_by(16) {
            let block = opened.block(at).unwrap();
            for (pair, value) in block.firsts.windows(2).zip(&block.values) {
                let expected = (*value != 0).then_some(*value);
                assert_eq!(ranges.get(pair[0]), expected);
                assert_eq!(ranges.get(pair[1] - 1), expected);
            }
        }
    }
}

#[test]
fn damaged_tables_are_refused() {
    let whole = COUNTRY4.bytes;
    assert!(Table::open(&whole[..31], Kind::Country4).is_none());
    assert!(Table::open(&whole[..900], Kind::Country4).is_none());
    assert!(Table::open(whole, Kind::Country6).is_none());
    let cut = Table::open(&whole[..whole.len() - 1], Kind::Country4).unwrap();
    assert!(cut.inflate(cut.blocks() - 1).is_none());
    assert!(cut.inflate(cut.blocks()).is_none());
}

#[test]
fn blocks_that_claim_too_much_are_refused() {
    for (claimed, accepted) in [(BLOCK_BYTES_MAX, true), (BLOCK_BYTES_MAX + 1, false)] {
        let raw = vec![0; claimed];
        let mut packed = vec![0; 4096];
        let level = libdeflater::CompressionLvl::default();
        let size = libdeflater::Compressor::new(level).deflate_compress(&raw, &mut packed).unwrap();
        let mut bytes = b"sntl\x01\0\x05\0".to_vec();
        // Date, entries, blocks, dictionary, checksum, entries of a block; then the index.
        let sizes = [size, claimed].map(|bytes| u32::try_from(bytes).unwrap());
        for word in [0, 1, 1, 0, 0, 1, 0, 0, sizes[0], sizes[1]] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&packed[..size]);
        let table = Table::open(bytes.leak(), Kind::Names).unwrap();
        assert_eq!(table.inflate(0).is_some(), accepted);
    }
}

#[test]
fn dates_are_days() {
    let dates = Enrich::built_in().dates();
    assert!((20_260_101..21_000_101).contains(&dates.country));
    assert!((20_260_101..21_000_101).contains(&dates.network));
}

fn at(latitude: f64, longitude: f64) -> Place {
    let country = Country(*b"US");
    let precision = Precision::City;
    Place { latitude, longitude, radius_km: 1.0, country, city: None, precision }
}

#[track_caller]
fn check_distance(a: (f64, f64), b: (f64, f64), expected_km: f64) {
    let (a, b) = (at(a.0, a.1), at(b.0, b.1));
    let found = a.distance_km(&b);
    assert!((found - expected_km).abs() <= expected_km * 0.005 + 1e-9, "{found}");
    assert!((found - b.distance_km(&a)).abs() < 1e-6);
}

#[test]
fn distances_are_those_of_the_atlas() {
    check_distance((51.5074, -0.1278), (40.7128, -74.0060), 5570.0);
    check_distance((52.52, 13.405), (52.52, 13.405), 0.0);
    check_distance((0.0, 179.5), (0.0, -179.5), 111.2);
    check_distance((90.0, 0.0), (-90.0, 0.0), 20015.1);
}

#[test]
fn countries_have_places_and_regions_that_are_none_do_not() {
    let germany = Enrich::built_in().place(ip("193.99.144.80")).unwrap();
    assert_eq!((germany.country.as_str(), germany.precision), ("DE", Precision::Country));
    assert!(germany.distance_km(&at(52.52, 13.405)) < germany.radius_km);
    assert_eq!(Place::of_country(Country(*b"EU")), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn lookup_equals_a_scan_of_the_block(which in 0..4_usize, key in any::<u64>()) {
        let ranges = RANGES[which];
        let key = if which % 2 == 0 { key >> 32 } else { key >> 2 };
        let opened = ranges.opened().unwrap();
        let at = opened.table.firsts().filter(|first| *first <= key).count() - 1;
        let block = opened.block(at).unwrap();
        let mut expected = 0;
        for (first, value) in block.firsts.iter().zip(&block.values) {
            if *first <= key {
                expected = *value;
            }
        }
        prop_assert_eq!(ranges.get(key).unwrap_or(0), expected);
    }
}
