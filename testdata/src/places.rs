//! Networks that addresses are drawn from: where people live and work, and what machines use. The
//! addresses are arbitrary; nobody behind them is meant.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::calendar::{self, Zone};
use crate::clock::HOUR_S;
use crate::rng::Rng;

/// A range that one operator announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Who announces it, and where.
    pub name: &'static str,
    first: u32,
    /// How many addresses are drawn from.
    n_addresses: u32,
}

impl Network {
    const fn new(name: &'static str, first: [u8; 4], n_addresses: u32) -> Self {
        Self { name, first: u32::from_be_bytes(first), n_addresses }
    }

    /// Whether it announces `address`.
    pub fn contains(&self, address: Ipv4Addr) -> bool {
        u32::from(address).wrapping_sub(self.first) < self.n_addresses
    }

    /// The address with this number, and no other: what many share.
    pub fn nth(&self, number: u64) -> Ipv4Addr {
        self.address(&mut Rng::new(number))
    }

    /// An address of it.
    pub fn address(&self, rng: &mut Rng) -> Ipv4Addr {
        let offset = rng.below(u64::from(self.n_addresses));
        let offset = u32::try_from(offset).unwrap_or(0);
        let address = self.first.wrapping_add(offset);
        // The first and the last of a /24 are nobody's.
        Ipv4Addr::from(if matches!(address & 0xff, 0 | 0xff) { address ^ 0x25 } else { address })
    }
}

/// A city where people live.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// Name.
    pub name: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Its hours.
    pub zone: Zone,
    /// Degrees north and east.
    place: (f64, f64),
    /// What homes use.
    pub homes: Network,
    /// What telephones use.
    pub mobile: Network,
    /// What offices and hotels use.
    pub business: Network,
}

/// Mean radius of the earth. Unit: kilometres.
const EARTH_KM: f64 = 6_371.0;
/// Airliners fly a little faster, but not all the way. Unit: kilometres an hour.
const FLIGHT_KM_H: f64 = 800.0;
/// To the airport, through it, and out of the other one. Unit: seconds.
const AIRPORTS_S: i64 = 3 * HOUR_S;

impl City {
    /// A number of its own.
    pub(crate) fn number(&self) -> u64 {
        u64::from(self.homes.first)
    }

    /// The way over the great circle (haversine). Unit: kilometres.
    pub fn distance_km(&self, other: &Self) -> f64 {
        let [north, east] = [self.place.0, self.place.1].map(f64::to_radians);
        let [other_north, other_east] = [other.place.0, other.place.1].map(f64::to_radians);
        let squared = |angle: f64| libm::pow(libm::sin(angle / 2.0), 2.0);
        let half = squared(other_north - north)
            + libm::cos(north) * libm::cos(other_north) * squared(other_east - east);
        2.0 * EARTH_KM * libm::asin(libm::sqrt(half.min(1.0)))
    }

    /// From the last call in this city to the first in another: the flight, and the airports.
    /// Unit: seconds.
    pub fn journey_s(&self, other: &Self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a day at most")]
        let flight_s = (self.distance_km(other) / FLIGHT_KM_H * HOUR_S as f64) as i64;
        flight_s + AIRPORTS_S
    }
}

const SMALL: u32 = 1 << 10;
const LARGE: u32 = 1 << 14;

/// Where people of the organisation live.
pub const CITIES: [City; 8] = [
    City {
        name: "Seattle",
        country: "US",
        zone: calendar::SEATTLE,
        place: (47.6, -122.3),
        homes: Network::new("Comcast", [73, 83, 0, 0], LARGE),
        mobile: Network::new("T-Mobile USA", [172, 56, 104, 0], SMALL),
        business: Network::new("Comcast Business", [50, 206, 80, 0], SMALL),
    },
    City {
        name: "New York",
        country: "US",
        zone: calendar::NEW_YORK,
        place: (40.7, -74.0),
        homes: Network::new("Verizon Fios", [108, 27, 0, 0], LARGE),
        mobile: Network::new("AT&T Mobility", [107, 77, 224, 0], SMALL),
        business: Network::new("Verizon Business", [65, 206, 80, 0], SMALL),
    },
    City {
        name: "Berlin",
        country: "DE",
        zone: calendar::BERLIN,
        place: (52.5, 13.4),
        homes: Network::new("Vodafone Germany", [91, 64, 0, 0], LARGE),
        mobile: Network::new("Telekom Deutschland mobile", [80, 187, 80, 0], SMALL),
        business: Network::new("Colt Germany", [62, 96, 180, 0], SMALL),
    },
    City {
        name: "London",
        country: "GB",
        zone: calendar::LONDON,
        place: (51.5, -0.1),
        homes: Network::new("British Telecommunications", [86, 139, 0, 0], LARGE),
        mobile: Network::new("EE mobile", [31, 94, 16, 0], SMALL),
        business: Network::new("BT business", [81, 149, 144, 0], SMALL),
    },
    City {
        name: "Lisbon",
        country: "PT",
        zone: calendar::LISBON,
        place: (38.7, -9.1),
        homes: Network::new("MEO", [85, 243, 0, 0], LARGE),
        mobile: Network::new("Vodafone Portugal", [148, 69, 112, 0], SMALL),
        business: Network::new("NOS", [83, 240, 160, 0], SMALL),
    },
    City {
        name: "Bangalore",
        country: "IN",
        zone: calendar::BANGALORE,
        place: (13.0, 77.6),
        homes: Network::new("Bharti Airtel", [106, 51, 0, 0], LARGE),
        mobile: Network::new("Reliance Jio", [49, 37, 176, 0], SMALL),
        business: Network::new("Tata Communications", [115, 114, 64, 0], SMALL),
    },
    City {
        name: "Tokyo",
        country: "JP",
        zone: calendar::TOKYO,
        place: (35.7, 139.7),
        homes: Network::new("NTT OCN", [153, 156, 0, 0], LARGE),
        mobile: Network::new("NTT Docomo", [49, 98, 48, 0], SMALL),
        business: Network::new("IIJ", [202, 232, 16, 0], SMALL),
    },
    City {
        name: "Sydney",
        country: "AU",
        zone: calendar::SYDNEY,
        place: (-33.9, 151.2),
        homes: Network::new("Telstra", [58, 165, 0, 0], LARGE),
        mobile: Network::new("Telstra mobile", [1, 145, 16, 0], SMALL),
        business: Network::new("Optus business", [203, 202, 0, 0], SMALL),
    },
];

