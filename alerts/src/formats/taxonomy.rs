//! The words that other formats have for what a finding says: kinds of finding, tactics, things.
//! In: a finding and its report. Out: texts from logs as they are; the format that uses them escapes.

use crate::report::Report;
use baseline::{Dimension, Evidence, Kind, Part};
use detect::{DETECTORS, Finding, Impact, Interest};
use ingest::target::partition_of;
use std::collections::BTreeSet;

/// By what calls can do: the path in the taxonomy of ASFF, and the tactic of MITRE ATT&CK. Changes that give nobody
/// more rights have neither.
const BY_IMPACT: &[(Impact, &str, (&str, &str))] = &[
    (Impact::Read, "TTPs/Collection", ("TA0009", "Collection")),
    (Impact::Discovery, "TTPs/Discovery", ("TA0007", "Discovery")),
    (Impact::Access, "TTPs/Initial Access", ("TA0001", "Initial Access")),
    (Impact::Credential, "TTPs/Credential Access", ("TA0006", "Credential Access")),
    (Impact::Privilege, "TTPs/Privilege Escalation", ("TA0004", "Privilege Escalation")),
    (Impact::Persistence, "TTPs/Persistence", ("TA0003", "Persistence")),
    (Impact::Evasion, "TTPs/Defense Evasion", ("TA0005", "Defense Evasion")),
    (Impact::Exfiltration, "Effects/Data Exfiltration", ("TA0010", "Exfiltration")),
    (Impact::Destruction, "Effects/Data Destruction", ("TA0040", "Impact")),
];

/// The tactic of what the calls can do, as id and name.
pub(super) fn tactic(impact: Impact) -> Option<(&'static str, &'static str)> {
    BY_IMPACT.iter().find(|(of, ..)| *of == impact).map(|(.., tactic)| *tactic)
}

/// The types of a finding in the taxonomy of ASFF: what the calls can do, and of unusual behaviour whose it is.
pub(super) fn types(finding: &Finding) -> Vec<String> {
    let about = &finding.about;
    let deed = BY_IMPACT.iter().find(|(of, ..)| *of == about.impact);
    let deed = deed.map(|(_, path, _)| format!("{path}/{}", about.id));
    let behaviour = match finding.entity.kind {
        Kind::Human | Kind::Root | Kind::External | Kind::Account => "Unusual Behaviors/User",
        Kind::Workload | Kind::Ci | Kind::Agent | Kind::Service => "Unusual Behaviors/Application",
        Kind::Interface => "Unusual Behaviors/Network Flow",
        Kind::Source => "Unusual Behaviors/IP address",
    };
    let is_told = Analytic::of(finding) != Analytic::Rule || deed.is_none();
    deed.into_iter().chain(is_told.then(|| behaviour.to_owned())).collect()
}

/// How a finding came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Analytic {
    /// Something that is bad whoever does it.
    Rule,
    /// Calls that are unusual for who makes them.
    Behavioural,
    /// A number or a value that is improbable.
    Statistical,
}

impl Analytic {
    pub(super) fn of(finding: &Finding) -> Self {
        match DETECTORS.iter().find(|detector| detector.meta.id == finding.about.id) {
            None => Self::Rule,
            Some(detector) if matches!(detector.meta.interest, Interest::Unusual(_)) => {
                Self::Behavioural
            }
            Some(_) => Self::Statistical,
        }
    }
}

/// Those that Security Hub is in.
const PARTITIONS: [&str; 3] = ["aws", "aws-cn", "aws-us-gov"];

/// Where in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Where<'a> {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(super) partition: &'static str,
    /// The first region of the records that looks like one.
    pub(super) region: Option<&'a str>,
    /// The entity's account, if it is one.
    pub(super) account: Option<&'a str>,
}

