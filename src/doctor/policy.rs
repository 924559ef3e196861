//! What a policy of a resource lets a service of AWS do. In: the policy, who asks, and in whose name. Out: yes, no, or that
//! it has conditions of which nobody here knows.

use alerts::sinks::Choice;
use serde_json::Value;

/// What a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// It lets.
    Yes,
    /// It does not.
    No,
    /// That depends.
    Perhaps,
}

/// Whether a service (`s3.amazonaws.com`) may send to a queue, on behalf of a bucket, topic or rule of this ARN.
pub(super) fn lets_send(policy: &Value, service: &str, source: &str) -> Says {
    let mut says = Says::No;
    let statements = policy.get("Statement").map(each).unwrap_or_default();
    for statement in statements {
        let field = |name: &str| statement.get(name).map(each).unwrap_or_default();
        let names = |name: &str| field(name).into_iter().filter_map(Value::as_str);
        let is_sending = names("Action").any(|action| {
            let action = action.to_ascii_lowercase();
            ["*", "sqs:*", "sqs:sendmessage"].contains(&action.as_str())
        });
        if !is_sending || !is_about(statement.get("Principal"), service) {
            continue;
        }
        let fits = conditions(statement.get("Condition"), source);
        let is_deny = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        match (is_deny, fits) {
            (true, Says::Yes) => return Says::No,
            (true, Says::Perhaps) => return Says::Perhaps,
            (false, Says::Yes) => says = Says::Yes,
            (false, Says::Perhaps) if says == Says::No => says = Says::Perhaps,
            _ => {}
        }
    }
    says
}

/// A value, or those of a list.
fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |all| all.iter().collect())
}

fn is_about(principal: Option<&Value>, service: &str) -> bool {
    let Some(principal) = principal else { return false };
    let is = |value: &Value, name: &str| each(value).iter().any(|one| one.as_str() == Some(name));
    is(principal, "*")
        || principal.get("AWS").is_some_and(|names| is(names, "*"))
        || principal.get("Service").is_some_and(|names| is(names, service) || is(names, "*"))
}

fn conditions(conditions: Option<&Value>, source: &str) -> Says {
    let mut says = Says::Yes;
    let all = conditions.and_then(Value::as_object).into_iter().flatten();
    for (operator, keys) in all {
        for (key, values) in keys.as_object().into_iter().flatten() {
            let values: Vec<_> = each(values).into_iter().collect();
            let fits = match key.to_ascii_lowercase().as_str() {
                "aws:sourcearn" if is_positive(operator) => values.iter().any(|one| {
                    one.as_str()
                        .is_some_and(|one| Choice::new(vec![one.to_owned()]).admits(&[source]))
                }),
                // Services always come encrypted.
                "aws:securetransport" => values
                    .iter()
                    .any(|one| one.as_bool() == Some(true) || one.as_str() == Some("true")),
                _ => {
                    says = Says::Perhaps;
                    continue;
                }
            };
            if !fits {
                return Says::No;
            }
        }
    }
    says
}

fn is_positive(operator: &str) -> bool {
    let bare = operator.trim_end_matches("IfExists");
    ["ArnEquals", "ArnLike", "StringEquals", "StringLike"].contains(&bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BUCKET: &str = "arn:aws:s3:::logs";

    #[track_caller]
    fn says(statements: &Value) -> Says {
        lets_send(&json!({"Statement": statements}), "s3.amazonaws.com", BUCKET)
    }

    #[test]
    fn a_policy_lets_the_service_send_for_its_own_bucket() {
        let with = |source: &str| {
            json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
                   "Action": "SQS:SendMessage", "Condition": {"ArnLike": {"aws:SourceArn": source}}})
        };
        assert_eq!(says(&with("arn:aws:s3:*:*:logs")), Says::Yes);
        assert_eq!(says(&with("arn:aws:s3:::lo*")), Says::Yes);
        assert_eq!(says(&with("arn:aws:s3:::other")), Says::No);
        let topic = json!({"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
                           "Action": "sqs:SendMessage"});
        assert_eq!(says(&topic), Says::No);
        assert_eq!(says(&json!([topic, with(BUCKET)])), Says::Yes);
        assert_eq!(says(&json!(null)), Says::No);
    }

    #[test]
    fn clear_text_is_denied_to_nobody_here_and_other_conditions_are_unknown() {
        let any = json!({"Effect": "Allow", "Principal": "*", "Action": "sqs:*"});
        let clear = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*",
                           "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        assert_eq!(says(&json!([any, clear])), Says::Yes);
        let elsewhere = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*",
                               "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}});
        assert_eq!(says(&json!([any, elsewhere])), Says::Perhaps);
        let denied = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*"});
        assert_eq!(says(&json!([any, denied])), Says::No);
    }
}
