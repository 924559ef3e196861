//! Which calls CloudTrail marks `readOnly`. Mostly the name tells it.

/// Beginnings of event names that mostly only read.
const READING: [&str; 22] = [
    "Get",
    "List",
    "Describe",
    "Lookup",
    "Head",
    "AssumeRole",
    "Decrypt",
    "Generate",
    "Filter",
    "BatchGet",
    "Search",
    "Select",
    "Scan",
    "Query",
    "Simulate",
    "Preview",
    "View",
    "Check",
    "Discover",
    "Estimate",
    "Encrypt",
    "Retrieve",
];

/// What `readOnly` of a call of `name` is.
pub fn is_read_only(service: &str, name: &str) -> bool {
    match (service, name) {
        (
            "bedrock",
            "InvokeModel" | "InvokeModelWithResponseStream" | "Converse" | "ConverseStream",
        )
        | ("iam", "GenerateCredentialReport") => true,
        ("sts", "GetSessionToken" | "GetFederationToken") | ("signin", "CheckMfa") => false,
        _ => READING.iter().any(|start| name.starts_with(start)),
    }
}
