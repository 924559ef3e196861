//! What AWS Organizations calls accounts. In: how AWS is reached. Out: names by number, of all pages of the list; or why they
//! cannot be had, in words that say which permission.

use super::{Account, Accounts};
use crate::sinks::{Failure, said};
use ingest::source::{
    calls::{ANSWER_BYTES_MAX, Answer, Calls, Request, home_of},
    session::{Access, Session},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// As many as AWS gives in an answer. Unit: accounts.
const PAGE: usize = 20;
/// Of 20,000 accounts; an organisation has 10 if nobody asks for more, and some thousands at most. Unit: answers.
pub(crate) const PAGES_MAX: usize = 1_000;
/// Times that a page is asked for, where AWS wants to be asked more slowly. Unit: calls.
pub(crate) const ATTEMPTS_MAX: u32 = 4;
/// Before the second; twice as long before each further one.
const WAIT: Duration = Duration::from_secs(1);
/// AWS gives names of 50. Unit: characters.
const NAME_CHARS_MAX: usize = 100;

impl Accounts {
    /// All accounts of the organisation, by `organizations:ListAccounts`, as the role of `access` if it has one. Unit of
    /// `now_ms`: milliseconds since the Unix epoch.
    pub async fn of_organization(access: &Access, now_ms: fn() -> i64) -> Result<Self, String> {
        let begin = async |access: &Access| {
            let session = Session::begin(access).await;
            session.map(|session| Calls::new(&session, None)).map_err(|error| error.to_string())
        };
        let partition = begin(access).await?.partition();
        let access = Access { region: Some(home_of(partition).to_owned()), ..access.clone() };
        of(&mut begin(&access).await?, WAIT, now_ms).await
    }
}

async fn of(calls: &mut Calls, wait: Duration, now_ms: fn() -> i64) -> Result<Accounts, String> {
    let (mut all, mut next) = (Vec::new(), Value::Null);
    for _ in 0..PAGES_MAX {
        let page = page(calls, &next, wait, now_ms).await?;
        let accounts = page.get("Accounts").and_then(Value::as_array);
        all.extend(
            accounts
                .ok_or("an answer that is not one of Organizations")?
                .iter()
                .filter_map(account),
        );
        next = page.get("NextToken").cloned().unwrap_or_default();
        if !next.is_string() {
            return Ok(Accounts::new(all));
        }
    }
    Err(format!("more than {PAGES_MAX} answers"))
}

fn account(listed: &Value) -> Option<(String, Account)> {
    let text = |key: &str| listed.get(key).and_then(Value::as_str);
    let name: String = text("Name")?.trim().chars().take(NAME_CHARS_MAX).collect();
    let named = Account { name, owner: None, tags: Vec::new() };
    (!named.name.is_empty()).then_some((text("Id")?.to_owned(), named))
}

async fn page(
    calls: &mut Calls,
    next: &Value,
    mut wait: Duration,
    now_ms: fn() -> i64,
) -> Result<Value, String> {
    for attempt in 1.. {
        let answer = ask(calls, next, now_ms()).await?;
        let Some(failure) = Failure::of(&answer, now_ms()) else {
            let is_cut = answer.body.len() >= ANSWER_BYTES_MAX;
            let page = serde_json::from_slice(&answer.body).ok().filter(|_| !is_cut);
            return page.ok_or_else(|| "an answer that is not one of Organizations".to_owned());
        };
        let is_busy = failure.status == 429
            || failure.status >= 500
            || matches!(&*failure.code, "TooManyRequestsException" | "ThrottlingException");
        if !is_busy || attempt >= ATTEMPTS_MAX {
            return Err(in_words(&failure));
        }
        sleep(wait).await;
        wait *= 2;
    }
    Ok(Value::Null)
}

async fn ask(calls: &mut Calls, next: &Value, now_ms: i64) -> Result<Answer, String> {
    let asked = match next.as_str() {
        Some(next) => json!({"MaxResults": PAGE, "NextToken": next}),
        None => json!({"MaxResults": PAGE}),
    };
    let headers = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AWSOrganizationsV20161128.ListAccounts"),
    ];
    let body = asked.to_string();
    let request = Request { service: "organizations", path: "/", headers: &headers, body };
    // Without a role of other accounts the name of the account does not matter.
    calls.post("", request, now_ms).await.map_err(|error| said(&error.to_string()))
}

