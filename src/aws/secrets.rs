//! What AWS Secrets Manager keeps for sinks, read while somebody waits. In: where a secret is. Out: what it holds.

use super::runtime;
use crate::clock;
use alerts::sinks::{Kept, KeptSecret};
use ingest::source::session::Access;

/// Reads a secret; or says why that is not possible.
pub(crate) fn read(access: &Access, secret: &KeptSecret, is_rotated: bool) -> Result<Kept, String> {
    let runtime = runtime().map_err(|error| format!("{error:#}"))?;
    runtime.block_on(secret.read(access, is_rotated, clock::now_ms()))
}
