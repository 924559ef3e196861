//! CloudTrail as Security Lake has it: OCSF's classes API Activity (6003), Authentication (3002) and Account
//! Change (3001), by the mapping that AWS publishes (github.com/ocsf/examples,
//! `mappings/markdown/AWS/v1.1.0/CloudTrail` and `v1.5.0`). In: a Parquet object. Out: its records, written
//! as CloudTrail writes them, and read as any. What OCSF does not keep is in `docs/limits.md`.

use arrow_array::RecordBatch;
use serde_json::{Map, Value};

use super::{Record, RecordError, read};
use crate::parquet::{Parquet, ParquetError};
use crate::time::format_ms;

mod cells;

/// Rows that are decoded at a time. Unit: records.
const BATCH_ROWS: usize = 1_024;

/// Most names on the way to a value that has no column of its own. Unit: names. CloudTrail's have 5.
const UNMAPPED_DEPTH_MAX: usize = 16;

/// The column that all classes have.
const CLASS: &str = "class_uid";

/// What has no column of its own, by CloudTrail's names with dots between them.
const UNMAPPED: &str = "unmapped";

/// Which column stands for which field of CloudTrail; of several, the first that says something.
const FIELDS: &[(&str, &str)] = &[
    ("/metadata/product/version", "eventVersion"),
    ("/metadata/uid", "eventID"),
    ("/metadata/event_code", "eventType"),
    ("/metadata/product/feature/name", "eventCategory"),
    ("/api/service/name", "eventSource"),
    ("/api/operation", "eventName"),
    ("/api/version", "apiVersion"),
    ("/api/request/uid", "requestID"),
    ("/api/response/error", "errorCode"),
    ("/api/response/message", "errorMessage"),
    ("/cloud/region", "awsRegion"),
    ("/cloud/account/uid", "recipientAccountId"),
    ("/cloud/account_uid", "recipientAccountId"),
    ("/http_request/user_agent", "userAgent"),
    ("/src_endpoint/ip", "sourceIPAddress"),
    ("/src_endpoint/domain", "sourceIPAddress"),
    ("/src_endpoint/uid", "vpcEndpointId"),
    ("/dst_endpoint/svc_name", "additionalEventData.LoginTo"),
    ("/actor/user/type", "userIdentity.type"),
    ("/actor/user/uid_alt", "userIdentity.principalId"),
    ("/actor/user/uid", "userIdentity.arn"),
    ("/actor/user/account/uid", "userIdentity.accountId"),
    ("/actor/user/account_uid", "userIdentity.accountId"),
    ("/actor/user/credential_uid", "userIdentity.accessKeyId"),
    ("/actor/user/name", "userIdentity.userName"),
    ("/actor/invoked_by", "userIdentity.invokedBy"),
    ("/actor/idp/name", "userIdentity.identityProvider"),
    ("/actor/session/issuer", "userIdentity.sessionContext.sessionIssuer.arn"),
];

/// Columns that are read, too, and mean something else than their text.
const OTHERS: &[&str] = &[
    "/metadata/product/name",
    "/time",
    "/time_dt",
    "/status",
    "/is_mfa",
    "/api/request/data",
    "/api/response/data",
    "/actor/session/created_time_dt",
    "/actor/session/is_mfa",
];

/// Fields of CloudTrail that are true or false, and that are numbers: what has no column of its own is text.
const TRUTHS: &[&str] = &["readOnly", "managementEvent"];
const NUMBERS: &[&str] =
    &["additionalEventData.bytesTransferredIn", "additionalEventData.bytesTransferredOut"];

/// Whether an object is a table of records of CloudTrail: its columns are those of OCSF 1.1 or later. Before, the
/// ARN of a caller stood elsewhere (`uuid`).
pub fn is_ocsf(object: &Parquet<'_>) -> bool {
    let has = |wanted: &str| object.columns().any(|(_, path)| is_at(path, wanted));
    let needed = ["/class_uid", "/api/operation", "/api/service/name", "/actor/user/type"];
    needed.into_iter().all(has) && (has("/time") || has("/time_dt")) && !has("/actor/user/uuid")
}

/// Calls `visit` with the number and content of every record. After an error nothing of the object may count; a
/// record that is none of CloudTrail costs that record.
pub fn read_ocsf<F>(object: &Parquet<'_>, mut visit: F) -> Result<(), ParquetError>
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    let columns: Vec<usize> = object
        .all_columns()
        .filter(|(_, path)| is_wanted(path))
        .map(|(number, _)| number)
        .collect();
    let mut index = 0;
    object.read(&columns, BATCH_ROWS, &mut |batch| {
        all(batch, &mut index, &mut visit);
        Ok(())
    })
}

/// Reads the rows of a batch, of which `index` is the first.
fn all<F>(batch: &RecordBatch, index: &mut usize, visit: &mut F)
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    // Of `RECORD_BYTES_MAX` and `LISTED_MAX`.
    let expected = "a record of at most 16 MiB, with at most 4,096 values in lists";
    for row in 0..batch.num_rows() {
        match cells::row(batch, row) {
            Some(row) => one(&row, *index, visit),
            None => visit(*index, Err(RecordError { index: *index, offset: 0, expected })),
        }
        *index += 1;
    }
}

