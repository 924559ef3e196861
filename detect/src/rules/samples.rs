//! Runs the samples of rules through the whole engine: parse, match, count, judge, tell.
//!
//! A sample writes down what matters to the rule; the rest of its records is that of a default record,
//! top-level field by field:
//!
//! | field | default |
//! |---|---|
//! | `eventVersion` | `1.11` |
//! | `eventID` | a UUID of its own |
//! | `eventTime` | 2025-03-14T10:00:00Z, and a second more for each record after the first |
//! | `eventSource`, `eventName` | `sts.amazonaws.com`, `GetCallerIdentity` |
//! | `awsRegion`, `recipientAccountId` | `us-east-1`, `111122223333` |
//! | `userIdentity` | ada, a person, in the role `Engineer` of IAM Identity Center |
//! | `sourceIPAddress`, `userAgent` | `203.0.113.10`, `aws-cli/2.15.30` |
//! | `eventType`, `eventCategory`, `managementEvent`, `readOnly` | `AwsApiCall`, `Management`, `true`, `false` |
//!
//! Of flow logs: an accepted TCP flow of `eni-0a1b2c3d4e5f60718` from 10.0.0.10 port 40000 to
//! 203.0.113.10 port 443, a minute long, ending at the times above.
//!
//! A sample that fires must end in a finding of its rule, whatever its severity; one that is quiet in
//! none. There is no history, so nothing is usual. Every rule speaks here: also informational ones, and
//! those that only correlations want.

use super::{
    fields,
    library::{RuleFile, Rules},
    names::Names,
    sigma::{Logs, RuleError, Sample, Why},
};
use crate::{
    engine::{Engine, Options},
    finding::Finding,
    own::Own,
    reader::{FlowRows, Reader},
};
use baseline::stable_hash;
use ingest::{
    Raw, cloudtrail, enrich::Enrich, flowlog::FlowReader, source::Filter, time::format_ms,
};
use std::{collections::BTreeMap, sync::Arc};

/// 2025-03-14T10:00:00Z. Unit: milliseconds since the Unix epoch.
const FIRST_MS: i64 = 1_741_946_400_000;
const SECOND_MS: i64 = 1_000;