fn in_words(failure: &Failure) -> String {
    let what_to_do = match &*failure.code {
        "AccessDeniedException" => {
            "the credentials may not list accounts (allow organizations:ListAccounts; only the management account and \
             those that it has delegated to are answered, so give `role` of one of them)"
        }
        "AWSOrganizationsNotInUseException" => "the account is of no organisation",
        _ => "accounts cannot be listed",
    };
    format!("{what_to_do}: {}", failure.error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::Scripted;

    const LIMITS: &str = include_str!("../../../docs/limits.md");

    fn now_ms() -> i64 {
        1_773_400_000_000
    }

    fn listed(number: &str, name: &str) -> Value {
        json!({"Id": number, "Name": name, "Status": "ACTIVE"})
    }

    #[tokio::test]
    async fn all_pages_are_read_also_where_one_is_throttled_and_the_file_wins() {
        let stub = Scripted::new("organizations");
        let mut calls = stub.calls().await;
        let first = [listed("111122223333", "prod"), listed("444455556666", " ")];
        let first = json!({"Accounts": first, "NextToken": "more"}).to_string();
        let last = json!({"Accounts": [listed("777788889999", "sandbox")]}).to_string();
        stub.gives("200 OK", &first);
        stub.gives("400 No", r#"{"__type":"TooManyRequestsException"}"#);
        stub.gives("200 OK", &last);
        let accounts = of(&mut calls, Duration::ZERO, now_ms).await.unwrap();
        let bodies = stub.bodies();
        assert_eq!(bodies.len(), 3);
        assert!(
            !bodies[0].contains("NextToken")
                && bodies[1..].iter().all(|body| body.contains("more"))
        );
        assert_eq!(accounts.len(), 2);
        let own =
            Account { name: "payments".to_owned(), owner: None, tags: vec!["pci".to_owned()] };
        let both = Accounts::new([("111122223333".to_owned(), own)]).beside(&accounts);
        assert_eq!(both.called("111122223333"), "payments (111122223333)");
        assert_eq!(both.called("777788889999"), "sandbox (777788889999)");
    }

    #[tokio::test]
    async fn what_cannot_be_listed_is_said_in_words() {
        let stub = Scripted::new("organizations");
        let mut calls = stub.calls().await;
        let denied = r#"{"__type":"AccessDeniedException","Message":"no\u001b"}"#;
        let words = "the credentials may not list accounts (allow organizations:ListAccounts; ";
        for (body, words) in [(denied, words), ("{}", "accounts cannot be listed: status 400")] {
            stub.gives("400 No", body);
            let error = of(&mut calls, Duration::ZERO, now_ms).await.unwrap_err();
            assert!(error.starts_with(words) && !error.contains('\u{1b}'), "{error}");
        }
        for _ in 0..ATTEMPTS_MAX {
            stub.gives("500 No", "{}");
        }
        assert!(of(&mut calls, Duration::ZERO, now_ms).await.is_err());
        stub.gives("200 OK", "[]");
        let error = of(&mut calls, Duration::ZERO, now_ms).await.unwrap_err();
        assert_eq!(error, "an answer that is not one of Organizations");
        for (name, bound) in
            [("PAGES_MAX", PAGES_MAX as u64), ("ATTEMPTS_MAX", ATTEMPTS_MAX.into())]
        {
            let row = format!("\n| `organization::{name}` | {bound} ");
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
        // What never ends is given up.
        let again = json!({"Accounts": [], "NextToken": "more"}).to_string();
        for _ in 0..PAGES_MAX {
            stub.gives("200 OK", &again);
        }
        assert_eq!(
            of(&mut calls, Duration::ZERO, now_ms).await.unwrap_err(),
            "more than 1000 answers"
        );
    }
}