/// Reads one record as if CloudTrail had written it.
fn one<F>(row: &Value, index: usize, visit: &mut F)
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    let is_cloudtrail = text(row, "/metadata/product/name") == Some("CloudTrail");
    let wrong = RecordError { index, offset: 0, expected: "a record of CloudTrail" };
    if !is_cloudtrail {
        return visit(index, Err(wrong));
    }
    let mut n_read = 0;
    let record = Value::Object(record(row)).to_string();
    let done = read(&record, |_, record| {
        n_read += 1;
        visit(index, record.map_err(|error| RecordError { index, ..error }));
    });
    if done.is_err() || n_read == 0 {
        visit(index, Err(wrong));
    }
}

fn is_at(path: &[String], wanted: &str) -> bool {
    path.iter().map(String::as_str).eq(wanted.split('/').skip(1))
}

fn is_wanted(path: &[String]) -> bool {
    let is_listed = || {
        let fields = FIELDS.iter().map(|(column, _)| column);
        fields.chain(OTHERS).any(|column| is_at(path, column))
    };
    let first = path.first().map_or("", String::as_str);
    matches!(first, CLASS | UNMAPPED) || is_of_resources(path) || is_listed()
}

/// Resources are lists of structures, whose names on the way are those of the writer.
fn is_of_resources(path: &[String]) -> bool {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        names.as_slice(),
        ["resources", _, _, "uid" | "type"]
            | ["resources", _, _, "account", "uid"]
            | ["resources", _, _, "owner", "account", "uid"]
    )
}

/// A text that says something.
fn text<'a>(row: &'a Value, pointer: &str) -> Option<&'a str> {
    row.pointer(pointer)?.as_str().filter(|text| !matches!(*text, "" | "''" | "-"))
}

/// The record as CloudTrail has it.
fn record(row: &Value) -> Map<String, Value> {
    let mut record = Map::new();
    if let Some(more) = row.get(UNMAPPED).and_then(Value::as_object) {
        for (name, value) in more {
            if let Some(value) = value.as_str().filter(|value| !value.is_empty()) {
                insert(&mut record, name, unmapped(name, value));
            }
        }
    }
    // From the last to the first, so that the first stays.
    for (column, field) in FIELDS.iter().rev() {
        if let Some(text) = text(row, column) {
            insert(&mut record, field, text.into());
        }
    }
    let time_ms =
        [row.get("time"), row.get("time_dt")].into_iter().flatten().find_map(Value::as_i64);
    if let Some(time_ms) = time_ms {
        insert(&mut record, "eventTime", format_ms(time_ms).into());
    }
    for (column, field) in
        [("/api/request/data", "requestParameters"), ("/api/response/data", "responseElements")]
    {
        if let Some(data) = text(row, column) {
            insert(&mut record, field, parsed(data));
        }
    }
    session(row, &mut record);
    sign_in(row, &mut record);
    let resources = row.get("resources").and_then(Value::as_array);
    let resources: Vec<Value> = resources.into_iter().flatten().map(resource).collect();
    if !resources.is_empty() {
        insert(&mut record, "resources", resources.into());
    }
    record
}

fn session(row: &Value, record: &mut Map<String, Value>) {
    let attribute = |name: &str| format!("userIdentity.sessionContext.attributes.{name}");
    if let Some(is_mfa) = row.pointer("/actor/session/is_mfa").and_then(Value::as_bool) {
        insert(record, &attribute("mfaAuthenticated"), is_mfa.to_string().into());
    }
    let created_ms = row.pointer("/actor/session/created_time_dt").and_then(Value::as_i64);
    if let Some(created_ms) = created_ms {
        insert(record, &attribute("creationDate"), format_ms(created_ms).into());
    }
}

/// What a sign-in to the console says in columns of its own.
fn sign_in(row: &Value, record: &mut Map<String, Value>) {
    if text(row, "/api/operation") != Some("ConsoleLogin") {
        return;
    }
    if let Some(is_mfa) = row.get("is_mfa").and_then(Value::as_bool) {
        let word = if is_mfa { "Yes" } else { "No" };
        insert(record, "additionalEventData.MFAUsed", word.into());
    }
    if let (None, Some(status)) = (record.get("responseElements"), text(row, "/status")) {
        insert(record, "responseElements.ConsoleLogin", status.into());
    }
}

fn resource(one: &Value) -> Value {
    let account = text(one, "/owner/account/uid").or_else(|| text(one, "/account/uid"));
    let parts = [("ARN", text(one, "/uid")), ("accountId", account), ("type", text(one, "/type"))];
    let said = parts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    Value::Object(said.collect())
}

/// JSON as a value; what is none as text.
fn parsed(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or_else(|_| data.into())
}

fn unmapped(name: &str, value: &str) -> Value {
    match value {
        "true" | "false" if TRUTHS.contains(&name) => (value == "true").into(),
        _ if NUMBERS.contains(&name) || value.starts_with(['{', '[']) => parsed(value),
        _ => value.into(),
    }
}

/// Puts a value at its place, by names with dots between them. What stands in the way stays.
fn insert(record: &mut Map<String, Value>, field: &str, value: Value) {
    if field.split('.').count() > UNMAPPED_DEPTH_MAX {
        return;
    }
    let mut names = field.split('.');
    let Some(last) = names.next_back() else { return };
    let mut at = record;
    for name in names {
        let next = at.entry(name).or_insert_with(|| Map::new().into());
        let Some(next) = next.as_object_mut() else { return };
        at = next;
    }
    at.insert(last.to_owned(), value);
}

#[cfg(test)]
mod tests;
