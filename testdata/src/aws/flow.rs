//! VPC Flow Logs in the default format of version 2, in text objects with a header line.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::net::Ipv4Addr;

use libdeflater::CompressionError;

use super::gzip;
use crate::Archive;
use crate::clock::{folder, round_up, stamp};
use crate::rng::Rng;

/// The first line of an object.
pub const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol \
                      packets bytes start end action log-status";

/// One way of one connection within one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow<I = &'static str> {
    /// `interface-id`.
    pub interface: I,
    /// `srcaddr` and `srcport`.
    pub from: (Ipv4Addr, u16),
    /// `dstaddr` and `dstport`.
    pub to: (Ipv4Addr, u16),
    /// 6 TCP, 17 UDP.
    pub protocol: u8,
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
}

impl<I: Clone + Display> Flow<I> {
    /// The answer to this flow in the same window.
    #[must_use]
    pub fn answer(&self, packets: i64, bytes: i64) -> Self {
        Self { from: self.to, to: self.from, packets, bytes, ..self.clone() }
    }

    /// What names the flow: interface, both ends, protocol and start.
    pub fn key(&self) -> String {
        let Self { interface, from, to, protocol, start_s, .. } = self;
        format!("{interface} {} {} {} {} {protocol} {start_s}", from.0, to.0, from.1, to.1)
    }

    /// The row of it in the default format of version 2, appended to `out`.
    pub fn write(&self, account: &str, out: &mut String) {
        let Self { interface, from, to, protocol, packets, bytes, start_s, end_s, accepted } = self;
        let action = if *accepted { "ACCEPT" } else { "REJECT" };
        // Writing to a String cannot fail.
        let _ok = writeln!(
            out,
            "2 {account} {interface} {} {} {} {} {protocol} {packets} {bytes} {start_s} {end_s} \
             {action} OK",
            from.0, to.0, from.1, to.1
        )
        .is_ok();
    }
}

/// Which flow log writes, and how often it delivers.
#[derive(Debug, Clone, Copy)]
pub struct FlowLog<'a> {
    /// Account of the interfaces.
    pub account: &'a str,
    /// Region of the interfaces.
    pub region: &'a str,
    /// `fl-...`
    pub id: &'a str,
    /// An object holds what ended within this span. Unit: seconds.
    pub object_s: i64,
    /// From the end of the span to the stamp. Unit: seconds.
    pub delay_s: i64,
}

/// Puts `flows` into objects.
pub fn deliver(
    flows: &[Flow],
    log: FlowLog<'_>,
    rng: &mut Rng,
) -> Result<Archive, CompressionError> {
    let mut slots: BTreeMap<i64, Vec<&Flow>> = BTreeMap::new();
    for flow in flows {
        slots.entry(round_up(flow.end_s, log.object_s)).or_default().push(flow);
    }
    let mut archive = Archive::new();
    for (slot_s, mut flows) in slots {
        flows.sort_by_key(|flow| (flow.end_s, flow.key()));
        let mut text = format!("{HEADER}\n");
        for flow in flows {
            flow.write(log.account, &mut text);
        }
        let (FlowLog { account, region, id, .. }, stamp_s) = (log, slot_s + log.delay_s);
        let key = key(account, region, id, (stamp_s, &rng.hex(8)));
        archive.insert(key, gzip(text.as_bytes())?);
    }
    Ok(archive)
}

/// The key of an object of flow logs.
pub fn key(account: &str, region: &str, log: &str, (stamp_s, suffix): (i64, &str)) -> String {
    format!(
        "AWSLogs/{account}/vpcflowlogs/{region}/{}/{account}_vpcflowlogs_{region}_{log}_{}_{suffix}.log.gz",
        folder(stamp_s),
        stamp(stamp_s),
    )
}
