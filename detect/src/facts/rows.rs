//! What a chunk says of accounts. In: rows and objects that are new. Out: facts, as far as records and calls of
//! flow logs say them, and from where credentials of instances were used, which rows say by themselves.

use super::{Fact, Topic};
use crate::{
    chunk::{Chunk, Row, RowFact},
    intake::Admitted,
    intern::Map,
};
use baseline::{HashKey, Hour, Slot, Value};
use ingest::enrich::Caller;
use std::{collections::BTreeMap, sync::Arc};

impl Chunk {
    /// What the rows and the objects that are new say of their accounts.
    pub(crate) fn facts(&self, Admitted { rows, objects }: &Admitted, key: &HashKey) -> Vec<Fact> {
        let is_fresh = |one: &&RowFact| rows.get(one.row as usize) == Some(&true);
        let of_rows = self.facts.iter().filter(is_fresh).filter_map(|one| {
            let row = self.rows.get(one.row as usize)?;
            let principal = &self.principals.get(row.principal)?.principal;
            let account = Arc::clone(&principal.entity.account);
            let evidence = Some(self.evidence(row, 1));
            let RowFact { topic, value, amount, .. } = one;
            let (topic, value, amount, slot) = (*topic, value.clone(), *amount, row.slot);
            Some(Fact { account, topic, value, slot, amount, evidence })
        });
        let new_objects = self.objects.iter().zip(objects).filter(|(_, is_new)| **is_new);
        let of_flows = new_objects.flat_map(|(object, _)| &object.facts).cloned();
        of_rows.chain(of_flows).chain(self.uses(rows, key)).chain(self.heard(rows)).collect()
    }

    /// Of which regions records came, of the rows that are new: each once an hour.
    fn heard(&self, fresh: &[bool]) -> Vec<Fact> {
        let mut heard: Map<(u32, u32, Hour), Slot> = Map::default();
        for (row, _) in self.rows.iter().zip(fresh).filter(|(_, is_new)| **is_new) {
            heard.entry((row.principal, row.region, row.slot.hour())).or_insert(row.slot);
        }
        // Many call in one hour.
        let mut by_account: BTreeMap<(&Arc<str>, &Value, Hour), Slot> = BTreeMap::new();
        let mut all: Vec<_> = heard.into_iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        for ((principal, region, hour), slot) in all {
            let who = self.principals.get(principal);
            if let (Some(who), Some(region)) = (who, self.regions.get(region)) {
                by_account.insert((&who.principal.entity.account, region, hour), slot);
            }
        }
        let fact = |((account, region, _), slot): ((&Arc<str>, &Value, Hour), Slot)| {
            let (account, value) = (Arc::clone(account), region.clone());
            Fact { account, topic: Topic::Heard, value, slot, amount: 0, evidence: None }
        };
        by_account.into_iter().map(fact).collect()
    }

    /// From where credentials of instances were used, of the rows that are new: each once an hour.
    fn uses(&self, fresh: &[bool], key: &HashKey) -> Vec<Fact> {
        let instances: Vec<bool> =
            self.principals.iter().map(|who| who.instance.is_some()).collect();
        if !instances.contains(&true) {
            return Vec::new();
        }
        let mut first: Map<(u32, u32, Hour), &Row> = Map::default();
        for (row, _) in self.rows.iter().zip(fresh).filter(|(_, is_new)| **is_new) {
            if instances.get(row.principal as usize) == Some(&true) {
                let key = (row.principal, row.address, row.slot.hour());
                let first = first.entry(key).or_insert(row);
                if self.precedes(row, first) {
                    *first = row;
                }
            }
        }
        let mut first: Vec<_> = first.into_iter().collect();
        first.sort_unstable_by_key(|(key, _)| *key);
        let used = |row: &Row| {
            let who = self.principals.get(row.principal)?;
            let address = self.addresses.get(row.address)?;
            let (Caller::Public(ip) | Caller::Private(ip)) = address.caller else { return None };
            let (instance, entity) = (who.instance.as_ref()?, &who.principal.entity);
            let words = format!("{instance} {} {}", ip.to_canonical(), entity.key);
            let value = key.value(&words);
            let (account, topic) = (Arc::clone(&entity.account), Topic::Used);
            let evidence = Some(self.evidence(row, 1));
            Some(Fact { account, topic, value, slot: row.slot, amount: 0, evidence })
        };
        first.into_iter().filter_map(|(_, row)| used(row)).collect()
    }
}