impl<'a> Where<'a> {
    pub(super) fn of(report: &Report<'a>) -> Self {
        let region = report.regions.values.iter().copied().find(|text| is_region(text));
        let of_arn = report.entity.key.strip_prefix("arn:").and_then(|rest| rest.split(':').next());
        let named = PARTITIONS.iter().find(|name| of_arn == Some(**name));
        Self {
            partition: region.map_or(*named.unwrap_or(&"aws"), partition_of),
            region,
            account: Some(report.account).filter(|text| is_account(text)),
        }
    }

    /// The region, or where nothing tells it the first of the partition.
    pub(super) fn region_or_first(&self) -> &'a str {
        self.region.unwrap_or(match self.partition {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            _ => "us-east-1",
        })
    }

    /// An ARN of a thing in this region and account, if both are known.
    fn arn(&self, service: &str, resource: &str) -> Option<String> {
        let (region, account) = (self.region?, self.account?);
        Some(format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition))
    }
}

/// Whether `text` has the 12 digits of an account.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `text` has the form of a region, as `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let mut words = text.split('-');
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = |word: &str| matches!(word.as_bytes(), [b'1'..=b'9']);
    (3..=4).contains(&words.clone().count())
        && words.next_back().is_some_and(is_number)
        && words.all(|word| is_word(word) && word.len() <= 16)
}

/// A thing that a finding is about, in the words of ASFF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thing {
    /// `AwsIamUser`, `AwsS3Bucket` and so on; `Other` where nothing tells.
    pub(super) kind: &'static str,
    /// Its ARN, or what else it goes by; not empty.
    pub(super) id: String,
}

/// The entity, what it was done to, and the instances that acted: each once, none without a name.
pub(super) fn things(finding: &Finding, report: &Report<'_>, at: &Where<'_>) -> Vec<Thing> {
    let mut things = vec![entity(finding, at)];
    things.extend(finding.targets.iter().map(|target| self::target(target, finding, at)));
    let sessions = report.actors.values.iter().filter_map(|actor| actor.rsplit_once('/'));
    let instances = sessions.filter(|(_, session)| has_form(session, "i-"));
    things.extend(instances.filter_map(|(_, id)| {
        let id = at.arn("ec2", &format!("instance/{id}"))?;
        Some(Thing { kind: "AwsEc2Instance", id })
    }));
    let mut known = BTreeSet::new();
    things.retain(|thing| !thing.id.trim().is_empty() && known.insert(thing.id.clone()));
    if things.is_empty() {
        things.push(Thing { kind: "Other", id: finding.entity.kind.name().to_owned() });
    }
    things
}

fn entity(finding: &Finding, at: &Where<'_>) -> Thing {
    let key = &*finding.entity.key;
    match finding.entity.kind {
        Kind::Interface => self::target(key, finding, at),
        Kind::Root | Kind::Account if at.account.is_some() => Thing {
            kind: "AwsAccount",
            id: format!("AWS::::Account:{}", at.account.unwrap_or_default()),
        },
        // Of a role the key names the session behind `#`.
        _ => of_arn(key.split('#').next().unwrap_or(key))
            .unwrap_or_else(|| Thing { kind: "Other", id: key.to_owned() }),
    }
}

fn target(target: &str, finding: &Finding, at: &Where<'_>) -> Thing {
    let typed = of_arn(target).or_else(|| {
        if has_form(target, "i-") {
            let id = at.arn("ec2", &format!("instance/{target}"));
            return Some(Thing { kind: "AwsEc2Instance", id: id.unwrap_or_else(|| target.into()) });
        }
        if has_form(target, "eni-") {
            let id = at.arn("ec2", &format!("network-interface/{target}"));
            let id = id.unwrap_or_else(|| target.into());
            return Some(Thing { kind: "AwsEc2NetworkInterface", id });
        }
        if is_access_key(target) {
            return Some(Thing { kind: "AwsIamAccessKey", id: access_key(target) });
        }
        let name = bucket(target, finding)?;
        Some(Thing { kind: "AwsS3Bucket", id: format!("arn:{}:s3:::{name}", at.partition) })
    });
    typed.unwrap_or_else(|| Thing { kind: "Other", id: target.to_owned() })
}

