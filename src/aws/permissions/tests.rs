use super::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Where the page has the table.
const MARKS: [&str; 2] = ["<!-- permissions -->\n", "<!-- /permissions -->"];

fn names(grant: &Grant) -> BTreeSet<&str> {
    grant.actions.iter().map(|action| action.name).collect()
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_page_of_permissions_is_this_table() {
    let rows = ALL.iter().flat_map(|grant| {
        grant.actions.iter().map(|action| {
            let Grant { sid, on, needed_for, .. } = grant;
            let Action { name, tried } = action;
            format!("| `{sid}` | `{name}` | `{on}` | {needed_for} | {tried} |\n")
        })
    });
    let head =
        "| statement | action | on | needed for | what `doctor` does |\n|---|---|---|---|---|\n";
    let table = std::iter::once(head.to_owned()).chain(rows).collect::<String>();
    let page = file("docs/permissions.md");
    let (_, rest) = page.split_once(MARKS[0]).unwrap();
    let (own, _) = rest.split_once(MARKS[1]).unwrap();
    assert!(own == table, "put this into docs/permissions.md, between its marks:\n{table}");
}

#[test]
fn policies_of_other_pages_have_the_actions_of_the_table() {
    let mut n_known = 0;
    for page in ["configuration", "sinks", "running", "permissions", "install"] {
        let text = file(&format!("docs/{page}.md"));
        for block in text.split("```json\n").skip(1) {
            let (block, _) = block.split_once("```").unwrap();
            let policy: Value = serde_json::from_str(block).unwrap_or_default();
            for statement in policy["Statement"].as_array().into_iter().flatten() {
                let Some(sid) = statement["Sid"].as_str() else { continue };
                let grant = ALL.iter().find(|grant| grant.sid == sid);
                let grant = grant.unwrap_or_else(|| panic!("{page}.md: {sid} is not in the table"));
                let asked = grant.statement(&[])["Action"].clone();
                assert_eq!(statement["Action"], asked, "mend {page}.md: {sid}");
                n_known += 1;
            }
        }
    }
    assert!(n_known >= 7, "{n_known}");
}

/// The statements of a template by their names: their actions, and whether they are about everything.
fn statements(template: &str) -> BTreeMap<String, (BTreeSet<String>, bool)> {
    let mut all = BTreeMap::new();
    for block in template.split("- Sid: ").skip(1) {
        let mut lines = block.lines();
        let sid = lines.next().unwrap().trim().to_owned();
        let (mut actions, mut is_any, mut key) = (BTreeSet::new(), false, "");
        for line in lines {
            let words = line.trim();
            let is_key = words.ends_with(':') || words.contains(": ");
            if is_key {
                key = words.split(':').next().unwrap();
            }
            match (key, words.split_once(": "), words.strip_prefix("- ")) {
                ("Action", Some((_, one)), _) if is_key => drop(actions.insert(one.to_owned())),
                ("Action", _, Some(one)) => drop(actions.insert(one.to_owned())),
                ("Resource", Some((_, one)), _) => is_any |= one.trim_matches('"') == "*",
                ("Resource" | "Effect" | "Condition" | "Action", ..) => {}
                _ => break,
            }
        }
        all.insert(sid, (actions, is_any));
    }
    all
}

#[test]
fn policies_of_the_templates_are_those_of_the_table_and_no_wider() {
    let needed = [
        READ_LOGS,
        LIST_LOGS,
        DECRYPT_LOGS,
        SERVE_QUEUE,
        KEEP_SNAPSHOTS,
        LIST_SNAPSHOTS,
        FILE_FINDINGS,
        READ_SECRETS,
        LOOK_AT_DEAD_LETTERS,
        LOOK_AT_BUCKET,
        LOOK_AT_TOPIC,
        LOOK_AT_RULES,
        LOOK_AT_HUB,
    ];
    for (path, more) in [
        ("deploy/cloudformation/single-account.yml", &[][..]),
        ("deploy/cloudformation/organization.yml", &[AS_MEMBERS, NAME_ACCOUNTS][..]),
    ] {
        let found = statements(&file(path));
        for grant in needed.iter().chain(more) {
            let sid = grant.sid;
            let (actions, is_any) =
                found.get(sid).unwrap_or_else(|| panic!("{path}: {sid} is missing"));
            let own: BTreeSet<_> = actions.iter().map(String::as_str).collect();
            let wanted = grant.statement(&[]);
            assert_eq!(own, names(grant), "{path}: {sid}: expected {wanted:#}");
            assert_eq!(*is_any, grant.on == "*", "{path}: {sid}: expected {wanted:#}");
        }
        for sid in found.keys() {
            // Beyond the table are what the queue, the key and the task's own log take.
            let is_ours = ALL.iter().any(|grant| grant.sid == sid);
            let is_theirs = sid.starts_with("Of") || sid.starts_with("Let");
            assert!(is_ours || is_theirs, "{path}: {sid} is not in the table");
        }
    }
    let member = statements(&file("deploy/cloudformation/member-role.yml"));
    let (actions, is_any) = &member[FILE_FINDINGS.sid];
    assert!(actions.iter().map(String::as_str).eq(names(&FILE_FINDINGS)) && !is_any);
}

#[test]
fn a_statement_has_what_is_filled_in() {
    let with = [("partition", "aws"), ("bucket", "logs"), ("prefix", "AWSLogs/")];
    let statement = READ_LOGS.statement(&with);
    assert_eq!(
        statement,
        json!({"Sid": "ReadLogs", "Effect": "Allow", "Action": "s3:GetObject",
               "Resource": "arn:aws:s3:::logs/AWSLogs/*"})
    );
    let members = AS_MEMBERS.statement(&[("partition", "aws"), ("role", "sentrail-findings")]);
    let of_organisation = &members["Condition"]["StringEquals"]["aws:ResourceOrgID"];
    assert_eq!(of_organisation, "${aws:PrincipalOrgID}");
    let sids: BTreeSet<_> = ALL.iter().map(|grant| grant.sid).collect();
    assert_eq!(sids.len(), ALL.len());
}