/// The fields of the default record that are the same in every one.
const RECORD: &[(&str, &str)] = &[
    ("eventVersion", r#""1.11""#),
    ("eventSource", r#""sts.amazonaws.com""#),
    ("eventName", r#""GetCallerIdentity""#),
    ("awsRegion", r#""us-east-1""#),
    ("recipientAccountId", r#""111122223333""#),
    ("userIdentity", IDENTITY),
    ("sourceIPAddress", r#""203.0.113.10""#),
    ("userAgent", r#""aws-cli/2.15.30""#),
    ("eventType", r#""AwsApiCall""#),
    ("eventCategory", r#""Management""#),
    ("managementEvent", "true"),
    ("readOnly", "false"),
];

const IDENTITY: &str = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLEENGINEER00:ada@example.com","arn":"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Engineer_0a1b2c3d4e5f6071/ada@example.com","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE000000000","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEENGINEER00","arn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Engineer_0a1b2c3d4e5f6071","accountId":"111122223333","userName":"AWSReservedSSO_Engineer_0a1b2c3d4e5f6071"},"attributes":{"creationDate":"2025-03-14T08:00:00Z","mfaAuthenticated":"false"}}}"#;

/// The fields of the default flow, but its times.
const FLOW: &[(&str, &str)] = &[
    ("version", "2"),
    ("account-id", "111122223333"),
    ("interface-id", "eni-0a1b2c3d4e5f60718"),
    ("srcaddr", "10.0.0.10"),
    ("dstaddr", "203.0.113.10"),
    ("srcport", "40000"),
    ("dstport", "443"),
    ("protocol", "6"),
    ("packets", "10"),
    ("bytes", "4000"),
    ("action", "ACCEPT"),
    ("log-status", "OK"),
];

/// What sentrail lives on where samples are tried.
const OWN: [&str; 5] = [
    "arn:aws:cloudtrail:*:trail/sentrail-own*",
    "arn:aws:s3:::sentrail-own*",
    "arn:aws:events:*:rule/sentrail-own*",
    "arn:aws:kms:*:key/5e47a110-*",
    "arn:aws:securityhub:*:hub/default",
];

/// A rule or filter and its samples.
pub(super) struct Tested {
    /// The rule, or those that a filter is about.
    pub(super) ids: Vec<Arc<str>>,
    /// The rules without any filter, of a filter: what is quiet must be so by it.
    pub(super) unfiltered: Option<Arc<Rules>>,
    pub(super) file: Arc<str>,
    pub(super) logs: Logs,
    pub(super) samples: Vec<Sample>,
}

/// What was tested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SampleCounts {
    /// Rules and correlations.
    pub n_rules: u64,
    /// Samples of them.
    pub n_samples: u64,
    /// Rules without any sample.
    pub n_untested: u64,
    /// Samples that do not hold.
    pub n_failed: u64,
}

/// Runs the samples of all rules of `files`, which may refer to those that ship with the program; what
/// cannot be read, and what does not hold, is told with its line.
pub fn test_rules(files: &[RuleFile], names: Names) -> (SampleCounts, Vec<RuleError>) {
    let (rules, all, mut errors) = Rules::for_tests(files, names);
    let rules = Arc::new(rules);
    let mut counts = SampleCounts::default();
    for tested in &all {
        counts.n_rules += u64::from(tested.unfiltered.is_none());
        counts.n_untested += u64::from(tested.samples.is_empty());
        for sample in &tested.samples {
            counts.n_samples += 1;
            if let Err(what) = test(&rules, tested, sample) {
                counts.n_failed += 1;
                let error = RuleError::fault(&tested.file, sample.line, what);
                errors.push(RuleError { why: Why::Sample, ..error });
            }
        }
    }
    errors.sort();
    (counts, errors)
}

fn test(rules: &Arc<Rules>, tested: &Tested, sample: &Sample) -> Result<(), String> {
    match (sample.fires, told_of(rules, tested, sample)?) {
        (true, None) => Err(format!("\"{}\" is told of nobody; expected a finding", sample.name)),
        (false, Some(finding)) => {
            Err(format!("\"{}\" is told: {}; expected no finding", sample.name, finding.summary))
        }
        (true, Some(_)) => Ok(()),
        (false, None) => match &tested.unfiltered {
            Some(rules) if told_of(rules, tested, sample)?.is_none() => {
                let what = "is told of nobody without the filter either; expected a finding";
                Err(format!("\"{}\" {what}", sample.name))
            }
            _ => Ok(()),
        },
    }
}

/// What the rule says of a sample.
fn told_of(
    rules: &Arc<Rules>,
    tested: &Tested,
    sample: &Sample,
) -> Result<Option<Finding>, String> {
    let mut findings = findings(rules, tested, sample)?.into_iter();
    Ok(findings.find(|finding| tested.ids.iter().any(|id| **id == *finding.about.id)))
}

/// What is said of a sample, by all rules and detectors.
fn findings(rules: &Arc<Rules>, tested: &Tested, sample: &Sample) -> Result<Vec<Finding>, String> {
    let own = Arc::new(Own::of(OWN.map(str::to_owned)));
    let options = Options { rules: Arc::clone(rules), own, ..Options::default() };
    let mut engine = Engine::new(options, Enrich::built_in());
    let mut reader = engine.reader();
    reader.begin(0, None);
    match tested.logs {
        Logs::CloudTrail => read_records(&mut reader, tested, sample)?,
        Logs::Flow => read_flows(&mut reader, sample)?,
    }
    let chunk = reader.finish();
    let done = engine.apply(&[chunk]).and_then(|()| engine.finish());
    done.map_err(|error| error.to_string())?;
    Ok(engine.take_findings())
}

fn read_records(reader: &mut Reader<'_>, tested: &Tested, sample: &Sample) -> Result<(), String> {
    let mut text = String::from("{\"Records\":[");
    for (n, record) in (0..).zip(&sample.records) {
        text.push_str(if n > 0 { "," } else { "" });
        check_names(Raw(record).entries().map(|(name, _)| name.get()), Logs::CloudTrail)?;
        complete(&mut text, record, (tested, sample), n);
    }
    text.push_str("]}");
    let mut wrong = None;
    let shape = cloudtrail::read(&text, |_, record| match record {
        Ok(cloudtrail::Record::Event(event)) => reader.record(&event),
        Ok(_) => wrong = Some("expected records of events".to_owned()),
        Err(error) => wrong = Some(error.to_string()),
    });
    shape.map_err(|error| error.to_string())?;
    wrong.map_or(Ok(()), |what| Err(format!("\"{}\": {what}", sample.name)))
}

/// A field that no record has would be left unread, and the sample would show something else.
fn check_names(names: impl Iterator<Item = impl AsRef<str>>, logs: Logs) -> Result<(), String> {
    for name in names {
        fields::check_sample(name.as_ref(), logs)?;
    }
    Ok(())
}

/// Writes a record with what it leaves out.
fn complete(text: &mut String, record: &str, (tested, sample): (&Tested, &Sample), n: i64) {
    let names: Vec<_> = Raw(record).entries().map(|(name, _)| name.get()).collect();
    let is_left_out = |name: &str| !names.iter().any(|known| known == name);
    let fields = [tested.file.as_bytes(), sample.name.as_bytes(), &n.to_le_bytes()];
    let hash = format!("{:032x}", stable_hash(&fields));
    let group = |from, to| hash.get(from..to).unwrap_or_default();
    let groups = [group(0, 8), group(8, 12), group(12, 16), group(16, 20), group(20, 32)];
    let id = format!("\"{}\"", groups.join("-"));
    let time = format!("\"{}\"", seconds(FIRST_MS + n * SECOND_MS));
    text.push('{');
    let defaults = RECORD.iter().copied().chain([("eventID", &*id), ("eventTime", &*time)]);
    for (name, value) in defaults.filter(|(name, _)| is_left_out(name)) {
        text.extend(["\"", name, "\":", value, ","]);
    }
    let own = record.trim().trim_start_matches('{');
    if names.is_empty() {
        text.pop();
    }
    text.push_str(own);
}

/// `2025-03-14T10:00:00Z`.
fn seconds(at_ms: i64) -> String {
    let text = format_ms(at_ms);
    format!("{}Z", text.split(['.', 'Z']).next().unwrap_or_default())
}

fn read_flows(reader: &mut Reader<'_>, sample: &Sample) -> Result<(), String> {
    let of = |record: &str| -> BTreeMap<String, String> {
        let entries = Raw(record).entries().map(|(name, value)| {
            let value = value.text().map_or_else(|| value.0.to_owned(), |text| text.get().into());
            (name.get().replace('_', "-"), value)
        });
        entries.collect()
    };
    let records: Vec<_> = sample.records.iter().map(|record| of(record)).collect();
    check_names(records.iter().flat_map(BTreeMap::keys), Logs::Flow)?;
    let mut names: Vec<String> = FLOW.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.extend(["start".to_owned(), "end".to_owned()]);
    for name in records.iter().flat_map(BTreeMap::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let mut text = format!("{}\n", names.join(" "));
    for (n, record) in (0..).zip(&records) {
        let end_s = (FIRST_MS + n * SECOND_MS).div_euclid(1_000);
        let value = |name: &String| {
            let default = || match name.as_str() {
                "start" => (end_s - 60).to_string(),
                "end" => end_s.to_string(),
                _ => {
                    let known = FLOW.iter().find(|(known, _)| known == name);
                    known.map_or("-", |(_, value)| value).to_owned()
                }
            };
            record.get(name).cloned().unwrap_or_else(default)
        };
        let line: Vec<String> = names.iter().map(value).collect();
        text.push_str(&line.join(" "));
        text.push('\n');
    }
    let mut flows = FlowReader::default();
    let counts = flows.read(text.as_bytes(), &mut |batch| {
        reader.flow_rows(&FlowRows { batch: &batch, account: None, filter: &Filter::default() });
    });
    reader.flows("", counts.rows, &[]);
    match counts.bad_samples.first() {
        Some(bad) => Err(format!("\"{}\": {bad}", sample.name)),
        None if counts.rows == 0 => {
            Err(format!("\"{}\" holds no flow that can be read", sample.name))
        }
        None => Ok(()),
    }
}

/// A rule of those that ship with the program, one of its samples, and all that is said of it.
#[cfg(test)]
pub(crate) struct Told {
    pub(crate) id: Arc<str>,
    pub(crate) sample: String,
    fires: bool,
    findings: Vec<Finding>,
}

/// What is said of the samples of the built-in rules.
#[cfg(test)]
static TOLD: std::sync::LazyLock<Vec<Told>> = std::sync::LazyLock::new(|| {
    use rayon::prelude::*;
    let (rules, all, _) = Rules::for_tests(&Rules::built_in_files(), tests::names());
    let rules = Arc::new(rules);
    let of = |tested: &Tested| -> Vec<Told> {
        let told = tested.samples.iter().map(|sample| Told {
            id: Arc::clone(&tested.ids[0]),
            sample: sample.name.clone(),
            fires: sample.fires,
            findings: findings(&rules, tested, sample).unwrap(),
        });
        told.collect()
    };
    // Those who wait for it would wait for one thread.
    all.par_iter().flat_map_iter(of).collect()
});

/// The samples of the built-in rules.
#[cfg(test)]
pub(crate) fn built_in() -> impl Iterator<Item = (&'static Told, Proof)> {
    TOLD.iter().map(|told| {
        let own = told.findings.iter().filter(|finding| *finding.about.id == *told.id);
        let own = own.map(|finding| finding.severity).max();
        let any = told.findings.iter().map(|finding| finding.severity).max();
        (told, Proof { own, any })
    })
}

/// What a test ends in: the severity of what the rule itself says, and of the loudest of all.
#[cfg(test)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Proof {
    pub(crate) own: Option<crate::Severity>,
    pub(crate) any: Option<crate::Severity>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Decoys, List, Lists, Whose};

    fn told(text: &str) -> (SampleCounts, Vec<String>) {
        let file = RuleFile { name: "x.yml".into(), text: text.into(), whose: Whose::Own };
        let (counts, errors) = test_rules(&[file], Names::default());
        (counts, errors.iter().map(ToString::to_string).collect())
    }

    /// The lists and decoys that samples of built-in rules speak of.
    pub(crate) fn names() -> Names {
        let list = |name, address| List::parse(name, address, false).unwrap();
        let lists = vec![
            list("watched", "198.51.100.66\n2001:db8:ffff::66"),
            list("tor-exits", "198.51.100.77\n2001:db8:ffff::77"),
        ];
        let decoys = Decoys::of(["decoy-payroll-backup".to_owned()]);
        Names { lists: Lists::new(lists), decoys, ..Names::default() }
    }

    #[test]
    fn every_built_in_rule_does_what_its_samples_say() {
        let (counts, errors) = test_rules(&Rules::built_in_files(), names());
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert!(counts.n_rules >= 3 && counts.n_samples >= 2 * counts.n_rules, "{counts:?}");
        assert_eq!(counts.n_untested, 0);
    }

    /// What every sample of the built-in rules that fires makes its rule say.
    fn said() -> Vec<(String, &'static Finding)> {
        let said = TOLD.iter().filter(|told| told.fires).filter_map(|told| {
            let own = told.findings.iter().find(|finding| *finding.about.id == *told.id);
            Some((format!("{}: {}", told.id, told.sample), own?))
        });
        said.collect()
    }

    #[test]
    fn built_in_rules_say_what_was_done_to_what() {
        let said = said();
        let shows_nothing = |(_, finding): &&(String, &Finding)| {
            let mut words = finding.summary.split([' ', ',', '(', ')', ';', ':']);
            words.any(|word| word == "-")
        };
        let shows_nothing = said.iter().filter(shows_nothing);
        let shows_nothing: Vec<_> =
            shows_nothing.map(|(what, finding)| format!("{what}: {}", finding.summary)).collect();
        assert!(shows_nothing.is_empty(), "{shows_nothing:#?}");
        let (set, _) = Rules::of(&[], Names::default());
        let correlations = set.set().correlations();
        let is_correlation = |id: &str| correlations.iter().any(|made| *made.id == *id);
        let has_none = |(_, finding): &&(String, &Finding)| {
            let has_peers = finding.flow.as_ref().is_some_and(|flow| !flow.peers.is_empty());
            is_correlation(&finding.about.id) && finding.targets.is_empty() && !has_peers
        };
        let has_none: Vec<_> = said.iter().filter(has_none).map(|(what, _)| what).collect();
        assert!(has_none.is_empty(), "{has_none:#?}");
    }

    const RULE: &str = "title: x\nlogsource: {product: aws, service: cloudtrail}\n\
                        detection:\n  s: {eventName: A}\n  condition: s\n";

    #[test]
    fn a_sample_that_does_not_hold_is_told_with_its_line() {
        let tests = "tests:\n  fires:\n    - name: one\n      record: {eventName: B}\n  quiet:\n    \
                     - name: other\n      record: {eventName: A}\n";
        let (counts, errors) = told(&format!("{RULE}{tests}"));
        assert_eq!((counts.n_rules, counts.n_samples, counts.n_untested), (1, 2, 0));
        assert_eq!(
            errors,
            [
                "x.yml:8: \"one\" is told of nobody; expected a finding",
                "x.yml:11: \"other\" is told: called sts:A (matched \"x\"); expected no finding"
            ]
        );
    }

    #[test]
    fn a_record_that_cannot_be_read_is_told() {
        let tests =
            "tests:\n  fires:\n    - name: one\n      record: {eventName: A, eventTime: late}\n";
        let (_, errors) = told(&format!("{RULE}{tests}"));
        assert_eq!(errors.len(), 1);
        assert!(errors[0].starts_with("x.yml:8: \"one\": "), "{errors:?}");
    }

    #[test]
    fn fields_that_no_record_has_are_told() {
        let sample =
            |record: &str| format!("tests:\n  fires:\n    - {{name: one, record: {record}}}\n");
        let told = |text: String| told(&text).1;
        assert_eq!(
            told(format!("{RULE}{}", sample("{eventName: A, eventsource: x}"))),
            [
                "x.yml:8: CloudTrail records have no field `eventsource`; did you mean `eventSource`?"
            ]
        );
        let flow = "title: x\nlogsource: {product: aws, service: vpcflow}\n\
                    detection:\n  s: {dstport: 23}\n  condition: s\n";
        assert_eq!(
            told(format!("{flow}{}", sample("{dst_port: 23}"))),
            ["x.yml:8: flow logs have no field `dst-port`; did you mean `dstport`?"]
        );
    }

    #[test]
    fn filters_have_samples_of_what_they_leave_and_take() {
        let filter = |quiet: &str| {
            format!(
                "{RULE}---\ntitle: z\nlogsource: {{product: aws, service: cloudtrail}}\n\
                 filter:\n  rules: [x, ec2-user-data-changed]\n  s: {{awsRegion: eu-west-1}}\n  \
                 condition: not s\n\
                 tests:\n  fires:\n    - {{name: elsewhere, record: {{eventName: A}}}}\n  quiet:\n    \
                 - {{name: here, record: {quiet}}}\n"
            )
        };
        let (counts, errors) = told(&filter("{eventName: A, awsRegion: eu-west-1}"));
        assert_eq!((counts.n_rules, counts.n_samples, errors), (1, 2, Vec::new()));
        assert_eq!(
            told(&filter("{eventName: B, awsRegion: eu-west-1}")).1,
            ["x.yml:17: \"here\" is told of nobody without the filter either; expected a finding"]
        );
        assert_eq!(
            told(&filter("{eventName: A}")).1,
            ["x.yml:17: \"here\" is told: called sts:A (matched \"x\"); expected no finding"]
        );
    }

    #[test]
    fn rules_that_do_not_speak_are_tested_all_the_same() {
        let tests = "level: informational\ntests:\n  fires:\n    - name: one\n      record: {eventName: A}\n";
        assert_eq!(told(&format!("{RULE}{tests}")).1, [""; 0]);
    }

    #[test]
    fn flows_have_samples_too() {
        let text = "title: x\nlogsource: {product: aws, service: vpcflow}\n\
                    detection:\n  s: {dstport: 23}\n  condition: s\n\
                    tests:\n  fires:\n    - name: one\n      record: {dstport: 23}\n  quiet:\n    \
                    - name: other\n      record: {dstaddr: 10.0.0.7}\n";
        assert_eq!(told(text).1, [""; 0]);
    }

    #[test]
    fn samples_may_rest_on_built_in_rules() {
        let text = "title: x\ncorrelation: {type: event_count, rules: [ec2-user-data-changed], \
                    group-by: [userIdentity.arn], timespan: 1h, condition: {gte: 2}}\n\
                    tests:\n  quiet:\n    - name: other calls\n      record: {eventName: A}\n";
        let (counts, errors) = told(text);
        assert_eq!((counts.n_rules, counts.n_samples, errors), (1, 1, Vec::new()));
    }
}
