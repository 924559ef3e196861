use super::*;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
};

/// Where the page has the table.
const MARKS: [&str; 2] = ["<!-- permissions -->\n", "<!-- /permissions -->"];

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
    for page in ["configuration", "sinks", "running", "permissions"] {
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
