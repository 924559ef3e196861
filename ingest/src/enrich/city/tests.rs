use std::io::Write as _;

use tempfile::NamedTempFile;

use super::super::{Enrich, EnrichError};
use super::*;

/// What the writer below can put into an mmdb.
enum Value {
    Text(&'static str),
    Long(String),
    Double(f64),
    Float(f32),
    U16(u16),
    U32(u32),
    U64(u64),
    Map(Vec<(&'static str, Value)>),
}

use Value::{Double, Float, Long, Map, Text, U16, U32, U64};

impl Value {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Text(text) => write_text(text, out),
            Long(text) => write_text(text, out),
            Double(number) => {
                out.push(3 << 5 | 8);
                out.extend(number.to_be_bytes());
            }
            Float(number) => {
                out.extend([4, 15 - 7]);
                out.extend(number.to_be_bytes());
            }
            U16(number) => {
                out.push(5 << 5 | 2);
                out.extend(number.to_be_bytes());
            }
            U32(number) => {
                out.push(6 << 5 | 4);
                out.extend(number.to_be_bytes());
            }
            U64(number) => {
                out.extend([8, 9 - 7]);
                out.extend(number.to_be_bytes());
            }
            Map(pairs) => {
                out.push(7 << 5 | u8::try_from(pairs.len()).unwrap());
                for (key, value) in pairs {
                    write_text(key, out);
                    value.write(out);
                }
            }
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    match text.len() {
        short @ 0..29 => out.push(2 << 5 | u8::try_from(short).unwrap()),
        middle @ 29..285 => out.extend([2 << 5 | 0x1d, u8::try_from(middle - 29).unwrap()]),
        long => {
            out.push(2 << 5 | 0x1e);
            out.extend(u16::try_from(long - 285).unwrap().to_be_bytes());
        }
    }
    out.extend(text.bytes());
}

/// An IPv4 database with one record per /8, given by first octet.
fn database(kind: &'static str, records: &[(usize, Value)]) -> Vec<u8> {
    database_of(8, kind, records)
}

/// An IPv4 database with one record per network of so many bits, given by these bits.
fn database_of(bits: u32, kind: &'static str, records: &[(usize, Value)]) -> Vec<u8> {
    // A full tree: node i has the children 2i + 1 and 2i + 2.
    let nodes = (1_u32 << bits) - 1;
    let mut data = Vec::new();
    let mut leaves = vec![nodes; 1 << bits];
    for (network, value) in records {
        leaves[*network] = nodes + 16 + u32::try_from(data.len()).unwrap();
        value.write(&mut data);
    }
    let mut out = Vec::new();
    for child in 1..=nodes * 2 {
        let leaf = child.checked_sub(nodes).map(|leaf| leaves[leaf as usize]);
        out.extend(leaf.unwrap_or(child).to_be_bytes());
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = vec![
        ("binary_format_major_version", U16(2)),
        ("binary_format_minor_version", U16(0)),
        ("build_epoch", U64(1)),
        ("database_type", Text(kind)),
        ("description", Map(vec![])),
        ("ip_version", U16(4)),
        ("node_count", U32(nodes)),
        ("record_size", U16(32)),
    ];
    Map(metadata).write(&mut out);
    // Languages: an empty array (type 11), added to the map by hand.
    let at = out.windows(11).rposition(|part| part == b"MaxMind.com").unwrap() + 11;
    out[at] += 1;
    write_text("languages", &mut out);
    out.extend([0, 11 - 7]);
    out
}

fn nested(latitude: f64, longitude: f64, radius: u16) -> Value {
    let names = Map(vec![("en", Text("Oslo")), ("de", Text("Oslo (Stadt)"))]);
    let location = vec![
        ("accuracy_radius", U16(radius)),
        ("latitude", Double(latitude)),
        ("longitude", Double(longitude)),
    ];
    Map(vec![
        ("city", Map(vec![("names", names)])),
        ("country", Map(vec![("iso_code", Text("NO"))])),
        ("location", Map(location)),
    ])
}

fn saved(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(bytes: &[u8]) -> Result<Enrich, EnrichError> {
    Enrich::with_city(saved(bytes).path())
}

fn place(enrich: &Enrich, address: &str) -> Option<Place> {
    enrich.place(address.parse().unwrap())
}

#[test]
fn nested_records_give_city_coordinates_and_radius() {
    let enrich = open(&database("GeoLite2-City", &[(8, nested(59.91, 10.75, 20))])).unwrap();
    let oslo = Place {
        latitude: 59.91,
        longitude: 10.75,
        radius_km: 20.0,
        country: Country(*b"NO"),
        city: Some("Oslo".into()),
        precision: Precision::City,
    };
    assert_eq!(place(&enrich, "8.8.8.8"), Some(oslo.clone()));
    assert_eq!(place(&enrich, "::ffff:8.8.8.8"), Some(oslo));
}

#[test]
fn flat_records_give_the_usual_radius() {
    let record = Map(vec![
        ("city", Text("Brisbane")),
        ("country_code", Text("AU")),
        ("latitude", Float(-27.5)),
        ("longitude", Float(153.0)),
    ]);
    let enrich = open(&database("city ipv4", &[(1, record)])).unwrap();
    let found = place(&enrich, "1.1.1.1").unwrap();
    assert_eq!(found.city.as_deref(), Some("Brisbane"));
    assert_eq!((found.latitude, found.longitude, found.radius_km), (-27.5, 153.0, CITY_RADIUS_KM));
}

#[test]
fn addresses_outside_the_file_fall_back_to_their_country() {
    let enrich = open(&database("City", &[(8, nested(59.91, 10.75, 20))])).unwrap();
    for address in ["193.99.144.80", "2003::1"] {
        let found = place(&enrich, address).unwrap();
        assert_eq!((found.country.as_str(), found.precision), ("DE", Precision::Country));
    }
    assert_eq!(place(&enrich, "10.0.0.1"), None);
}

#[test]
fn records_without_a_country_take_the_built_in_one() {
    let record = Map(vec![("latitude", Double(37.4)), ("longitude", Double(-122.1))]);
    let found = place(&open(&database("City", &[(8, record)])).unwrap(), "8.8.8.8").unwrap();
    assert_eq!((found.country.as_str(), found.city), ("US", None));
}

#[test]
fn coordinates_off_the_earth_are_no_place() {
    let records =
        [(8, nested(59.91, 10.75, 0)), (9, nested(91.0, 0.0, 1)), (12, nested(0.0, f64::NAN, 1))];
    let enrich = open(&database("City", &records)).unwrap();
    assert_eq!(place(&enrich, "8.8.8.8").unwrap().radius_km.to_bits(), CITY_RADIUS_KM.to_bits());
    for address in ["9.9.9.9", "12.0.0.1"] {
        assert_eq!(place(&enrich, address).unwrap().precision, Precision::Country);
    }
}

#[test]
fn names_past_the_bound_are_dropped() {
    for (bytes, kept) in [(CITY_NAME_BYTES_MAX, true), (CITY_NAME_BYTES_MAX + 1, false)] {
        let record = Map(vec![
            ("city", Long("x".repeat(bytes))),
            ("latitude", Double(37.4)),
            ("longitude", Double(-122.1)),
        ]);
        let enrich = open(&database("City", &[(8, record)])).unwrap();
        assert_eq!(place(&enrich, "8.8.8.8").unwrap().city.is_some(), kept);
    }
}

#[test]
fn errors_name_the_file_and_what_is_wrong() {
    let missing = Enrich::with_city(Path::new("/nowhere/city.mmdb")).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read city database /nowhere/city.mmdb");

    let text = open(b"hello, this is not a database").unwrap_err();
    assert!(matches!(text, EnrichError::NotMmdb { .. }), "{text}");

    let record = Map(vec![("country", Map(vec![("iso_code", Text("NO"))]))]);
    let country = open(&database("GeoLite2-Country", &[(8, record)])).unwrap_err();
    assert!(
        country.to_string().contains("is not a city database: its type is \"GeoLite2-Country\"")
    );
}

#[test]
fn coordinates_past_the_probed_networks_are_not_seen() {
    let last = PROBE_NETWORKS_MAX - 1;
    assert!(open(&database_of(13, "City", &[(last, nested(59.91, 10.75, 20))])).is_ok());
    let past = open(&database_of(13, "City", &[(last + 1, nested(59.91, 10.75, 20))]));
    assert!(matches!(past, Err(EnrichError::NotCity { .. })));
}

#[test]
fn files_past_the_bound_are_refused() {
    let bytes = database("City", &[(8, nested(59.91, 10.75, 20))]);
    let (file, size) = (saved(&bytes), bytes.len() as u64);
    assert!(Cities::open_within(file.path(), size).is_ok());
    let refused = Cities::open_within(file.path(), size - 1).unwrap_err();
    assert!(matches!(refused, EnrichError::TooLarge { bytes_max, .. } if bytes_max == size - 1));
}

#[test]
fn files_cut_anywhere_never_panic() {
    let bytes = database("City", &[(8, nested(59.91, 10.75, 20))]);
    for end in (0..bytes.len()).step_by(13) {
        if let Ok(enrich) = open(&bytes[..end]) {
            place(&enrich, "8.8.8.8");
        }
    }
}
