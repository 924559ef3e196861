//! What the name of a log object says. In: an S3 key or a path. Out: account, region, kind and
//! the stamp at which AWS wrote it. It never opens anything.
//!
//! ```text
//! [prefix/]AWSLogs/[o-ORG/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/
//!          ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_RANDOM.json.gz
//! [prefix/]AWSLogs/ACCOUNT/vpcflowlogs/REGION/YYYY/MM/DD[/HH]/
//!          ACCOUNT_vpcflowlogs_REGION_fl-ID_YYYYMMDDTHHmmZ_HASH.log.gz
//! [prefix/]AWSLogs/aws-account-id=ACCOUNT/aws-service=vpcflowlogs/aws-region=REGION/year=...
//! aws/VPC_FLOW/2.0/region=REGION/accountId=ACCOUNT/eventDay=YYYYMMDD/NAME.parquet  (Security Lake; of
//! CloudTrail CLOUD_TRAIL_MGMT, S3_DATA and LAMBDA_EXECUTION)
//! ```

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The folder under which AWS services deliver their logs.
pub(crate) const AWS_LOGS: &str = "AWSLogs";

/// The file AWS Config and CloudTrail put down to see whether they may write.
const WRITABILITY_CHECK: &str = "ConfigWritabilityCheckFile";

/// What an object holds, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// CloudTrail events: management, data and network activity.
    CloudTrail,
    /// VPC Flow Logs, as text or Parquet.
    FlowLog,
    /// CloudTrail Insights, a schema of their own.
    Insight,
    /// Aggregated CloudTrail data events, a schema of their own.
    Aggregated,
    /// CloudTrail digests: integrity data, no events.
    Digest,
    /// Query results of CloudTrail Lake.
    Lake,
    /// An empty file by which a service tests that it may write.
    WritabilityCheck,
    /// A key that ends in `/`: a folder drawn by the S3 console.
    FolderMarker,
    /// A log of a service other than CloudTrail and VPC Flow Logs.
    OtherService,
    /// Nothing in the name says; the content will.
    Unknown,
}

/// What a key or path says about its object. Fields are `None` where the name does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInfo<'a> {
    /// What the object holds.
    pub kind: Kind,
    /// Account that the log belongs to: 12 digits; the folder's, else the name's.
    pub account: Option<&'a str>,
    /// Region of the folder, else of the name.
    pub region: Option<&'a str>,
    /// Region in the file name, only where it differs from [`KeyInfo::region`].
    pub name_region: Option<&'a str>,
    /// Organisation of an organisation trail, for example `o-a1b2c3d4e5`.
    pub organisation: Option<&'a str>,
    /// Flow log that wrote the object, for example `fl-0123456789abcdef0`.
    pub flow_log_id: Option<&'a str>,
    /// When AWS wrote the object. Unit: milliseconds since the Unix epoch; minute resolution
    /// (digests: seconds).
    pub stamp_ms: Option<i64>,
    /// Byte at which the key's own `AWSLogs/` begins, the part that copying an archive elsewhere
    /// does not change.
    pub aws_logs_at: Option<usize>,
}

/// What the folders below `AWSLogs/` say.
#[derive(Debug, Default, Clone, Copy)]
struct Folders<'a> {
    organisation: Option<&'a str>,
    account: Option<&'a str>,
    service: Option<&'a str>,
    region: Option<&'a str>,
}

/// What the file's own name says.
#[derive(Debug, Default, Clone, Copy)]
struct Name<'a> {
    account: Option<&'a str>,
    service: Option<&'a str>,
    region: Option<&'a str>,
    flow_log_id: Option<&'a str>,
    stamp_ms: Option<i64>,
}

impl<'a> KeyInfo<'a> {
    /// Reads a key, or a path written with `/`. Every text has an answer.
    pub fn of(key: &'a str) -> Self {
        let aws_logs_at = last_component(key, AWS_LOGS);
        let (folder_part, file) = key.rsplit_once('/').unwrap_or(("", key));
        let folders = aws_logs_at
            .and_then(|at| folder_part.get(at + AWS_LOGS.len()..))
            .map(Folders::of)
            .or_else(|| Folders::of_security_lake(folder_part))
            .unwrap_or_default();
        let name = Name::of(file);
        let region = folders.region.or(name.region);
        Self {
            kind: kind(file, folders, name),
            account: folders.account.or(name.account),
            region,
            name_region: name.region.filter(|own| Some(*own) != region),
            organisation: folders.organisation,
            flow_log_id: name.flow_log_id,
            stamp_ms: name.stamp_ms,
            aws_logs_at,
        }
    }

    /// Whether one of the regions that the key names is `region`; `None` if it names none.
    pub(crate) fn is_in_region(&self, region: &str) -> Option<bool> {
        let own = self.region?;
        Some(own == region || self.name_region == Some(region))
    }
}

/// Byte at which the last path component that equals `wanted` begins; one that something stands
/// behind.
pub(crate) fn last_component(key: &str, wanted: &str) -> Option<usize> {
    let is = |at: &usize| {
        let rest = key.get(*at..).and_then(|rest| rest.strip_prefix(wanted));
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let slashes = key.bytes().enumerate().rev().filter(|(_, byte)| *byte == b'/');
    slashes.map(|(at, _)| at + 1).find(is).or_else(|| Some(0).filter(is))
}

/// What stands between separators. Names are short: a search that is made for long texts costs more
/// here than it spares.
fn parts(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let at = whole.bytes().position(|byte| byte == separator);
        rest = at.and_then(|at| whole.get(at + 1..));
        whole.get(..at.unwrap_or(whole.len()))
    })
}

