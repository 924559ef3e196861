//! VPC Flow Logs in the default format of version 2, in text objects with a header line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use libdeflater::CompressionError;

use super::gzip;
use crate::Archive;
use crate::clock::{folder, round_up, stamp};
use crate::rng::Rng;

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol \
                      packets bytes start end action log-status";

/// One way of one connection within one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// `interface-id`.
    pub interface: &'static str,
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

impl Flow {
    /// The answer to this flow in the same window.
    #[must_use]
    pub fn answer(self, packets: i64, bytes: i64) -> Self {
        Self { from: self.to, to: self.from, packets, bytes, ..self }
    }

    /// What names the flow: interface, both ends, protocol and start.
    pub fn key(&self) -> String {
        let Self { interface, from, to, protocol, start_s, .. } = self;
        format!("{interface} {} {} {} {} {protocol} {start_s}", from.0, to.0, from.1, to.1)
    }

    fn line(&self, account: &str) -> String {
        let Self { interface, from, to, protocol, packets, bytes, start_s, end_s, accepted } = self;
        let action = if *accepted { "ACCEPT" } else { "REJECT" };
        format!(
            "2 {account} {interface} {} {} {} {} {protocol} {packets} {bytes} {start_s} {end_s} \
             {action} OK",
            from.0, to.0, from.1, to.1
        )
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
            // Writing to a String cannot fail.
            let _ok = writeln!(text, "{}", flow.line(log.account)).is_ok();
        }
        let (FlowLog { account, region, id, .. }, stamp_s) = (log, slot_s + log.delay_s);
        let key = format!(
            "AWSLogs/{account}/vpcflowlogs/{region}/{}/{account}_vpcflowlogs_{region}_{id}_{}_{}.log.gz",
            folder(stamp_s),
            stamp(stamp_s),
            rng.hex(8)
        );
        archive.insert(key, gzip(text.as_bytes())?);
    }
    Ok(archive)
}
