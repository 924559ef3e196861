//! The names of APIs.

/// `eventName` without the version of the API that some services write behind it, for example
/// `UpdateFunctionCode` of `UpdateFunctionCode20150331v2`.
pub fn unversioned(name: &str) -> &str {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'v' || c == '_');
    let version = name.get(stem.len()..).unwrap_or_default();
    let date = version.get(..8).unwrap_or_default();
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) { stem } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_apis_are_not_part_of_their_names() {
        for (logged, name) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateDistribution2020_05_31", "CreateDistribution2020_05_31"),
            ("GetObject", "GetObject"),
            ("PutBucketV2", "PutBucketV2"),
            ("20150331", ""),
            ("", ""),
        ] {
            assert_eq!(unversioned(logged), name);
        }
    }
}
