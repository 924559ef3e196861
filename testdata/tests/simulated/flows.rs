//! Generated flow logs beside what is known of real ones, figure by figure. The figures of an exposed
//! server come from 36 hours of a machine on the internet in April 2024 (Zeek's records of it, summed
//! as AWS sums flows); the others from AWS's documentation. Every figure has its tolerance. In which
//! order AWS writes rows is not documented: what is checked is that one interface's window is together.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::net::IpAddr;
use std::sync::OnceLock;

use testdata::clock::DAY_S;
use testdata::organisation::{Host, HostKind, Organisation, Size, Vpc};
use testdata::post::{Sink, Written};
use testdata::simulate::{self, Plan};

/// Friday 2026-03-06, so that a weekend is in it. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_755_200;
const DAYS: i64 = 2;
/// The seventh VPC has windows of ten minutes; four of them see all formats.
const SIZE: Size = Size { accounts: 2, people: 1, machines: 0, pipelines: 0, agents: 0, vpcs: 7 };
const PLAN: Plan = Plan {
    seed: 3,
    size: SIZE,
    start_s: START_S,
    days: DAYS,
    has_digests: false,
    stories: Vec::new(),
};

/// A row, with the fields that its format has.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    vpc: usize,
    host: usize,
    ends: Option<((IpAddr, u16), (IpAddr, u16))>,
    protocol: u8,
    packets: i64,
    bytes: i64,
    start_s: i64,
    end_s: i64,
    accepted: bool,
    status: String,
    more: BTreeMap<&'static str, String>,
}

struct Object {
    vpc: usize,
    key: String,
    stamp_s: i64,
    stored_bytes: usize,
    bytes: usize,
    header: String,
    rows: Vec<Row>,
}

struct Network {
    organisation: Organisation,
    objects: Vec<Object>,
    written: Written,
}

const MORE: [&str; 14] = [
    "version",
    "account-id",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "type",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "az-id",
    "flow-direction",
    "traffic-path",
    "pkt-dst-aws-service",
    "reject-reason",
];

fn row(of: &Organisation, vpc: usize, names: &[&str], line: &str) -> Row {
    let values: Vec<&str> = line.split(' ').collect();
    assert_eq!(names.len(), values.len(), "{line}");
    let text = |name: &str| names.iter().position(|known| *known == name).map(|at| values[at]);
    let number = |name: &str| text(name).unwrap().parse::<i64>().unwrap_or(0);
    let end = |address: &str, port: &str| -> Option<(IpAddr, u16)> {
        Some((text(address)?.parse().ok()?, text(port)?.parse().ok()?))
    };
    let mut hosts = of.vpcs[vpc].hosts.iter();
    // Formats differ in what they tell more; the default one tells nothing.
    let more = if names[0] == "version" && names.len() == 14 { &MORE[..0] } else { &MORE[..] };
    Row {
        vpc,
        host: hosts.position(|host| host.interface == text("interface-id").unwrap()).unwrap(),
        ends: end("srcaddr", "srcport").zip(end("dstaddr", "dstport")),
        protocol: u8::try_from(number("protocol")).unwrap(),
        packets: number("packets"),
        bytes: number("bytes"),
        start_s: number("start"),
        end_s: number("end"),
        accepted: text("action") == Some("ACCEPT"),
        status: text("log-status").unwrap().to_owned(),
        more: more.iter().filter_map(|name| Some((*name, text(name)?.to_owned()))).collect(),
    }
}

