//! What is on this machine: the state's folder, the tables about addresses, the folder of findings. In: paths. Out: checks. A
//! file is written where it is to be known whether that is possible, and taken away again.

use super::report::{Report, State};
use crate::{clock, config::Config};
use rustix::fs::statvfs;
use std::path::Path;

/// With less room an epoch, or a copy of the state, may not fit. Unit: bytes.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// The state, its three copies, and one that is being made.
const COPIES: u64 = 5;
/// Databases of cities come out at least once a month. Unit: days.
const CITY_DAYS_MAX: u64 = 90;
/// Unit: seconds.
const DAY_S: u64 = 24 * 60 * 60;

/// Looks at the folder of the state.
pub(super) fn state(file: &Path, report: &mut Report) {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let on = file.display().to_string();
    if !is_writable(("state-folder", &on), folder, report) {
        return;
    }
    let tried = "the room of its disk";
    let Ok(disk) = statvfs(folder) else { return };
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    let own_bytes = file.metadata().map_or(0, |state| state.len());
    let needed = own_bytes.saturating_mul(COPIES).max(FREE_BYTES_MIN);
    let found = format!("{} MiB free, of {} MiB needed", free_bytes >> 20, needed >> 20);
    let state = if free_bytes < needed { State::Fault } else { State::Ok };
    let check = report.note(("state-room", &on), state, tried, found);
    if state == State::Fault {
        check.mend("give it a larger disk; beside a state lie three copies of it");
    }
}

/// Whether a folder takes files; notes it.
pub(super) fn is_writable(
    subject: (&'static str, &str),
    folder: &Path,
    report: &mut Report,
) -> bool {
    let tried = "writing a file beside it, and taking it away";
    match tempfile::Builder::new().prefix(".sentrail-doctor").tempfile_in(folder) {
        Ok(_) => {
            report.note(subject, State::Ok, tried, "possible");
            true
        }
        Err(error) => {
            let found = format!("{}: {}", folder.display(), error.kind());
            let check = report.note(subject, State::Fault, tried, found);
            check.mend("create the folder, or let the user that sentrail runs as write there");
            false
        }
    }
}

/// Looks at the tables about addresses.
pub(super) fn tables(config: &Config, report: &mut Report) {
    let enrich = match config.enrich() {
        Ok(enrich) => enrich,
        Err(error) => {
            let on = config.city_database().map(|path| path.display().to_string());
            let subject = ("city-database", on.as_deref().unwrap_or_default());
            report.note(subject, State::Fault, "opening it", error.to_string());
            return;
        }
    };
    let date = enrich.dates().country;
    let found = format!("those of the program are of {date}");
    report.note(("address-tables", "countries and networks"), State::Ok, "their date", found);
    let (Some(path), Some(made_s)) = (config.city_database(), enrich.city_made_s()) else { return };
    let now_s = u64::try_from(clock::now_ms() / 1_000).unwrap_or_default();
    let days = now_s.saturating_sub(made_s) / DAY_S;
    let state = if days > CITY_DAYS_MAX { State::Fault } else { State::Ok };
    let on = path.display().to_string();
    let check = report.note(("city-database", &on), state, "its date", format!("{days} days old"));
    if state == State::Fault {
        check.mend("fetch it anew: addresses move, and impossible-travel goes by it");
    }
}
