//! Cities from a file of the user's in the format mmdb: `GeoLite2-City`, `GeoIP2-City`, `DBIP-City-Lite`,
//! or the same data with flat records as the npm packages of ip-location-db have it.
//!
//! The file is read into memory once; a new edition needs a new [`Enrich`](super::Enrich).

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use maxminddb::PathElement::{self, Key};
use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use super::{Country, Place, Precision};

/// Largest city database that is read. Unit: bytes. DB-IP's IPv6 file of 2026
/// has 71 MB.
const CITY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Networks looked at to tell a city database from others; the first with coordinates ends it.
pub(crate) const PROBE_NETWORKS_MAX: usize = 4096;
/// Longest city name that is kept; a longer one is dropped. Unit: bytes.
pub(crate) const CITY_NAME_BYTES_MAX: usize = 256;

/// Radius where the database states none: within it `MaxMind`'s own accuracy comparison counts a
/// city as found. Unit: kilometres.
const CITY_RADIUS_KM: f64 = 50.0;
/// Half of the Earth's girth: a circle cannot be larger. Unit: kilometres.
const RADIUS_KM_MAX: f64 = 20_016.0;

/// Why a city database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnrichError {
    /// The file is missing or unreadable.
    #[error("cannot read city database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than is read into memory.
    #[error("city database {} is too large (expected at most {bytes_max} bytes)", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit. Unit: bytes.
        bytes_max: u64,
    },
    /// The file is something else, or cut short.
    #[error(
        "{} is not an mmdb file (expected a city database such as GeoLite2-City.mmdb)",
        path.display()
    )]
    NotMmdb {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MaxMindDbError,
    },
    /// The file is an mmdb without coordinates, for example a country or ASN database.
    #[error(
        "{} is not a city database: its type is {database_type:?} and none of its first \
         {PROBE_NETWORKS_MAX} networks has a latitude and a longitude",
        path.display()
    )]
    NotCity {
        /// The file.
        path: PathBuf,
        /// The type that the file says it has.
        database_type: String,
    },
}

#[derive(Debug)]
pub(super) struct Cities {
    reader: Reader<Vec<u8>>,
}

type Record<'a> = LookupResult<'a, Vec<u8>>;
type Keys<'a> = &'a [PathElement<'a>];

impl Cities {
    /// When the file was made. Unit: seconds since the Unix epoch.
    pub(super) fn made_s(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    pub(super) fn open(path: &Path) -> Result<Self, EnrichError> {
        Self::open_within(path, CITY_BYTES_MAX)
    }

    fn open_within(path: &Path, bytes_max: u64) -> Result<Self, EnrichError> {
        let read = |source| EnrichError::Read { path: path.into(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(read)?;
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(read)?;
        if bytes.len() as u64 > bytes_max {
            return Err(EnrichError::TooLarge { path: path.into(), bytes_max });
        }
        let broken = |source| EnrichError::NotMmdb { path: path.into(), source };
        let cities = Self { reader: Reader::from_source(bytes).map_err(broken)? };
        if cities.has_coordinates().map_err(broken)? {
            return Ok(cities);
        }
        let database_type = cities.reader.metadata().database_type.clone();
        Err(EnrichError::NotCity { path: path.into(), database_type })
    }

    /// Tells by content, as publishers name the type of their city databases as they like.
    fn has_coordinates(&self) -> Result<bool, MaxMindDbError> {
        // Empty networks count too, so that a file of nothing else ends the loop as well.
        let options = WithinOptions::default().include_networks_without_data();
        for record in self.reader.networks(options)?.take(PROBE_NETWORKS_MAX) {
            if coordinates(&record?).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The place of an address; `country` stands in where the record names none.
    pub(super) fn place(&self, address: IpAddr, country: Option<Country>) -> Option<Place> {
        let record = self.reader.lookup(address).ok()?;
        let (latitude, longitude) = coordinates(&record)?;
        let code = field::<&str>(&record, &[Key("country"), Key("iso_code")])
            .or_else(|| field::<&str>(&record, &[Key("country_code")]))
            .and_then(Country::parse);
        let city = field::<&str>(&record, &[Key("city"), Key("names"), Key("en")])
            .or_else(|| field::<&str>(&record, &[Key("city")]))
            .filter(|name| !name.is_empty() && name.len() <= CITY_NAME_BYTES_MAX);
        let radius_km = field::<u16>(&record, &[Key("location"), Key("accuracy_radius")])
            .filter(|radius| *radius > 0)
            .map_or(CITY_RADIUS_KM, |radius| f64::from(radius).min(RADIUS_KM_MAX));
        Some(Place {
            latitude,
            longitude,
            radius_km,
            country: code.or(country)?,
            city: city.map(Box::from),
            precision: Precision::City,
        })
    }
}

fn coordinates(record: &Record<'_>) -> Option<(f64, f64)> {
    let of =
        |nested: Keys<'_>, flat: Keys<'_>| number(record, nested).or_else(|| number(record, flat));
    let latitude = of(&[Key("location"), Key("latitude")], &[Key("latitude")])?;
    let longitude = of(&[Key("location"), Key("longitude")], &[Key("longitude")])?;
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    on_earth.then_some((latitude, longitude))
}

/// A float of either width; the reader tells them apart strictly.
fn number(record: &Record<'_>, path: Keys<'_>) -> Option<f64> {
    field::<f64>(record, path).or_else(|| field::<f32>(record, path).map(f64::from))
}

/// The value at a path of keys; a record of another shape has none.
fn field<'a, T: Deserialize<'a>>(record: &Record<'a>, path: Keys<'_>) -> Option<T> {
    record.decode_path(path).ok().flatten()
}

#[cfg(test)]
mod tests;