impl Sink for Network {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        let Some((_, name)) = key.rsplit_once('/').filter(|_| key.contains("/vpcflowlogs/")) else {
            return Ok(());
        };
        let parts: Vec<&str> = name.split('_').collect();
        let vpc = self.organisation.vpcs.iter().position(|vpc| vpc.flow_log == parts[3]).unwrap();
        let length = u32::from_le_bytes(*bytes.last_chunk::<4>().unwrap()) as usize;
        let mut text = vec![0; length];
        libdeflater::Decompressor::new().gzip_decompress(bytes, &mut text)?;
        let text = String::from_utf8(text)?;
        let (header, rows) = text.split_once('\n').unwrap();
        let names: Vec<&str> = header.split(' ').collect();
        let stamp = jiff::civil::DateTime::strptime("%Y%m%dT%H%MZ", parts[4])?;
        self.objects.push(Object {
            vpc,
            key: key.to_owned(),
            stamp_s: stamp.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_second(),
            stored_bytes: bytes.len(),
            bytes: length,
            header: header.to_owned(),
            rows: rows.lines().map(|line| row(&self.organisation, vpc, &names, line)).collect(),
        });
        Ok(())
    }
}

fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| {
        let organisation = Organisation::new(PLAN.seed, SIZE, (START_S, DAYS));
        let written = Written::default();
        let mut network = Network { organisation, objects: Vec::new(), written };
        network.written = simulate::run(&PLAN, &mut network, &mut |_| {}).unwrap().written;
        network
    })
}

fn vpc(number: usize) -> &'static Vpc {
    &network().organisation.vpcs[number]
}

fn host_of(row: &Row) -> &'static Host {
    &vpc(row.vpc).hosts[row.host]
}

fn rows() -> impl Iterator<Item = &'static Row> {
    network().objects.iter().flat_map(|object| &object.rows)
}

/// The rows of the first VPC's first host, which stands on the internet.
fn exposed() -> impl Iterator<Item = &'static Row> {
    assert_eq!(vpc(0).hosts[0].kind, HostKind::Exposed);
    rows().filter(|row| row.vpc == 0 && row.host == 0 && row.ends.is_some())
}

fn is_inbound(row: &Row) -> bool {
    row.ends.is_some_and(|(_, to)| is_own(host_of(row), to.0))
}

fn is_own(host: &Host, address: IpAddr) -> bool {
    address == IpAddr::V4(host.address) || host.address_6.is_some_and(|own| address == own)
}

/// The values at the given places of a sorted list, in thousandths.
fn quantiles<const N: usize>(mut values: Vec<i64>, per_mille: [usize; N]) -> [i64; N] {
    values.sort_unstable();
    per_mille.map(|share| values[share * (values.len() - 1) / 1_000])
}

#[track_caller]
fn within(what: &str, value: f64, range: std::ops::RangeInclusive<f64>) {
    println!("{what}: {value:.3}, expected {range:?}");
    assert!(range.contains(&value), "{what}: {value}, expected {range:?}");
}

// An exposed server.

#[test]
fn an_exposed_server_has_as_many_rows_as_a_real_one() {
    // Rows that start in a minute: 15, 33, 85 and 147 at p5, p50, p95 and p99.
    let mut minutes: BTreeMap<i64, i64> = BTreeMap::new();
    for row in exposed() {
        *minutes.entry(row.start_s / 60).or_default() += 1;
    }
    let counts = minutes.into_values().collect();
    let [p5, p50, p95, p99] = quantiles(counts, [50, 500, 950, 990]);
    within("rows a minute, p5", p5 as f64, 12.0..=24.0);
    within("rows a minute, p50", p50 as f64, 28.0..=40.0);
    within("rows a minute, p95", p95 as f64, 68.0..=105.0);
    within("rows a minute, p99", p99 as f64, 105.0..=170.0);
    // 1,450 connections an hour.
    let n = exposed().filter(|row| is_inbound(row)).count() as f64;
    within("inbound rows an hour", n / 24.0 / DAYS as f64, 1_250.0..=1_700.0);
    // 194 in an object of five minutes.
    let objects = network().objects.iter().filter(|object| object.vpc == 0);
    let of_object = |object: &Object| object.rows.iter().filter(|row| row.host == 0).count();
    let counts = objects.map(|object| i64::try_from(of_object(object)).unwrap()).collect();
    within("rows in an object", quantiles(counts, [500])[0] as f64, 165.0..=225.0);
}

