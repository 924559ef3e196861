//! What the statements of a policy do, whatever they are called. In: the policy, as an object or as text. Out: whether any
//! of them allows, and whether any denies; which texts stand in those that allow.

use crate::rules::walk;
use ingest::Raw;

/// A policy of a role, a key, a bucket, a queue or a topic. What is none does nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) allows: bool,
    pub(super) denies: bool,
    /// Of statements that allow, but for what they are called: whom, to what, on which condition.
    texts: Vec<String>,
}

impl Policy {
    pub(super) fn of(policy: Raw<'_>) -> Self {
        let document = policy.text().and_then(walk::document);
        let policy = document.as_deref().map_or(policy, Raw);
        let mut read = Self::default();
        for statement in policy.get("Statement").into_iter().flat_map(Raw::each) {
            let effect = statement.get("Effect").and_then(Raw::text);
            read.denies |= effect.is_some_and(|effect| effect.is("Deny"));
            if !effect.is_some_and(|effect| effect.is("Allow")) {
                continue;
            }
            read.allows = true;
            let parts = statement.entries().filter(|(key, _)| !key.is("Sid"));
            for (_, part) in parts {
                walk::texts(part, &mut |_, text| read.texts.push(text.get().into_owned()));
            }
        }
        read
    }

    /// Whether a statement that allows holds a text.
    pub(super) fn lets(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.texts.iter().any(|text| is_it(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_statement_is_called_does_not_count() {
        let denies = r#"{"Statement":{"Sid":"AllowTLSOnly","Effect":"Deny","Principal":"*"}}"#;
        let allows =
            r#"{"Statement":[{"Sid":"DenyNobody","Effect":"Allow","Principal":{"AWS":"a"}}]}"#;
        let of = |policy: &str| Policy::of(Raw(policy));
        assert_eq!(of(denies), Policy { allows: false, denies: true, texts: Vec::new() });
        assert!(of(allows).allows && !of(allows).denies);
        assert!(
            of(allows).lets(|text| text == "a") && !of(allows).lets(|text| text == "DenyNobody")
        );
        for text in ["\"\"", "null", "{}", "\"Allow\"", r#"{"Statement":"Allow"}"#] {
            assert_eq!(of(text), Policy::default(), "{text}");
        }
        let quoted = serde_json::to_string(allows).unwrap();
        assert_eq!(of(&quoted), of(allows));
        let encoded = "\"%7B%22Statement%22%3A%7B%22Effect%22%3A%22Deny%22%7D%7D\"";
        assert!(of(encoded).denies);
    }
}