/// Where the company's own virtual private network comes out: Amsterdam, where nobody lives.
pub const COMPANY_VPN: Network = Network::new("LeaseWeb Netherlands", [5, 79, 73, 0], 1 << 8);
/// Commercial virtual private networks, which people and intruders use.
pub const VPN: Network = Network::new("M247", [185, 156, 46, 0], 1 << 8);
/// Hosting in Finland.
pub const HOSTING_EU: Network = Network::new("Hetzner", [95, 216, 140, 0], SMALL);
/// Hosting in Singapore.
pub const HOSTING_ASIA: Network = Network::new("DigitalOcean", [159, 89, 192, 0], SMALL);
/// Homes in Brazil, where nobody of the organisation lives.
pub const FAR_HOMES: Network = Network::new("Claro Brazil", [177, 32, 16, 0], SMALL);
/// Microsoft Azure, where GitHub's runners live.
pub const RUNNERS: Network = Network::new("Microsoft Azure", [20, 55, 0, 0], LARGE);

/// What instances, tasks and functions of `region` call from.
pub fn of_region(region: &str) -> Network {
    match region {
        "us-west-2" => Network::new("Amazon Oregon", [35, 160, 0, 0], LARGE),
        "eu-central-1" => Network::new("Amazon Frankfurt", [18, 192, 0, 0], LARGE),
        "eu-west-1" => Network::new("Amazon Dublin", [34, 240, 0, 0], LARGE),
        "ap-northeast-1" => Network::new("Amazon Tokyo", [18, 176, 0, 0], LARGE),
        _ => Network::new("Amazon Virginia", [3, 80, 0, 0], LARGE),
    }
}

/// Amazon's network of version 6 in `region`: the first address of a /40.
pub fn of_region_6(region: &str) -> u128 {
    let first: u128 = match region {
        "us-west-2" => 0x2600_1f14,
        "eu-central-1" => 0x2a05_d014,
        "eu-west-1" => 0x2a05_d018,
        "ap-northeast-1" => 0x2406_da14,
        _ => 0x2600_1f18,
    };
    first << 96
}

/// Where S3 of `region` answers.
pub fn s3_of_region(region: &str) -> Network {
    match region {
        "us-west-2" => Network::new("S3 Oregon", [52, 92, 128, 0], LARGE),
        "eu-central-1" => Network::new("S3 Frankfurt", [52, 219, 72, 0], SMALL),
        "eu-west-1" => Network::new("S3 Dublin", [52, 218, 0, 0], LARGE),
        "ap-northeast-1" => Network::new("S3 Tokyo", [52, 219, 0, 0], SMALL),
        _ => Network::new("S3 Virginia", [52, 216, 0, 0], LARGE),
    }
}

/// `pkt-src-aws-service` and its like: whose address it is, `-` where not AWS's. Only networks that
/// addresses are drawn from here are known.
pub fn aws_service(address: IpAddr) -> &'static str {
    const EC2_6: [u128; 5] = [0x2600_1f14, 0x2a05_d014, 0x2a05_d018, 0x2406_da14, 0x2600_1f18];
    let of = |address: Ipv4Addr, network: Network| {
        u32::from(address).wrapping_sub(network.first) < network.n_addresses
    };
    match address {
        IpAddr::V4(it) if it.octets()[0] == 10 => "-",
        IpAddr::V4(it) if HOME_REGIONS.iter().any(|region| of(it, s3_of_region(region))) => "S3",
        IpAddr::V4(it) if HOME_REGIONS.iter().any(|region| of(it, of_region(region))) => "EC2",
        IpAddr::V6(it) if EC2_6.contains(&(u128::from(it) >> 96)) => "EC2",
        _ => "-",
    }
}