impl<'a> Folders<'a> {
    /// Reads the folders below `AWSLogs`, each optional, in AWS's order.
    fn of(below: &'a str) -> Self {
        let mut parts = parts(below, b'/').filter(|part| !part.is_empty()).peekable();
        let organisation = parts.next_if(|part| is_organisation(part));
        let account = parts
            .next_if(|part| is_account(value(part, "aws-account-id")))
            .map(|part| value(part, "aws-account-id"));
        // Without an account in front, what follows is somebody's own layout.
        let service = account.and_then(|_| parts.next()).map(|part| value(part, "aws-service"));
        let region = service
            .and_then(|_| parts.next())
            .map(|part| value(part, "aws-region"))
            .filter(|part| is_region(part));
        Self { organisation, account, service, region }
    }
}

impl<'a> Folders<'a> {
    /// Reads the folders of a source of Security Lake.
    fn of_security_lake(folder: &'a str) -> Option<Self> {
        let mut parts = folder.rsplit('/');
        parts.next()?.strip_prefix("eventDay=")?;
        let account = parts.next()?.strip_prefix("accountId=");
        let region = parts.next()?.strip_prefix("region=");
        let (_version, source) = (parts.next()?, parts.next()?);
        Some(Self {
            organisation: None,
            account: Some(account?).filter(|part| is_account(part)),
            service: Some(source),
            region: Some(region?).filter(|part| is_region(part)),
        })
    }
}

/// The part behind `name=` of a Hive-style folder, or the whole of a plain one.
pub(crate) fn value<'a>(part: &'a str, name: &str) -> &'a str {
    part.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).unwrap_or(part)
}

impl<'a> Name<'a> {
    /// Reads `ACCOUNT_SERVICE_REGION_..._STAMP_SUFFIX.EXTENSION`; nothing unless all of it fits.
    fn of(file: &'a str) -> Self {
        let stem = parts(file, b'.').next().unwrap_or_default();
        if !is_log_extension(file.get(stem.len() + 1..).unwrap_or_default()) {
            return Self::default();
        }
        let mut parts = parts(stem, b'_');
        let mut account = None;
        let service = loop {
            match parts.next() {
                None => return Self::default(),
                Some(part) if is_service(part) => break part,
                Some(part) => account = Some(part),
            }
        };
        let region = parts.next().filter(|part| is_region(part));
        let mut flow_log_id = None;
        let mut stamp_ms = None;
        for part in parts {
            // Of a digest the trail's name comes before the stamp and may look like one.
            stamp_ms = stamp(part).or(stamp_ms);
            if part.starts_with("fl-") && flow_log_id.is_none() {
                flow_log_id = Some(part);
            }
        }
        if region.is_none() || stamp_ms.is_none() {
            return Self::default();
        }
        let account = account.filter(|part| is_account(part));
        Self { account, service: Some(service), region, flow_log_id, stamp_ms }
    }
}

/// The kind of a file in these folders with this name; the folder counts more than the name,
/// because AWS's own readers go by it.
fn kind(file: &str, folders: Folders<'_>, name: Name<'_>) -> Kind {
    if file.is_empty() {
        return Kind::FolderMarker;
    }
    if file == WRITABILITY_CHECK {
        return Kind::WritabilityCheck;
    }
    let Some(service) = folders.service.or(name.service) else { return Kind::Unknown };
    match service {
        "CloudTrail"
        | "CloudTrail-NetworkActivity"
        | "CLOUD_TRAIL_MGMT"
        | "S3_DATA"
        | "LAMBDA_EXECUTION" => Kind::CloudTrail,
        "CloudTrail-Insight" => Kind::Insight,
        "CloudTrail-Aggregated" => Kind::Aggregated,
        "CloudTrail-Digest" => Kind::Digest,
        "CloudTrail-Lake" => Kind::Lake,
        "vpcflowlogs" | "VPC_FLOW" => Kind::FlowLog,
        _ => Kind::OtherService,
    }
}

fn is_log_extension(extension: &str) -> bool {
    let plain = extension
        .strip_suffix(".gz")
        .or_else(|| extension.strip_suffix(".zst"))
        .or_else(|| extension.strip_suffix(".zstd"))
        .unwrap_or(extension);
    matches!(plain, "json" | "log" | "log.parquet" | "jsonl" | "ndjson" | "txt")
}

fn is_service(part: &str) -> bool {
    part == "vpcflowlogs" || part == "CloudTrail" || part.starts_with("CloudTrail-")
}

/// Whether a text is an account id: 12 digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_organisation(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// Whether a text may be a region. Loose on purpose: regions are added every year
/// (`us-gov-west-1`, `eusc-de-east-1`).
pub(crate) fn is_region(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.contains('-')
        && text.len() <= 32
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Milliseconds since the Unix epoch of `YYYYMMDDTHHmmZ` or `YYYYMMDDTHHmmssZ`.
fn stamp(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z')?;
    let (date, time) = (text.get(..8)?, text.get(8..)?.strip_prefix('T')?);
    if !(time.len() == 4 || time.len() == 6) {
        return None;
    }
    let year = digits(date.get(..4)?)?;
    let month = i8::try_from(digits(date.get(4..6)?)?).ok()?;
    let day = i8::try_from(digits(date.get(6..)?)?).ok()?;
    let hour = i8::try_from(digits(time.get(..2)?)?).ok()?;
    let minute = i8::try_from(digits(time.get(2..4)?)?).ok()?;
    let second = match time.get(4..) {
        None | Some("") => 0,
        Some(text) => i8::try_from(digits(text)?).ok()?,
    };
    let datetime = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Offset::UTC.to_timestamp(datetime).ok().map(Timestamp::as_millisecond)
}

/// A number of digits only: `parse` alone would take a sign.
fn digits(text: &str) -> Option<i16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests;