#[test]
fn an_exposed_server_refuses_as_much_as_a_real_one() {
    let inbound = || exposed().filter(|row| is_inbound(row));
    let refused = inbound().filter(|row| !row.accepted).count() as f64;
    within("refused", refused / inbound().count() as f64, 0.44..=0.52);
    assert!(exposed().all(|row| row.accepted || is_inbound(row)), "nobody answers a refusal");
}

#[test]
fn an_exposed_server_hears_from_as_many_as_a_real_one() {
    // 6,100 to 7,600 addresses a day; about 460 of them come back to sign in by SSH.
    for day in 0..DAYS {
        let from_s = START_S + day * DAY_S;
        let today = || {
            exposed().filter(move |row| {
                is_inbound(row) && (from_s..from_s + DAY_S).contains(&row.start_s)
            })
        };
        let all: BTreeSet<_> = today().map(|row| row.ends.unwrap().0.0).collect();
        within("sources a day", all.len() as f64, 6_100.0..=7_600.0);
        let ssh = today().filter(|row| row.ends.unwrap().1.1 == 22 && row.accepted);
        let ssh: BTreeSet<_> = ssh.map(|row| row.ends.unwrap().0.0).collect();
        within("sources of SSH", ssh.len() as f64, 420.0..=475.0);
    }
}

#[test]
fn rows_of_an_exposed_server_are_as_small_as_real_ones() {
    // Median 2 packets, 112 bytes; the largest of 92,196 rows had 36,756,790 bytes.
    let [packets] = quantiles(exposed().map(|row| row.packets).collect(), [500]);
    within("packets", packets as f64, 2.0..=2.0);
    let [bytes, p99, most] = quantiles(exposed().map(|row| row.bytes).collect(), [500, 990, 1_000]);
    within("bytes", bytes as f64, 90.0..=140.0);
    within("bytes, p99", p99 as f64, 2_400.0..=12_000.0);
    within("bytes, the most", most as f64, 100_000.0..=1e9);
}

#[test]
fn scanners_try_the_usual_ports_first() {
    let mut ports: BTreeMap<u16, u32> = BTreeMap::new();
    for row in exposed().filter(|row| !row.accepted) {
        *ports.entry(row.ends.unwrap().1.1).or_default() += 1;
    }
    // 27,782 refused packets were for 9,148 different ports.
    within("ports", ports.len() as f64, 6_000.0..=22_000.0);
    let mut by_count: Vec<_> = ports.into_iter().map(|(port, n)| (n, port)).collect();
    by_count.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(by_count[0].1, 3306);
    let first: Vec<u16> = by_count.iter().take(12).map(|(_, port)| *port).collect();
    assert!([443, 23, 8728, 3389, 8080, 445].iter().all(|port| first.contains(port)), "{first:?}");
}

#[test]
fn text_packs_as_well_as_aws_packs_it() {
    // 7.94 to 1 and 13.97 bytes a row, of version 2.
    let sum = |number: usize| {
        let objects = network().objects.iter().filter(move |object| object.vpc == number);
        objects.fold((0, 0, 0), |(bytes, stored, rows), object| {
            (bytes + object.bytes, stored + object.stored_bytes, rows + object.rows.len())
        })
    };
    let (bytes, stored, n_rows) = sum(0);
    within("packed", bytes as f64 / stored as f64, 6.75..=9.13);
    within("stored bytes a row", stored as f64 / n_rows as f64, 11.9..=16.1);
}

// Every VPC.