/// The availability zone `step` after number `first` of `region`, for example `use1-az4`.
pub fn zone_of(region: &str, first: u64, step: usize) -> &'static str {
    let zones = match region {
        "us-west-2" => ["usw2-az1", "usw2-az2", "usw2-az3", "usw2-az4"],
        "eu-central-1" => ["euc1-az1", "euc1-az2", "euc1-az3", "euc1-az1"],
        "eu-west-1" => ["euw1-az1", "euw1-az2", "euw1-az3", "euw1-az1"],
        "ap-northeast-1" => ["apne1-az1", "apne1-az2", "apne1-az4", "apne1-az1"],
        _ => ["use1-az1", "use1-az2", "use1-az4", "use1-az6"],
    };
    let number = usize::try_from(first).unwrap_or(0) + step;
    zones.get(number % zones.len()).copied().unwrap_or("-")
}

/// First halves of networks that scanners come from, the usual hosters and home networks of infected
/// devices.
const SCANNERS: [[u8; 2]; 32] = [
    [45, 33],
    [64, 225],
    [94, 102],
    [167, 99],
    [80, 66],
    [79, 124],
    [91, 92],
    [165, 154],
    [170, 64],
    [183, 81],
    [88, 218],
    [179, 43],
    [89, 32],
    [120, 131],
    [60, 191],
    [212, 70],
    [193, 201],
    [141, 98],
    [43, 134],
    [187, 87],
    [36, 110],
    [103, 203],
    [112, 85],
    [218, 92],
    [162, 142],
    [71, 6],
    [185, 224],
    [92, 63],
    [118, 193],
    [223, 113],
    [177, 54],
    [14, 29],
];

/// Anybody who tries doors on the internet.
pub fn scanner(rng: &mut Rng) -> Ipv4Addr {
    let lot = rng.bits();
    let [_, _, third, fourth, which, ..] = lot.to_be_bytes();
    let [first, second] =
        SCANNERS.get(usize::from(which) % SCANNERS.len()).copied().unwrap_or([45, 33]);
    Ipv4Addr::new(first, second, third, fourth.clamp(1, 254))
}

/// First 32 bits of networks of version 6 that homes and telephones have.
const HOMES_6: [u32; 6] =
    [0x2601_0602, 0x2003_00c1, 0x2a02_0c7d, 0x2409_4042, 0x2001_818a, 0x2405_6e00];

/// The address of version 6 of somebody at home.
pub fn home_6(rng: &mut Rng) -> Ipv6Addr {
    within_6(&HOMES_6, rng)
}

/// The same of networks in which servers are rented out: Hetzner, `DigitalOcean`, OVH.
const HOSTING_6: [u32; 3] = [0x2a01_04f9, 0x2400_6180, 0x2001_41d0];

/// The address of version 6 of a server that somebody rents.
pub fn hosting_6(rng: &mut Rng) -> Ipv6Addr {
    within_6(&HOSTING_6, rng)
}

fn within_6(networks: &[u32], rng: &mut Rng) -> Ipv6Addr {
    let network = rng.pick(networks).copied().unwrap_or_default();
    let rest = u128::from(rng.bits() >> 32) << 64 | u128::from(rng.bits());
    Ipv6Addr::from(u128::from(network) << 96 | rest)
}

/// Time servers on the internet.
pub const TIME: Network = Network::new("time servers", [162, 159, 200, 0], 1 << 7);
/// Mirrors of packages (Fastly).
pub const MIRRORS: Network = Network::new("Fastly", [151, 101, 0, 0], SMALL);
/// What applications ask (Cloudflare).
pub const PARTNERS: Network = Network::new("Cloudflare", [104, 16, 0, 0], LARGE);

/// Regions that are on in every account: a console that looks around asks all of them.
pub const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-3",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "sa-east-1",
];
/// Regions that machines are in.
pub const HOME_REGIONS: [&str; 5] =
    ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1", "ap-northeast-1"];
/// Where global services are logged.
pub const GLOBAL: &str = "us-east-1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_their_network() {
        let mut rng = Rng::new(3);
        for city in CITIES {
            for network in [city.homes, city.mobile, city.business] {
                let address = u32::from(network.address(&mut rng));
                assert!((network.first..=network.first + network.n_addresses).contains(&address));
            }
        }
    }

    #[test]
    fn journeys_take_as_long_as_those_of_airliners() {
        let [seattle, _, berlin, london, _, _, _, sydney] = CITIES;
        let rounded = |km: f64| (km / 100.0).round();
        assert!((rounded(london.distance_km(&sydney)) - 170.0).abs() < f64::EPSILON);
        assert!((rounded(berlin.distance_km(&london)) - 9.0).abs() < f64::EPSILON);
        assert_eq!(london.journey_s(&sydney) / HOUR_S, 24);
        assert_eq!(seattle.journey_s(&seattle), 3 * HOUR_S);
    }

    #[test]
    fn machines_live_where_the_regions_are() {
        assert!(HOME_REGIONS.iter().all(|region| REGIONS.contains(region)));
    }
}
