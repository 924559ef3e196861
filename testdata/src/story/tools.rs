//! What intruders and auditors call with, and from where.

use crate::places::{FAR_HOMES, HOSTING_ASIA, HOSTING_EU, Network, VPN};
use crate::rng::Rng;

/// Prowler, which is written in Python.
pub(super) const AUDITOR: &str = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.12.58 \
    md/arch#x86_64 lang/python#3.12.12 md/pyimpl#CPython cfg/retry-mode#standard \
    Botocore/1.40.61 APN_1826889";

/// What intruders of write-ups call with.
const INTRUDERS: [&str; 5] = [
    "Boto3/1.40.11 md/Botocore#1.40.11 ua/2.1 os/linux#6.12.38 md/arch#x86_64 lang/python#3.13.7 \
     md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.40.11",
    "aws-cli/2.31.9 md/awscrt#0.27.6 ua/2.1 os/linux#6.16.8+kali-amd64 md/arch#x86_64 \
     lang/python#3.13.7 md/pyimpl#CPython cfg/retry-mode#standard",
    "aws-cli/1.42.44 md/Botocore#1.40.44 ua/2.1 os/windows#10 md/arch#amd64 lang/python#3.11.9 \
     md/pyimpl#CPython cfg/retry-mode#legacy botocore/1.40.44",
    "aws-sdk-go-v2/1.39.0 ua/2.1 os/linux lang/go#1.25.1 md/GOOS#linux md/GOARCH#amd64",
    "S3 Browser/12.2.9 (https://s3browser.com)",
];

/// How an intruder looks from outside.
#[derive(Debug, Clone)]
pub(super) struct Guise {
    /// The address.
    pub(super) address: String,
    /// The tool.
    pub(super) agent: String,
}

/// Draws a guise. One in four takes an address near that of the victim, and the victim's tool.
pub(super) fn guise(address: &str, agent: &str, rng: &mut Rng) -> Guise {
    let is_mimic = rng.one_in(4);
    let near = near(address, rng).filter(|_| is_mimic);
    let network = rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN, FAR_HOMES]).copied();
    let far = network.unwrap_or(VPN).address(rng).to_string();
    let tool = rng.pick(&INTRUDERS).copied().unwrap_or_default().to_owned();
    let agent = if is_mimic || rng.one_in(4) { agent.to_owned() } else { tool };
    Guise { address: near.unwrap_or(far), agent }
}

/// A guise outside of what anybody of the organisation uses.
pub(super) fn stranger(network: Network, rng: &mut Rng) -> Guise {
    let agent = rng.pick(&INTRUDERS).copied().unwrap_or_default().to_owned();
    Guise { address: network.address(rng).to_string(), agent }
}

/// Another address of the same provider; `None` for what is no IPv4 address.
pub(super) fn near(address: &str, rng: &mut Rng) -> Option<String> {
    let [first, second, third, _] = address.parse::<std::net::Ipv4Addr>().ok()?.octets();
    let third = i64::from(third) ^ rng.between(1, 7);
    Some(format!("{first}.{second}.{third}.{}", rng.between(2, 250)))
}
