//! What the configuration gives rules besides documents: values of placeholders, lists, decoys.

use super::{decoys::Decoys, lists::Lists};
use std::collections::BTreeMap;

/// What rules can ask for by a name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Values of placeholders, without their percent signs. A value is meant literally: it has no
    /// wildcards.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// Lists of addresses, and the trusted ones.
    pub lists: Lists,
    /// Names that nobody has any business with.
    pub decoys: Decoys,
}
