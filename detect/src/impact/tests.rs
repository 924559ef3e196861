use super::*;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::Path,
};

/// How the page begins.
const HEAD: &str = "# What each API can do\n\
\n\
Every call counts in one class of impact, by what a stranger could do with it. An hour is judged class by\n\
class, so that a quiet deed is not lost among many harmless calls. The class is that of the API: it does not\n\
look at parameters, nor at whether the call succeeded. `detect/src/impact/table.rs` is the source; a test\n\
keeps this page to it. Services are named as in `eventSource`, names are without the version of the API.\n\
\n\
## What is not in the tables below\n\
\n\
goes by the first of these that fits how its name begins:\n\
\n\
| call | class |\n\
|---|---|\n\
| `Delete`, `Terminate`, `Deregister`, `Remove`, `Purge`, `BatchDelete`, `ScheduleKeyDeletion` | write: deletions that lose data or service are below, as destruction |\n\
| `AssumeRole` and `Get...Token` of STS, should there be new ones | credential |\n\
| all of KMS but `List`, `Describe`, `Lookup`, `Search`, `Scan`, `Query` | read: it goes with the data that the key opens |\n\
| `AddPermission`, `PutResourcePolicy` | exfiltration: they open a resource to others |\n\
| `List`, `Describe`, `Lookup`, `Search`, `Scan`, `Query`, `Get`, `Head`, `BatchGet`, `Check`, `Select`, `View`, and what the record calls `readOnly` | discovery: most of them tell of settings; those that read content are below, as read |\n\
| all others | write |\n\
\n\
## Decisions one may doubt\n\
\n\
* Taking a role (`AssumeRole*`) and its like at every sign-in is access: it happens all day, and is told by\n  \
  who does it and which role, not by being rare. `GetSessionToken` hands out credentials to keep: credential.\n  \
  `GetFederationToken` outlives the key that asked for it: persistence.\n\
* Reads of objects are read, `CopyObject` included: whether a mass of them is a theft is for detectors that\n  \
  count them. Deletions of objects and items are destruction, for a mass of them is.\n\
* Who may reach a bucket, and what protects it, is destruction, as with GuardDuty; who may reach a snapshot,\n  \
  an image or a repository is exfiltration.\n\
* Detaching a policy is privilege: it may have been the one that denied.\n\
* Making a function or changing its code is persistence, running one is access. Calling a model, sending\n  \
  mail and asking for higher quotas is destruction: it costs.\n";

/// What a class is about, for the page.
fn about(impact: Impact) -> &'static str {
    match impact {
        Impact::Read => "reads content, or uses a key",
        Impact::Discovery => "tells who and what there is",
        Impact::Write => "creates or changes what gives nobody more rights",
        Impact::Access => "gets into the account, or runs something in it",
        Impact::Credential => "obtains credentials or secrets",
        Impact::Privilege => "gives more rights",
        Impact::Persistence => "makes a way to come back",
        Impact::Evasion => "stops or narrows what watches",
        Impact::Exfiltration => "takes data out, or opens the way for it",
        Impact::Destruction => "destroys, denies, or costs",
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for class in Impact::ALL {
        writeln!(page, "\n## {}: {}\n", class.name(), about(*class)).unwrap();
        page.push_str("| service | APIs |\n|---|---|\n");
        for (service, _, names) in TABLE.iter().filter(|(_, impact, _)| impact == class) {
            writeln!(page, "| `{service}` | {names} |").unwrap();
        }
    }
    page
}

/// A file of the catalogue, which is not part of the repository.
fn catalogue(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/catalogue").join(name);
    let text = fs::read_to_string(path).ok();
    if text.is_none() {
        // Not by println: what a test that passes prints is not shown.
        writeln!(io::stderr(), "skipped: ../shared/catalogue/{name} is absent").unwrap();
    }
    text
}

#[test]
fn the_table_is_in_order_and_names_nothing_twice() {
    assert!(TABLE.is_sorted_by(|one, other| (one.0, one.1) < (other.0, other.1)));
    let mut all = BTreeMap::new();
    for (service, impact, names) in TABLE {
        let names: Vec<&str> = names.split(' ').collect();
        assert!(names.is_sorted_by(|one, other| one < other), "{service} {impact:?}: {names:?}");
        for name in names {
            assert_eq!(baseline::class::unversioned(name), name);
            assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{service}:{name}");
            let other = all.insert((service, name), impact);
            assert_eq!(other, None, "{service}:{name} is {impact:?} too");
            assert_eq!(super::impact(service, name, None), *impact);
        }
    }
}

