//! What CloudTrail names an object.

use crate::clock::{folder, stamp};

/// Stamps are whole multiples of this. Unit: seconds.
pub const STAMP_STEP_S: i64 = 300;

/// The key of an object with events, of an organisation's trail or of an account's own.
pub fn key(
    organisation: Option<&str>,
    account: &str,
    region: &str,
    (stamp_s, suffix): (i64, &str),
) -> String {
    let (folder_of, slash) = organisation.map_or(("", ""), |id| (id, "/"));
    format!(
        "AWSLogs/{folder_of}{slash}{account}/CloudTrail/{region}/{}/\
         {account}_CloudTrail_{region}_{}_{suffix}.json.gz",
        folder(stamp_s),
        stamp(stamp_s)
    )
}