#[test]
fn objects_are_named_and_stamped_as_aws_does() {
    let mut seen = BTreeSet::new();
    for object in &network().objects {
        let of = vpc(object.vpc);
        let account = &network().organisation.accounts[of.account];
        let (id, region) = (&account.id, account.home);
        let parts: Vec<&str> = object.key.split('/').collect();
        let [_, _, service, _, year, month, day, name] = parts[..] else {
            panic!("{}", object.key)
        };
        assert_eq!(service, "vpcflowlogs");
        assert!(object.key.starts_with(&format!("AWSLogs/{id}/vpcflowlogs/{region}/")));
        let rest =
            name.strip_prefix(&format!("{id}_vpcflowlogs_{region}_{}_", of.flow_log)).unwrap();
        let (stamp, hash) = rest.split_once('_').unwrap();
        assert!(stamp.starts_with(&[year, month, day].concat()), "{name}");
        let hash = hash.strip_suffix(".log.gz").unwrap();
        assert!(hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(object.stamp_s % 300, 0);
        assert!(seen.insert((object.vpc, object.stamp_s)), "{name}: two of one span");
        assert_eq!(object.header, of.format.header().trim_end());
        // "20180620T1620Z": ends between 16:20:00 and 16:24:59.
        let span = object.stamp_s..object.stamp_s + 300;
        assert!(object.rows.iter().all(|row| span.contains(&row.end_s)), "{name}");
        assert!(!object.rows.is_empty() && object.stored_bytes < 75_000_000);
    }
    assert_eq!(network().written.flows, rows().count() as u64);
    for number in 0..7 {
        let n = network().objects.iter().filter(|object| object.vpc == number).count();
        let n = i64::try_from(n).unwrap();
        assert!((DAYS * 288..DAYS * 288 + 4).contains(&n), "{n} objects of VPC {number}");
    }
}

/// The window that a row belongs to.
fn window(row: &Row) -> i64 {
    (row.start_s - host_of(row).phase_s).div_euclid(vpc(row.vpc).window_s)
}

#[test]
fn flows_are_summed_by_window_and_direction() {
    let mut seen = BTreeSet::new();
    let mut twice = 0_u32;
    for row in rows() {
        let window_s = vpc(row.vpc).window_s;
        assert_eq!(window_s, if row.vpc == 6 { 600 } else { 60 });
        assert!((0..window_s).contains(&(row.end_s - row.start_s)), "{row:?}");
        let end = (row.end_s - host_of(row).phase_s).div_euclid(window_s);
        assert_eq!(window(row), end, "{row:?}");
        if let Some(ends) = row.ends {
            assert!(row.packets > 0 && row.bytes >= 20 * row.packets, "{row:?}");
            let key = (row.vpc, row.host, window(row), ends, row.protocol);
            twice += u32::from(!seen.insert(key));
        }
    }
    // Two that meet in one window and end in two objects.
    within("flows twice in a window", f64::from(twice) / seen.len() as f64, 0.0..=1e-5);
}

#[test]
fn every_window_of_every_interface_is_told_of() {
    let mut windows: BTreeMap<(usize, usize, i64), (u32, u32)> = BTreeMap::new();
    let mut n_skipped = 0_u32;
    for row in rows() {
        let (ok, silent) = windows.entry((row.vpc, row.host, window(row))).or_default();
        match row.status.as_str() {
            "OK" => *ok += 1,
            "NODATA" => *silent += 1,
            "SKIPDATA" => n_skipped += 1,
            other => panic!("{other}"),
        }
        assert_eq!(row.status == "OK", row.ends.is_some(), "{row:?}");
    }
    for (number, of) in network().organisation.vpcs.iter().enumerate() {
        for host in 0..of.hosts.len() {
            for n in START_S / of.window_s..(START_S + DAYS * DAY_S) / of.window_s {
                let (ok, silent) = windows.get(&(number, host, n)).copied().unwrap_or_default();
                assert!((ok > 0) != (silent == 1) && silent < 2, "VPC {number}, host {host}");
            }
        }
    }
    let share = f64::from(n_skipped) / windows.len() as f64;
    within("windows that could not be logged in full", share, 1e-5..=2e-4);
    // A machine that nobody uses is silent in most of them.
    let idle = rows().filter(|row| row.vpc != 6 && host_of(row).kind == HostKind::Idle);
    let (silent, all) = idle
        .fold((0, 0), |(silent, all), row| (silent + u32::from(row.status == "NODATA"), all + 1));
    within("silence of an idle machine", f64::from(silent) / f64::from(all), 0.75..=0.97);
}

#[test]
fn what_is_accepted_is_answered_in_its_window() {
    let mut seen = BTreeSet::new();
    let key = |row: &Row, from: (IpAddr, u16), to: (IpAddr, u16)| {
        (row.vpc, row.host, window(row), from, to, row.protocol)
    };
    let ok = || rows().filter(|row| row.ends.is_some() && row.accepted);
    for row in ok() {
        let (from, to) = row.ends.unwrap();
        seen.insert(key(row, from, to));
    }
    let alone = ok().filter(|row| {
        let (from, to) = row.ends.unwrap();
        !seen.contains(&key(row, to, from))
    });
    within("without an answer", alone.count() as f64 / ok().count() as f64, 0.0..=0.001);
    let refused = rows().filter(|row| row.ends.is_some() && !row.accepted);
    for row in refused {
        let (from, to) = row.ends.unwrap();
        assert!(is_inbound(row) && !seen.contains(&key(row, to, from)), "{row:?}");
    }
}

#[test]
fn both_ends_within_a_vpc_tell_the_same() {
    let mut sums: BTreeMap<_, BTreeMap<usize, (i64, i64)>> = BTreeMap::new();
    let hosts = |row: &Row, address: IpAddr| {
        vpc(row.vpc).hosts.iter().position(|host| is_own(host, address))
    };
    let mut n = 0_u32;
    for row in rows() {
        let Some((from, to)) = row.ends else { continue };
        let (Some(one), Some(other)) = (hosts(row, from.0), hosts(row, to.0)) else { continue };
        assert!(row.host == one || row.host == other, "{row:?}");
        // A NAT gateway tells what passes it by another address than those who use it.
        if [one, other].iter().any(|&end| vpc(row.vpc).hosts[end].kind == HostKind::Nat) {
            continue;
        }
        n += 1;
        let (packets, bytes) =
            sums.entry((row.vpc, from, to)).or_default().entry(row.host).or_default();
        *packets += row.packets;
        *bytes += row.bytes;
    }
    assert!(n > 20_000, "{n}");
    for (key, ends) in sums {
        let mut ends: Vec<_> = ends.into_values().collect();
        assert_eq!(ends.len(), 2, "{key:?}");
        ends.dedup();
        assert_eq!(ends.len(), 1, "{key:?}: {ends:?}");
    }
}

#[test]
fn what_aws_does_not_log_is_not_there() {
    for row in rows() {
        let Some((from, to)) = row.ends else { continue };
        for (address, port) in [from, to] {
            assert!(!matches!(port, 53 | 67 | 68) || !row.accepted, "{row:?}");
            let IpAddr::V4(address) = address else { continue };
            let [first, second, .., last] = address.octets();
            assert!((first, second) != (169, 254), "{row:?}");
            // The router, the resolver and one more of each subnet.
            let is_private = first == 10;
            assert!(!is_private || (4..255).contains(&last), "{row:?}");
        }
    }
}

#[test]
fn fields_of_custom_formats_agree_with_each_other() {
    let mut n = [0_u32; 7];
    for row in rows().filter(|row| !row.more.is_empty()) {
        n[row.vpc] += 1;
        let host = host_of(row);
        let text = |name: &str| row.more.get(name).map_or("", String::as_str);
        let is_ours = matches!(
            host.kind,
            HostKind::Exposed | HostKind::Bastion | HostKind::Application | HostKind::Idle
        );
        assert_eq!(text("instance-id").starts_with("i-"), is_ours, "{row:?}");
        assert_eq!(text("vpc-id"), vpc(row.vpc).id);
        assert!(text("subnet-id").starts_with("subnet-") && text("az-id").contains("-az"));
        assert_eq!(text("version"), if row.vpc % 4 == 1 { "5" } else { "10" });
        let Some((from, to)) = row.ends else {
            assert!(["tcp-flags", "type", "flow-direction"].iter().all(|name| text(name) == "-"));
            continue;
        };
        let leaves = is_own(host, from.0);
        assert_eq!(text("flow-direction"), if leaves { "egress" } else { "ingress" });
        assert_eq!(text("traffic-path") == "-", !leaves, "{row:?}");
        assert_eq!(text("type"), if from.0.is_ipv4() { "IPv4" } else { "IPv6" });
        // FIN 1, SYN 2, RST 4, the acknowledgement of an opening 16, and nothing else.
        let flags: u8 = text("tcp-flags").parse().unwrap();
        assert!(if row.protocol == 6 { flags & !0x17 == 0 } else { flags == 0 }, "{row:?}");
        assert!(flags & 16 == 0 || flags & 2 != 0, "{row:?}");
        assert!(row.accepted || flags & 16 == 0, "{row:?}");
        // A NAT gateway writes its own address where packets name another.
        let named = (text("pkt-srcaddr").to_owned(), text("pkt-dstaddr").to_owned());
        let is_written = named == (from.0.to_string(), to.0.to_string());
        assert!(is_written || host.kind == HostKind::Nat, "{row:?}");
    }
    assert!(n[1] > 10_000 && n[3] > 10_000, "{n:?}");
    let nat = rows().filter(|row| !row.more.is_empty() && host_of(row).kind == HostKind::Nat);
    let other = nat
        .filter(|row| row.ends.is_some_and(|(_, to)| row.more["pkt-dstaddr"] != to.0.to_string()));
    assert!(other.count() > 1_000, "what passes a NAT gateway");
}

#[test]
fn traffic_has_days_nights_and_two_families() {
    // The load balancer of the second VPC, by its clients' clock.
    let of = vpc(1);
    let served = rows().filter(|row| row.vpc == 1 && row.host == 0 && row.accepted);
    let mut by_hour = [0_u32; 24];
    for row in served.filter(|row| is_inbound(row)) {
        by_hour[usize::try_from(of.zone.hour(row.start_s)).unwrap()] += 1;
    }
    let (evening, night) = (f64::from(by_hour[20]), f64::from(by_hour[4]));
    within("the evening beside the night", evening / night, 2.5..=8.0);
    for (number, of) in network().organisation.vpcs.iter().enumerate() {
        let is_6 = |row: &&Row| row.ends.is_some_and(|(from, _)| from.0.is_ipv6());
        let n = rows().filter(|row| row.vpc == number).filter(is_6).count();
        assert_eq!(n > 100, of.first_6.is_some(), "VPC {number}: {n} rows of IPv6");
    }
    let time = rows().filter(|row| {
        row.protocol == 17 && row.accepted && row.ends.is_some_and(|(_, to)| to.1 == 123)
    });
    assert!(time.count() > 1_000, "the time is asked for");
    // Some tens of rows a minute, more in larger ones.
    for (number, of) in network().organisation.vpcs.iter().enumerate() {
        let n = rows().filter(|row| row.vpc == number && row.ends.is_some()).count();
        let windows = (DAYS * DAY_S / of.window_s) as f64 * of.window_s as f64 / 60.0;
        let range = if of.window_s == 60 { 8.0..=250.0 } else { 2.0..=250.0 };
        within("rows a minute", n as f64 / windows, range);
    }
}

#[test]
fn rows_of_a_window_stand_together() {
    for object in &network().objects {
        let mut seen = BTreeSet::new();
        let groups = object.rows.chunk_by(|a, b| (a.host, window(a)) == (b.host, window(b)));
        for group in groups {
            assert!(seen.insert((group[0].host, window(&group[0]))), "{}", object.key);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_objects() {
    let plan = Plan { days: 1, size: Size { vpcs: 2, ..SIZE }, ..PLAN };
    let archive = |seed| {
        let mut archive = testdata::Archive::new();
        simulate::run(&Plan { seed, ..plan.clone() }, &mut archive, &mut |_| {}).unwrap();
        archive.retain(|key, _| key.contains("/vpcflowlogs/"));
        archive
    };
    let first = archive(3);
    assert!(first.len() >= 2 * 288);
    assert!(first == archive(3));
    assert!(first != archive(4));
}
