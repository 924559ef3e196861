//! Country, network and place of an address. In: an address. Out: what the built-in tables and the
//! user's city database say of it. It asks nobody over the network and never reads a clock.
//!
//! Starting costs nothing: tables lie in the program compressed, and the first lookup that needs a
//! block of about 15 KiB inflates it. See `docs/enrichment.md` for how wrong the tables can be.

use std::net::IpAddr;
use std::path::Path;

mod address;
mod city;
mod network;
mod place;
mod table;

pub use address::{Caller, caller};
pub use city::EnrichError;
pub use network::{Asn, NetworkClass};
pub use place::{Place, Precision};

use address::Key;
use city::Cities;
use table::{Kind, Ranges};

/// What all decoded blocks of all tables may hold together, reached when addresses from everywhere
/// are looked up. Unit: bytes.
#[cfg(test)]
const DECODED_BYTES_MAX: usize = 16 * 1024 * 1024;

static COUNTRY4: Ranges = Ranges::new(include_bytes!("../data/country4.bin"), Kind::Country4);
static COUNTRY6: Ranges = Ranges::new(include_bytes!("../data/country6.bin"), Kind::Country6);
static NETWORK4: Ranges = Ranges::new(include_bytes!("../data/network4.bin"), Kind::Network4);
static NETWORK6: Ranges = Ranges::new(include_bytes!("../data/network6.bin"), Kind::Network6);

/// A country's ISO 3166-1 alpha-2 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Country(pub [u8; 2]);

impl Country {
    /// The code, for example `DE`; `??` when the bytes are not letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }

    /// Reads a code of two letters, upper case.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 2] = text.as_bytes().try_into().ok()?;
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }
}

/// What is known of an address without asking anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// What its owner publishes, else where it is registered or announced; `None` when unknown or not routed.
    pub country: Option<Country>,
    /// The network that announces it; `None` when nobody does.
    pub network: Option<Asn>,
}

/// Days on which the built-in tables were made, as `yyyymmdd`; 0 when a table cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableDates {
    /// Country tables.
    pub country: u32,
    /// Network tables.
    pub network: u32,
}

/// The tables about addresses. Share one by reference between threads.
#[derive(Debug, Default)]
pub struct Enrich {
    cities: Option<Cities>,
}

impl Enrich {
    /// Only the tables inside the program: places are countries.
    pub fn built_in() -> Self {
        Self { cities: None }
    }

    /// The tables inside the program, and places from the user's city database (mmdb). An address
    /// that the file does not know still gets its country's place.
    pub fn with_city(path: &Path) -> Result<Self, EnrichError> {
        Ok(Self { cities: Some(Cities::open(path)?) })
    }

    /// Country and network. Allocates only when it meets a block for the first time; an address
    /// that nobody routes has neither.
    pub fn origin(&self, address: IpAddr) -> Origin {
        let (country, network) = match address::key(address) {
            None => (None, None),
            Some(Key::V4(key)) => (COUNTRY4.get(key), NETWORK4.get(key)),
            Some(Key::V6(key)) => (COUNTRY6.get(key), NETWORK6.get(key)),
        };
        let letters = |code: u32| {
            let [a, b, ..] = code.to_le_bytes();
            Country([b, a])
        };
        Origin { country: country.map(letters), network: network.map(Asn) }
    }

    /// The smallest circle known to hold the address; `None` for one that nobody routes.
    pub fn place(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        address::key(address)?;
        let country = self.origin(address).country;
        let city = self.cities.as_ref().and_then(|cities| cities.place(address, country));
        city.or_else(|| Place::of_country(country?))
    }

    /// When the city database was made, if there is one. Unit: seconds since the Unix epoch.
    pub fn city_made_s(&self) -> Option<u64> {
        self.cities.as_ref().map(Cities::made_s)
    }

    /// Days on which the built-in tables were made.
    pub fn dates(&self) -> TableDates {
        let date = |ranges: &Ranges| ranges.opened().map_or(0, |opened| opened.table.date);
        TableDates { country: date(&COUNTRY4), network: date(&NETWORK4) }
    }
}

#[cfg(test)]
mod tests;
