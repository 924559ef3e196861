//! What sentrail works out of a record for rules; the page of `fields.rs` says what each is.

use super::{
    fields::Derived,
    matcher::Value,
    policy::is_account,
    view::{Parts, View},
};
use crate::own;
use baseline::Kind;
use ingest::{
    enrich::{Caller, NetworkClass},
    event::Outcome,
};
use std::{collections::BTreeSet, net::IpAddr};

impl Derived {
    /// Whether `is` holds for any of its values.
    pub(crate) fn any(
        self,
        view: &View<'_>,
        parts: Parts<'_>,
        is: &mut dyn FnMut(Value<'_>) -> bool,
    ) -> bool {
        let Parts { event, origin, .. } = parts;
        match self {
            Self::Api => is(Value::Plain(parts.api)),
            Self::CallerKind => {
                let kind = parts.principal.map(|principal| principal.entity.kind);
                // Some records that name nobody count as the account's own, and what is quiet for
                // services would be quiet for an unknown.
                let kind = kind.filter(|kind| *kind != Kind::Service || parts.acting.is_named);
                kind.is_some_and(|kind| is(Value::Plain(kind.name())))
            }
            Self::InvokedByService => is(truth(parts.acting.for_service)),
            Self::Outcome => is(Value::Plain(match event.outcome() {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
            })),
            Self::Denied => is(truth(event.denied())),
            Self::SourceKind => is(Value::Plain(source_kind(parts.caller))),
            Self::SourceCountry => {
                origin.country.is_some_and(|country| is(Value::Plain(country.as_str())))
            }
            Self::SourceNetwork => {
                origin.network.is_some_and(|network| is(Value::Integer(i64::from(network.0))))
            }
            Self::SourceNetworkClass => origin
                .network
                .is_some_and(|network| is(Value::Plain(network_class(network.class())))),
            Self::Granted => each(&view.access(parts).granted, is),
            Self::GrantedActions => each(&view.access(parts).actions, is),
            Self::PolicyAdmin => is(truth(view.access(parts).is_admin)),
            Self::OpenProviders => each(&view.access(parts).open_providers, is),
            Self::ForeignAccounts => each(&foreign_accounts(parts), is),
            Self::Lists => address(parts.caller).is_some_and(|address| {
                view.names().lists.holding(address).any(|name| is(Value::Plain(name)))
            }),
            Self::TrustedLists => address(parts.caller).is_some_and(|address| {
                view.names().lists.trusting(address).any(|name| is(Value::Plain(name)))
            }),
            Self::Own => {
                let touched = own::touches(event, parts.api, parts.account, parts.own);
                touched.iter().any(|touch| is(Value::Plain(&touch.arn)))
            }
            Self::Decoys => {
                view.names().decoys.named_by(event).into_iter().any(|name| is(Value::Plain(name)))
            }
        }
    }
}

fn address(caller: Caller) -> Option<IpAddr> {
    match caller {
        Caller::Public(address) | Caller::Private(address) => Some(address),
        Caller::Service | Caller::Internal | Caller::Other => None,
    }
}

fn truth<'a>(is: bool) -> Value<'a> {
    Value::Plain(if is { "true" } else { "false" })
}

fn each(values: &BTreeSet<String>, is: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
    values.iter().any(|value| is(Value::Plain(value)))
}

fn source_kind(caller: Caller) -> &'static str {
    match caller {
        Caller::Public(_) => "public",
        Caller::Private(_) => "private",
        Caller::Service => "service",
        Caller::Internal => "internal",
        Caller::Other => "other",
    }
}

fn network_class(class: NetworkClass) -> &'static str {
    match class {
        NetworkClass::Access => "access",
        NetworkClass::Amazon => "amazon",
        NetworkClass::Cloud => "cloud",
        NetworkClass::Hosting => "hosting",
        NetworkClass::Vpn => "vpn",
        NetworkClass::Mobile => "mobile",
        NetworkClass::Satellite => "satellite",
        NetworkClass::Relay => "relay",
        NetworkClass::Education => "education",
    }
}

/// Accounts in the ARNs of a call's parameters and answer, wherever they stand: also within
/// policies that are texts.
fn foreign_accounts(parts: Parts<'_>) -> BTreeSet<String> {
    let raws = [parts.event.request, parts.event.response].into_iter().flatten();
    let arns = raws.flat_map(|raw| raw.0.split("arn:aws").skip(1));
    let accounts = arns.filter_map(|rest| {
        // What follows: the rest of the partition, service, region, account.
        let account = rest.split(':').nth(3)?;
        is_account(account).then_some(account)
    });
    accounts.filter(|account| *account != parts.account).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
