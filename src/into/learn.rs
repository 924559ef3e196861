//! What records and rows tell of the one that a story happens to.

use super::{
    Pupil,
    census::{Who, interface, who},
};
use crate::worker::Sink;
use baseline::{Kind, Principal};
use detect::FlowRows;
use ingest::{
    Event, Raw, Text,
    event::Outcome,
    flow::{Field, FlowBatch, Value, ip},
    flowlog::FlowFormat,
    source::{KeyInfo, Object, Place},
};
use std::{net::IpAddr, path::PathBuf};
use testdata::{
    aws::flow::{Fields, Format},
    story::known::{Known, Seen},
};

/// Fields of a row that tell of the flow, not of the interface.
const OF_THE_FLOW: [Field; 8] = [
    Field::Action,
    Field::LogStatus,
    Field::Type,
    Field::PktSrcAwsService,
    Field::PktDstAwsService,
    Field::FlowDirection,
    Field::RejectReason,
    Field::EncryptionStatus,
];

/// An object in which the victim was seen: the story goes beside it.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    pub(super) path: PathBuf,
    /// Its key, as objects have it.
    key: String,
}

impl Beside {
    /// What its key says.
    pub(super) fn info(&self) -> KeyInfo<'_> {
        KeyInfo::of(&self.key)
    }

    /// Its key from `AWSLogs/` on; nothing where it has none.
    pub(super) fn aws_key(&self) -> &str {
        self.info().aws_logs_at.map_or("", |_| &self.key)
    }
}

pub(super) struct Learner {
    who: Who,
    pub(super) known: Known,
    object: Beside,
    beside: Option<Beside>,
    /// The interface was in the object that is read.
    is_in_object: bool,
}

impl Learner {
    pub(super) fn new(who: Who) -> Self {
        let known = Known::new(&who.account, who.is_interface.then_some(&*who.key));
        let object = Beside { path: PathBuf::new(), key: String::new() };
        Self { who, known, object, beside: None, is_in_object: false }
    }

    /// The last object with the victim in it, rather one with AWS's name.
    pub(super) fn beside(&self) -> &Beside {
        self.beside.as_ref().unwrap_or(&self.object)
    }

    fn is_here(&mut self) {
        let has_stamp = |beside: &Beside| beside.info().stamp_ms.is_some();
        if has_stamp(&self.object) || !self.beside.as_ref().is_some_and(has_stamp) {
            self.beside = Some(self.object.clone());
        }
    }
}

impl Pupil for Learner {
    fn object(&mut self, object: &Object) {
        let Place::File(path) = &object.place else { return };
        self.object = Beside { path: path.clone(), key: object.key().to_owned() };
        self.is_in_object = false;
    }
}

impl Sink for Learner {
    fn record(&mut self, event: &Event<'_>) {
        let text = |text: Option<Text<'_>>| text.map(|text| text.get().into_owned());
        let has_worked = event.outcome() == Outcome::Success;
        let asked = |name: &str| event.request.and_then(|request| request.get(name)?.text());
        let granted = |name: &str| text(asked(name).filter(|_| has_worked));
        let secrets = |name: &Text<'_>| name.is("GetSecretValue") || name.is("DescribeSecret");
        let caller = who(event);
        // Services keep to buckets of logs, in which no story happens.
        let is_service = |(_, principal): &(Who, Principal)| principal.entity.kind == Kind::Service;
        let is_service = caller.as_ref().is_some_and(is_service);
        let bucket = granted("bucketName").filter(|_| !is_service);
        let object = granted("key");
        let secret = Some(event.name).filter(secrets).and_then(|_| granted("secretId"));
        let trail = event.source.is("cloudtrail.amazonaws.com");
        let trail = trail.then(|| granted("name").or_else(|| granted("trailName"))).flatten();
        let account = text(event.account()).unwrap_or_default();
        let (region, address) = (text(event.region), text(event.source_ip));
        let agent = text(event.user_agent);
        let seen = Seen {
            time_s: event.time_ms.div_euclid(1_000),
            account: &account,
            region: region.as_deref().unwrap_or_default(),
            address: address.as_deref().unwrap_or_default(),
            agent: agent.as_deref().unwrap_or_default(),
            identity: event.identity.map_or("", |Raw(identity)| identity),
            bucket: bucket.as_deref(),
            object: object.as_deref(),
            secret: secret.as_deref(),
            trail: trail.as_deref(),
        };
        if caller.is_some_and(|(who, _)| who == self.who) {
            self.known.own(&seen);
            self.is_here();
        } else {
            self.known.around(&seen);
        }
    }

    fn rows(&mut self, rows: &FlowRows<'_>) {
        let batch = rows.batch;
        let Self { who, known, object, is_in_object, .. } = self;
        if !who.is_interface {
            return;
        }
        let addresses = [Field::SrcAddr, Field::DstAddr].map(|field| batch.addresses(field));
        let home = object.info().account.unwrap_or_default();
        for row in 0..batch.rows() {
            let Some((account, id)) = interface(batch, row, home) else { continue };
            if account != who.account {
                continue;
            }
            let Value::Integer(end_s) = batch.value(Field::End, row) else { continue };
            *is_in_object |= id == who.key;
            let named = batch.texts(Field::Region).and_then(|texts| texts.get(row));
            let region = object.info().region.or(named).unwrap_or_default();
            let ends: [Option<IpAddr>; 2] =
                addresses.map(|column| column.and_then(|column| column.get(row)).map(ip));
            known.row(id, (region, end_s), ends, &mut || fields(batch, row));
        }
    }

    fn format(&mut self, format: &FlowFormat) {
        if self.is_in_object {
            let names: Vec<String> = format.names().collect();
            let format = Format::of(names.iter().map(String::as_str));
            self.known.flow_log(self.object.info().flow_log_id, format);
            self.is_here();
        }
    }
}

/// What a row says of its interface.
fn fields(batch: &FlowBatch, row: usize) -> Fields {
    let is_of_interface = |field: &&Field| {
        **field == Field::Version
            || field.kind() == ingest::flow::Kind::Text && !OF_THE_FLOW.contains(field)
    };
    let fields = batch.layout().fields().iter().filter(is_of_interface);
    let value = |field: &Field| {
        let text = match batch.value(*field, row) {
            Value::Text(text) => text.into_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Null => return None,
        };
        Some((field.name().replace('_', "-"), text))
    };
    fields.filter_map(value).collect()
}
