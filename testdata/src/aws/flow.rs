//! VPC Flow Logs in text objects with a header line.

mod format;

use std::fmt::Display;
use std::net::IpAddr;

pub use format::{Field, Fields, Format, Place, VERSION_2, VERSION_5, VERSION_10};

use crate::clock::{folder, stamp};

/// `protocol`.
pub const ICMP: u8 = 1;
/// `protocol`.
pub const TCP: u8 = 6;
/// `protocol`.
pub const UDP: u8 = 17;
/// `tcp-flags`: one side closes.
pub const FIN: u8 = 1;
/// `tcp-flags`: one side opens.
pub const SYN: u8 = 2;
/// `tcp-flags`: one side breaks off.
pub const RST: u8 = 4;
/// `tcp-flags`: AWS counts the acknowledgement of an opening only; a plain one is 0.
pub const ACK: u8 = 16;

/// One way of one connection within one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow<I> {
    /// `interface-id`.
    pub interface: I,
    /// `srcaddr` and `srcport`.
    pub from: (IpAddr, u16),
    /// `dstaddr` and `dstport`.
    pub to: (IpAddr, u16),
    /// 1 ICMP, 6 TCP, 17 UDP.
    pub protocol: u8,
    /// `tcp-flags`, of the whole window.
    pub tcp_flags: u8,
    /// `packets`.
    pub packets: i64,
    /// `bytes`.
    pub bytes: i64,
    /// `start`. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// `end`. Unit: seconds since the Unix epoch.
    pub end_s: i64,
    /// `ACCEPT`, else `REJECT`.
    pub accepted: bool,
    /// Whom the packets name where this interface stands for somebody else, as a NAT gateway does.
    pub beyond: Option<IpAddr>,
    /// It goes in clear text where such flows are encrypted.
    pub is_clear: bool,
}

impl<I: Clone + Display> Flow<I> {
    /// The answer to this flow in the same window.
    #[must_use]
    pub fn answer(&self, packets: i64, bytes: i64) -> Self {
        let opened = if self.tcp_flags & SYN == 0 { 0 } else { ACK };
        let tcp_flags = self.tcp_flags | opened;
        Self { from: self.to, to: self.from, packets, bytes, tcp_flags, ..self.clone() }
    }

    /// The same, by another name of its interface.
    pub fn at<J>(&self, interface: J) -> Flow<J> {
        let Self { from, to, protocol, tcp_flags, packets, bytes, start_s, end_s, .. } = *self;
        let Self { accepted, beyond, is_clear, .. } = *self;
        Flow {
            interface,
            from,
            to,
            protocol,
            tcp_flags,
            packets,
            bytes,
            start_s,
            end_s,
            accepted,
            beyond,
            is_clear,
        }
    }

    /// What names the flow: interface, both ends, protocol and start.
    pub fn key(&self) -> String {
        let Self { interface, from, to, protocol, start_s, .. } = self;
        format!("{interface} {} {} {} {} {protocol} {start_s}", from.0, to.0, from.1, to.1)
    }
}

/// A window of an interface without flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// `start`. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// `end`. Unit: seconds since the Unix epoch.
    pub end_s: i64,
    /// Some flows could not be logged (`SKIPDATA`), else there were none (`NODATA`).
    pub is_skipped: bool,
}

/// The key of an object of flow logs.
pub fn key(account: &str, region: &str, log: &str, (stamp_s, suffix): (i64, &str)) -> String {
    format!(
        "AWSLogs/{account}/vpcflowlogs/{region}/{}/{account}_vpcflowlogs_{region}_{log}_{}_{suffix}.log.gz",
        folder(stamp_s),
        stamp(stamp_s),
    )
}
