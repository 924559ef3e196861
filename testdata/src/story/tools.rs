//! What people and intruders call with, and from where.

use crate::places::{FAR_HOMES, HOSTING_ASIA, HOSTING_EU, Network, VPN};
use crate::rng::Rng;

pub(super) const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";
pub(super) const LAPTOP_BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0";
pub(super) const COMMAND_LINE: &str = "aws-cli/2.33.8 md/awscrt#0.29.2 ua/2.1 os/macos#25.2.0 \
    md/arch#arm64 lang/python#3.13.11 md/pyimpl#CPython cfg/retry-mode#standard";
pub(super) const LAPTOP_COMMAND_LINE: &str = "aws-cli/2.33.12 md/awscrt#0.29.2 ua/2.1 \
    os/linux#6.14.0 md/arch#x86_64 lang/python#3.13.11 md/pyimpl#CPython cfg/retry-mode#standard";
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