/// The bucket that a target is, where its detector counts buckets, names it as one, or all calls are of S3.
fn bucket<'t>(target: &'t str, finding: &Finding) -> Option<&'t str> {
    let counts = |part: &Part| {
        matches!(part.dimension, Dimension::ObjectsReencrypted | Dimension::ObjectsDeleted)
    };
    let is_of_s3 = |record: &Evidence| record.call.api.starts_with("s3:");
    let is_all_of_s3 = !finding.records.is_empty() && finding.records.iter().all(is_of_s3);
    let name = match Analytic::of(finding) {
        Analytic::Behavioural => target.strip_prefix("s3:")?,
        Analytic::Statistical if finding.parts.iter().any(counts) => target,
        // Of names with a dot most are objects.
        Analytic::Rule if is_all_of_s3 && !target.contains('.') => target,
        _ => return None,
    };
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    ((3..=63).contains(&name.len()) && name.bytes().all(is_plain)).then_some(name)
}

/// Whether `text` is the id of a thing of EC2: `prefix` and hexadecimal digits.
fn has_form(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix);
    digits.is_some_and(|digits| {
        (8..=17).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Whether `text` has the form of an access key: `AKIA` or its like and capitals and digits, 16 characters at least.
pub(super) fn is_access_key(text: &str) -> bool {
    const CHARS_MIN: usize = 16;
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.len() >= CHARS_MIN
        && ["AKIA", "ASIA", "ABIA"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(is_plain)
}

/// What an access key goes by, which has no ARN.
pub(super) fn access_key(key: &str) -> String {
    format!("AWS::IAM::AccessKey:{key}")
}

/// A thing by its ARN.
fn of_arn(text: &str) -> Option<Thing> {
    let mut fields = text.splitn(6, ':');
    (fields.next()? == "arn").then_some(())?;
    let service = fields.nth(1)?;
    let resource = fields.nth(2).filter(|resource| !resource.is_empty())?;
    let kind = match (service, resource.split(['/', ':']).next()?) {
        ("iam", "user") => "AwsIamUser",
        ("iam", "role") => "AwsIamRole",
        ("s3", _) if !resource.contains('/') => "AwsS3Bucket",
        ("ec2", "instance") => "AwsEc2Instance",
        ("ec2", "network-interface") => "AwsEc2NetworkInterface",
        ("lambda", "function") => "AwsLambdaFunction",
        _ => "Other",
    };
    Some(Thing { kind, id: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_impact_but_write_has_its_row_once() {
        for impact in Impact::ALL {
            let n = BY_IMPACT.iter().filter(|(of, ..)| of == impact).count();
            assert_eq!(n, usize::from(*impact != Impact::Write), "{impact:?}");
        }
    }

    #[test]
    fn a_finding_has_the_types_of_its_deed_and_its_kind() {
        let of = |id: &str| types(&sample::finding(id));
        let reencryption = "Effects/Data Destruction/s3-mass-reencryption";
        assert_eq!(of("s3-mass-reencryption"), [reencryption, "Unusual Behaviors/User"]);
        assert_eq!(of("user-made"), ["TTPs/Persistence/user-made"]);
        let flow = ["TTPs/Discovery/port-scan", "Unusual Behaviors/Network Flow"];
        assert_eq!(types(&sample::flow()), flow);
        for about in detect::Rules::built_in().catalogue().iter() {
            assert!(!of(&about.id).is_empty(), "{}", about.id);
        }
    }

    #[test]
    fn rules_behaviour_and_numbers_are_told_apart() {
        let of = |id: &str| Analytic::of(&sample::finding(id));
        assert_eq!(of("user-made"), Analytic::Rule);
        assert_eq!(of("anomalous-exfiltration"), Analytic::Behavioural);
        assert_eq!(of("denied-burst"), Analytic::Statistical);
    }

    #[test]
    fn regions_are_told_by_their_form() {
        for (text, is) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("cn-north-1", true),
            ("us-east", false),
            ("us-east-1a", false),
            ("-east-1", false),
            ("us-east-10", false),
            ("a:b-c-1", false),
            ("", false),
        ] {
            assert_eq!(is_region(text), is, "{text}");
        }
    }

    #[test]
    fn the_partition_is_that_of_the_region_or_of_the_entity() {
        let inputs = sample::inputs();
        let check = |region: Option<&str>, key: &str, partition: &str, first: &str| {
            let mut finding = sample::finding("user-made");
            finding.entity.key = key.into();
            for record in &mut finding.records {
                std::sync::Arc::make_mut(&mut record.call).region = region.map(Into::into);
            }
            let report = Report::new(&finding, &inputs);
            let at = Where::of(&report);
            assert_eq!((at.partition, at.region_or_first()), (partition, first));
        };
        let (plain, china) = ("arn:aws:iam::1:user/x", "arn:aws-cn:iam::1:user/x");
        check(Some("us-west-2"), plain, "aws", "us-west-2");
        check(Some("cn-northwest-1"), plain, "aws-cn", "cn-northwest-1");
        check(Some("us-gov-east-1"), plain, "aws-us-gov", "us-gov-east-1");
        check(None, plain, "aws", "us-east-1");
        check(None, china, "aws-cn", "cn-north-1");
        check(Some("nowhere"), "arn:aws-us-gov:iam::1:root", "aws-us-gov", "us-gov-west-1");
    }

    #[track_caller]
    fn check_target(detector: &str, target: &str, kind: &str, id: &str) {
        let finding = sample::finding(detector);
        let inputs = sample::inputs();
        let at = Where::of(&Report::new(&finding, &inputs));
        let thing = self::target(target, &finding, &at);
        assert_eq!((thing.kind, &*thing.id), (kind, id));
    }

    #[test]
    fn targets_are_typed_by_what_is_known_of_them() {
        let arn = "arn:aws:lambda:us-west-2:111122223333:function:f";
        check_target("user-made", arn, "AwsLambdaFunction", arn);
        let arn = "arn:aws:ec2:us-west-2:111122223333:instance/i-0a1b2c3d4e5f60718";
        check_target("user-made", "i-0a1b2c3d4e5f60718", "AwsEc2Instance", arn);
        check_target("user-made", "i-0a1b2c3d!", "Other", "i-0a1b2c3d!");
        check_target("s3-mass-reencryption", "ledger.eu", "AwsS3Bucket", "arn:aws:s3:::ledger.eu");
        check_target("s3-ransom-note", "ledger", "AwsS3Bucket", "arn:aws:s3:::ledger");
        check_target("s3-ransom-note", "READ_ME.txt", "Other", "READ_ME.txt");
        check_target("anomalous-s3-impact", "s3:ledger", "AwsS3Bucket", "arn:aws:s3:::ledger");
        let key = "AKIAIOSFODNN7EXAMPLE";
        let id = "AWS::IAM::AccessKey:AKIAIOSFODNN7EXAMPLE";
        check_target("user-made", key, "AwsIamAccessKey", id);
        check_target("user-made", "AKIA of hedda", "Other", "AKIA of hedda");
        check_target("denied-burst", "s3:ListBuckets", "Other", "s3:ListBuckets");
    }

    #[test]
    fn a_role_is_named_without_its_session_and_an_interface_with_its_account() {
        let inputs = sample::inputs();
        let first = |finding: &Finding| {
            let report = Report::new(finding, &inputs);
            things(finding, &report, &Where::of(&report)).remove(0)
        };
        let role = first(&sample::finding("user-made"));
        let arn = "arn:aws:iam::111122223333:role/x/AWSReservedSSO_Engineer_0a1b2c3d4e5f6071";
        assert_eq!((role.kind, &*role.id), ("AwsIamRole", arn));
        // Flow logs tell no region.
        let interface = first(&sample::flow());
        assert_eq!((interface.kind, &*interface.id), ("AwsEc2NetworkInterface", "eni-0a1b2c3d"));
        let mut root = sample::finding("root-use");
        root.entity.kind = Kind::Root;
        assert_eq!(first(&root).id, "AWS::::Account:111122223333");
    }
}
