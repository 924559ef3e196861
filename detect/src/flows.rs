//! What detectors of flow logs share: who is a stranger, what was never called, and words.

use crate::{detector::Case, reader::calls::LOGON_PORTS};
use baseline::{Dimension, Part, Value, Window, generation::KnownBy};

/// What a peer, a port or a resolver that nobody knows costs: as much as a network that nobody knows, of which
/// the model's prototype made 16.3. Unit: bits.
pub(crate) const UNSEEN_BITS: f64 = 16.3;

/// Whether neither the interface nor others of its account have sent to a peer on days before.
pub(crate) fn is_stranger(peer: &str, case: &Case<'_>) -> bool {
    case.usual.known_by(Dimension::BytesOut, peer) == KnownBy::Nobody
}

/// What of an hour is new to the interface, and to others of its account where they are asked.
pub(crate) struct News {
    /// The hour, as far as it is new.
    pub(crate) window: Window,
    /// The heaviest new value.
    pub(crate) value: Value,
    /// What it costs.
    pub(crate) part: Part,
}

/// The news of `dimension`, once there are `days_min` days of history, if any news carry `bits_min` bits or more
/// of surprise: of a host that calls something new every day they carry one or two.
pub(crate) fn news(
    case: &Case<'_>,
    dimension: Dimension,
    (days_min, bits_min): (u32, f64),
    asks_group: bool,
) -> Option<News> {
    let newness = case.usual.newness(dimension);
    if case.usual.own_days() < days_min || newness.as_f64() < bits_min {
        return None;
    }
    let is_new = |value: &Value| {
        let is_known_to_group = || case.usual.is_known_to_group(dimension, value);
        !(case.usual.has_shown(dimension, value) || asks_group && is_known_to_group())
    };
    let window = case.span.whole(dimension, is_new)?;
    let heaviest = window.counted.values.heaviest().first().map(|(text, _)| (*text).to_owned())?;
    let value = window.counted.values.iter().find(|(value, _)| *value.text == heaviest)?.0.clone();
    let part = case.usual.novelty(dimension, &value, UNSEEN_BITS);
    Some(News { window, value, part })
}

/// Whether `peer port` is a service at which somebody logs on by hand. At any other port programs may make
/// connections of the same shape.
pub(crate) fn is_logon(value: &str) -> bool {
    let port = value.rsplit_once(' ').and_then(|(_, port)| port.parse().ok());
    port.is_some_and(|port| LOGON_PORTS.contains(&port))
}

/// Names of services at which somebody logs on.
const SERVICES: &[(u16, &str)] = &[
    (21, "FTP"),
    (22, "SSH"),
    (23, "Telnet"),
    (3389, "RDP"),
    (5900, "VNC"),
    (5985, "WinRM"),
    (5986, "WinRM"),
];

/// The heaviest of some ports, by the name of its service.
pub(crate) fn services(ports: &[(u16, u64)]) -> String {
    let Some((port, _)) = ports.first() else { return "no port".to_owned() };
    let named = SERVICES.iter().find(|(of, _)| of == port);
    let named = named.map_or_else(String::new, |(_, name)| format!(" ({name})"));
    match ports.len() - 1 {
        0 => format!("port {port}{named}"),
        n => format!("port {port}{named} and {n} more"),
    }
}

/// That there are other peers than the heaviest.
pub(crate) fn others(n_peers: usize, is_estimate: bool) -> String {
    match n_peers.saturating_sub(1) {
        0 => String::new(),
        n if is_estimate => format!(" and by more than {n} others"),
        1 => " and by one other".to_owned(),
        n => format!(" and by {n} others"),
    }
}