#[test]
fn a_verb_decides_what_the_table_does_not_know() {
    for (service, name, read_only, expected) in [
        ("iam", "GetUserPolicy", Some(true), Impact::Discovery),
        ("ec2", "DescribeFleets", None, Impact::Discovery),
        ("s3", "GetBucketWebsite", Some(true), Impact::Discovery),
        ("newservice", "FetchThing", Some(true), Impact::Discovery),
        ("newservice", "FetchThing", None, Impact::Write),
        ("newservice", "DeleteThing", Some(false), Impact::Write),
        ("newservice", "TagResource", Some(false), Impact::Write),
        ("newservice", "PutResourcePolicy", Some(false), Impact::Exfiltration),
        ("kms", "ReEncryptTwice", Some(true), Impact::Read),
        ("sts", "AssumeRoleWithNothing", Some(true), Impact::Credential),
        ("", "", None, Impact::Write),
    ] {
        assert_eq!(listed(service, name), None, "{service}:{name}");
        assert_eq!(impact(service, name, read_only), expected, "{service}:{name}");
    }
}

#[test]
fn the_verbs_of_the_page_are_those_that_decide() {
    let row = HEAD.lines().find(|line| line.starts_with("| `List`")).unwrap();
    let verbs = row.split('`').skip(1).step_by(2).filter(|word| *word != "readOnly");
    assert!(verbs.clone().count() > 10, "{row}");
    for verb in verbs {
        let name = format!("{verb}Things");
        assert_eq!(impact("newservice", &name, None), Impact::Discovery, "{name}");
    }
}

#[test]
fn what_a_call_can_do_outweighs_its_verb() {
    for (api, expected) in [
        ("s3:GetObject", Impact::Read),
        ("dynamodb:Scan", Impact::Read),
        ("kms:Decrypt", Impact::Read),
        ("s3:PutObject", Impact::Write),
        ("sts:AssumeRole", Impact::Access),
        ("ssm:GetParametersByPath", Impact::Credential),
        ("iam:DetachUserPolicy", Impact::Privilege),
        ("lambda:UpdateFunctionCode", Impact::Persistence),
        ("events:DeleteRule", Impact::Evasion),
        ("ebs:GetSnapshotBlock", Impact::Exfiltration),
        ("s3:DeleteObjects", Impact::Destruction),
        ("ec2:TerminateInstances", Impact::Destruction),
    ] {
        let (service, name) = api.split_once(':').unwrap();
        assert_eq!(impact(service, name, Some(true)), expected, "{api}");
    }
}

#[test]
fn what_intruders_were_seen_to_use_is_in_the_table() {
    let Some(text) = catalogue("used_in_wild_events.json") else { return };
    let apis: Vec<String> = serde_json::from_str(&text).unwrap();
    assert!(apis.len() > 250, "{}", apis.len());
    for api in apis {
        let (service, name) = api.split_once(':').unwrap();
        assert!(
            listed(service, baseline::class::unversioned(name)).is_some(),
            "{api} is not in the table"
        );
    }
}

#[test]
fn examples_of_guardduty_have_the_class_of_its_finding() {
    let Some(text) = catalogue("guardduty_findings.csv") else { return };
    let mut n_examples = 0;
    for line in text.lines().filter(|line| line.contains(":IAMUser/AnomalousBehavior,")) {
        let expected = match line.split(':').next().unwrap() {
            "CredentialAccess" => Impact::Credential,
            "DefenseEvasion" => Impact::Evasion,
            "Discovery" => Impact::Discovery,
            "Exfiltration" => Impact::Exfiltration,
            "Impact" => Impact::Destruction,
            "InitialAccess" => Impact::Access,
            "Persistence" => Impact::Persistence,
            "PrivilegeEscalation" => Impact::Privilege,
            other => panic!("unknown tactic {other}"),
        };
        let examples = line.split('"').nth(1).unwrap().split(|c: char| !c.is_alphanumeric());
        let is_api = |word: &&str| {
            let n_capitals = word.chars().filter(char::is_ascii_uppercase).count();
            n_capitals > 1 && word.contains(|c: char| c.is_ascii_lowercase())
        };
        for name in examples.filter(is_api) {
            let rows = TABLE.iter().filter(|(.., names)| names.split(' ').any(|one| one == name));
            let classes: Vec<Impact> = rows.map(|(_, impact, _)| *impact).collect();
            assert!(classes.contains(&expected), "{name}: {classes:?}, not {expected:?}");
            n_examples += 1;
        }
    }
    assert!(n_examples >= 20, "{n_examples}");
}

#[test]
fn the_page_says_what_the_table_says() {
    let (written, page) = (include_str!("../../../docs/impact.md"), page());
    assert!(written == page, "put this into docs/impact.md:\n{page}");
}
