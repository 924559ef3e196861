use super::*;
use crate::aws::fetches::{FETCHES_MAX, FETCHES_MIN};
use crate::config;

const LIMITS: &str = include_str!("../../docs/limits.md");

#[test]
fn the_page_of_limits_gives_the_bounds_in_force() {
    for (name, bound) in [
        ("run::INBOX_MAX", format!("{INBOX_MAX} events")),
        ("pace::EPOCH_BYTES_MAX", format!("{} bytes", pace::EPOCH_BYTES_MAX)),
        ("queues::DELIVERIES_MAX", format!("{} objects", queues::DELIVERIES_MAX)),
        ("fetches::FETCHES_MIN", format!("{FETCHES_MIN} objects")),
        ("fetches::FETCHES_MAX", format!("{FETCHES_MAX} objects")),
        ("retry::WAITS_S", format!("{} waits", retry::WAITS_S.len())),
        ("retry::FAILED_MAX", format!("{} objects", retry::FAILED_MAX)),
        ("feeds::FEEDS_MAX", format!("{} feeds", feeds::FEEDS_MAX)),
        ("http::CONNECTIONS_MAX", format!("{} connections", http::CONNECTIONS_MAX)),
        ("names::EVERY", format!("{} s", names::EVERY.as_secs())),
        ("names::START_MAX", format!("{} s", names::START_MAX.as_secs())),
        ("renewal::EVERY", format!("{} s", sinks::renewal::EVERY.as_secs())),
        ("renewal::EVERY_DENIED", format!("{} s", sinks::renewal::EVERY_DENIED.as_secs())),
        ("reload::LOOK_EVERY", format!("{} s", reload::LOOK_EVERY.as_secs())),
        ("changes::LINES_MAX", format!("{} lines", config::LINES_MAX)),
        ("changes::NAMES_MAX", format!("{} names", config::NAMES_MAX)),
        ("log::LINES_MAX", format!("{} lines", log::LINES_MAX)),
        ("copies::COPIES_MAX", format!("{} files", copies::COPIES_MAX)),
        ("snapshots::SNAPSHOTS_MAX", format!("{} snapshots", snapshots::SNAPSHOTS_MAX)),
        ("snapshots::EVERY_S", format!("{} s", snapshots::EVERY_S_DEFAULT)),
        ("lease::LEASE_S", format!("{} s", snapshots::LEASE_S_DEFAULT)),
        ("vault::AT_ONCE_MAX", format!("{} objects", snapshots::vault::AT_ONCE_MAX)),
        ("backups::ENDING_MAX", format!("{} s", backups::ENDING_MAX.as_secs())),
        ("snapshot::PIECE_BYTES", format!("{} bytes", alerts::PIECE_BYTES)),
        ("snapshot::MANIFEST_BYTES_MAX", format!("{} bytes", alerts::MANIFEST_BYTES_MAX)),
        ("own::OWN_OBJECTS_MAX", format!("{} objects", ingest::source::s3::OWN_OBJECTS_MAX)),
    ] {
        let row = format!("\n| `{name}` | {bound} | ");
        assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
    }
}
