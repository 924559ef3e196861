//! Places: a circle that holds an address, and how far two of them are apart.

use super::Country;
use super::table::{Kind, Table};

pub(super) static PLACES: &[u8] = include_bytes!("../../data/places.bin");

/// Mean radius of the Earth (IUGG, R1). Unit: kilometres.
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// How finely a place is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Precision {
    /// The middle of a country.
    Country,
    /// A city, from the user's database.
    City,
}

/// A circle on the Earth that most likely holds an address.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// Degrees north of the equator, -90 to 90.
    pub latitude: f64,
    /// Degrees east of Greenwich, -180 to 180.
    pub longitude: f64,
    /// Radius of the circle. Unit: kilometres, above 0.
    pub radius_km: f64,
    /// The country.
    pub country: Country,
    /// The city's English name, when the user's database has one.
    pub city: Option<Box<str>>,
    /// How finely the place is known.
    pub precision: Precision,
}

impl Place {
    /// The middle of a country and the circle around 95 % of its area; `None` for codes that have
    /// no shape in Natural Earth, such as `EU`.
    pub(crate) fn of_country(country: Country) -> Option<Self> {
        let (records, _) =
            Table::open(PLACES, Kind::Places)?.data.as_chunks::<2>().0.as_chunks::<4>();
        let at = records.binary_search_by_key(&country.0, |[code, ..]| *code).ok()?;
        let [_, latitude, longitude, radius_km] = *records.get(at)?;
        Some(Self {
            latitude: f64::from(i16::from_le_bytes(latitude)) / 100.0,
            longitude: f64::from(i16::from_le_bytes(longitude)) / 100.0,
            radius_km: f64::from(u16::from_le_bytes(radius_km)),
            country,
            city: None,
            precision: Precision::Country,
        })
    }

    /// Great-circle distance between the two centres by the haversine formula. Unit: kilometres.
    ///
    /// The Earth is taken for a sphere, which is at most 0.6 % wrong. Sines come from `libm`, so
    /// that every platform gives the same bits.
    pub fn distance_km(&self, other: &Self) -> f64 {
        let north = (other.latitude - self.latitude).to_radians();
        let east = (other.longitude - self.longitude).to_radians();
        let (sin_north, sin_east) = (libm::sin(north / 2.0), libm::sin(east / 2.0));
        let level = libm::cos(self.latitude.to_radians()) * libm::cos(other.latitude.to_radians());
        let half_chord = sin_north * sin_north + level * sin_east * sin_east;
        2.0 * EARTH_RADIUS_KM * libm::asin(half_chord.clamp(0.0, 1.0).sqrt())
    }
}
