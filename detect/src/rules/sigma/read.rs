//! YAML to documents. A document with a fault is left out whole, with every fault that could be told.

use super::{
    Detection, Document, Filter, Line, Logs, Other, RuleError, Why, correlation,
    head::{self, head},
    selection,
    table::{Faults, Table, shown, texts},
};
use crate::{
    rules::yaml::{self, Fault, Key, Kind, Node},
    suggest::{slip_of, suggest},
};
use std::sync::Arc;

/// Attributes of Sigma's three kinds of document, and sentrail's own two. Others are an author's own
/// and say nothing to sentrail.
const ATTRIBUTES: [&str; 24] = [
    "author",
    "correlation",
    "date",
    "description",
    "detection",
    "falsepositives",
    "fields",
    "filter",
    "generate",
    "id",
    "level",
    "license",
    "logsource",
    "modified",
    "name",
    "references",
    "related",
    "scope",
    "sentrail",
    "status",
    "tags",
    "taxonomy",
    "tests",
    "title",
];

/// Attributes that decide what a document is. They are not left out by saying nothing.
const REQUIRED: [&str; 5] = ["correlation", "detection", "filter", "logsource", "title"];

/// The product whose logs sentrail reads.
const PRODUCT: &str = "aws";

/// What rule sets call VPC Flow Logs.
const FLOW_SERVICES: [&str; 5] =
    ["vpcflow", "vpc-flow-logs", "vpcflowlogs", "vpc_flow", "flowlogs"];

/// A word for logs is cut to this. Unit: characters.
const LOGS_CHARS_MAX: usize = 40;

/// The sound documents of a file, and what is wrong with the others. `file` is its name in messages.
pub(crate) fn read(file: &Arc<str>, text: &str) -> (Vec<Document>, Vec<RuleError>) {
    let (mut documents, mut errors) = (Vec::new(), Vec::new());
    let last = yaml::last_line(text);
    for node in yaml::documents(text) {
        if let Some((other, line)) = node.as_ref().ok().and_then(other) {
            let (file, why) = (Arc::clone(file), Why::OtherLogs(other.logs.clone()));
            let what = format!("sentrail does not read these logs: {}", other.logs);
            errors.push(RuleError { file, line, what, why });
            documents.push(Document::Other(other));
            continue;
        }
        let mut faults = Faults::default();
        let document = faults.keep(node).and_then(|mut node| {
            leave_out(&mut node);
            document(file, &node, &mut faults)
        });
        if faults.0.is_empty() {
            documents.extend(document);
        }
        let faults = faults.0.into_iter();
        errors.extend(
            faults.map(|Fault { line, what }| RuleError::fault(file, line.min(last), what)),
        );
    }
    (documents, errors)
}

/// An attribute with nothing behind it is one that was left out: templates end in such.
fn leave_out(node: &mut Node) {
    if let Kind::Mapping(entries) = &mut node.kind {
        entries.retain(|(key, node)| {
            let word = key.text.as_str();
            !node.is_null() || REQUIRED.contains(&word) || !ATTRIBUTES.contains(&word)
        });
    }
}

fn document(file: &Arc<str>, node: &Node, faults: &mut Faults) -> Option<Document> {
    let table = faults.keep(Table::of(node, "document"))?;
    for (key, _) in table.entries {
        faults.keep(check_attribute(key));
    }
    faults.keep(check_taxonomy(table));
    match (table.get("detection"), table.get("correlation"), table.get("filter")) {
        (Some(node), None, None) => detection(file, table, node, faults).map(Document::Detection),
        (None, Some(node), None) => {
            faults.keep(refuse(table, "correlation", &["logsource"]));
            let head = head(file, table, faults);
            correlation::read(table, node, head, faults).map(Document::Correlation)
        }
        (None, None, Some(node)) => filter(file, table, node, faults).map(Document::Filter),
        (None, None, None) => {
            let what = "document without \"detection\", \"correlation\" or \"filter\"";
            faults.keep(Err(Fault::new(table.line, what)))
        }
        _ => {
            let what = "document with more than one of \"detection\", \"correlation\", \"filter\"";
            faults.keep(Err(Fault::new(table.line, what)))
        }
    }
}

fn detection(
    file: &Arc<str>,
    table: Table<'_>,
    node: &Node,
    faults: &mut Faults,
) -> Option<Detection> {
    faults.keep(refuse(table, "detection", &["generate"]));
    let head = head(file, table, faults);
    let logs = faults.keep(logs(table));
    let condition = faults
        .keep(Table::of(node, "detection"))
        .and_then(|table| selection::condition(table, &[], faults));
    Some(Detection { head: head?, logs: logs?, condition: condition? })
}

fn filter(file: &Arc<str>, table: Table<'_>, node: &Node, faults: &mut Faults) -> Option<Filter> {
    faults.keep(refuse(table, "filter", &["generate", "level", "sentrail"]));
    let (line, title) = faults.keep(head::title(table)).unzip();
    let logs = faults.keep(logs(table));
    let inner = faults.keep(Table::of(node, "filter"))?;
    let rules = faults.keep(filtered(inner));
    let condition = selection::condition(inner, &["rules"], faults);
    let samples = head::samples(table, faults);
    Some(Filter {
        file: Arc::clone(file),
        line: line?,
        title: title?,
        logs: logs?,
        rules: rules?,
        condition: condition?,
        samples: samples?,
    })
}

/// The rules that a filter is about; `any` alone means all of them.
fn filtered(filter: Table<'_>) -> Result<Option<Vec<(Line, String)>>, Fault> {
    let node = filter.required("rules")?;
    let rules = texts(node, "rules")?;
    if let [(_, "any")] = rules.as_slice() {
        return Ok(None);
    }
    Ok(Some(rules.into_iter().map(|(line, rule)| (line, rule.to_owned())).collect()))
}

/// Attributes of one's own are fine, slips of known ones are not: they would say nothing, unnoticed.
fn check_attribute(key: &Key) -> Result<(), Fault> {
    let word = key.text.as_str();
    if ATTRIBUTES.contains(&word) {
        return Ok(());
    }
    if word == "action" {
        let what = "\"action\" (not supported since Sigma 2: write each document out)";
        return Err(Fault::new(key.line, what));
    }
    match slip_of(word, ATTRIBUTES) {
        Some(near) => {
            let what = format!("attribute {}; did you mean \"{near}\"?", shown(word));
            Err(Fault::new(key.line, what))
        }
        None => Ok(()),
    }
}

fn check_taxonomy(table: Table<'_>) -> Result<(), Fault> {
    match (table.text("taxonomy")?, table.get("taxonomy")) {
        (Some(taxonomy), Some(node)) if taxonomy != "sigma" => {
            let what = format!("taxonomy {} (expected \"sigma\")", shown(taxonomy));
            Err(Fault::new(node.line, what))
        }
        _ => Ok(()),
    }
}

/// Attributes that would say nothing here.
fn refuse(table: Table<'_>, kind: &str, attributes: &[&str]) -> Result<(), Fault> {
    match table.entries.iter().find(|(key, _)| attributes.contains(&key.text.as_str())) {
        Some((key, _)) => {
            let what = format!("a {kind} has no \"{}\"", key.text);
            Err(Fault::new(key.line, what))
        }
        None => Ok(()),
    }
}

/// The words of `logsource` in lower case, as no reader of Sigma tells cases apart.
struct Source {
    product: Option<String>,
    service: Option<String>,
    category: Option<String>,
}

impl Source {
    /// What is no text says nothing.
    fn of(table: Table<'_>) -> Self {
        let word = |key| table.text(key).ok().flatten().map(str::to_lowercase);
        Self { product: word("product"), service: word("service"), category: word("category") }
    }

    /// The logs that are meant. The service tells alone, as nobody else has one of that name, and
    /// whatever the category says.
    fn logs(&self) -> Option<Logs> {
        if self.product.as_deref().is_some_and(|product| product != PRODUCT) {
            return None;
        }
        match self.service.as_deref()? {
            "cloudtrail" => Some(Logs::CloudTrail),
            service => FLOW_SERVICES.contains(&service).then_some(Logs::Flow),
        }
    }

    /// A word for the logs, if they are clearly others. What may be a slip for those that sentrail reads
    /// is none.
    fn other(&self) -> Option<String> {
        let is_read = |service: &str| {
            let known = FLOW_SERVICES.into_iter().chain(["cloudtrail"]);
            slip_of(service, known).is_some()
        };
        match (self.product.as_deref(), self.service.as_deref(), self.category.as_deref()) {
            (Some(PRODUCT) | None, Some(service), _) if is_read(service) => None,
            (Some(PRODUCT), service, _) => Some(format!("{PRODUCT} {}", service?)),
            (Some(product), Some(service), _)
                if is_read(service) && suggest(product, [PRODUCT]).is_some() =>
            {
                None
            }
            (Some(product), ..) => Some(product.to_owned()),
            (None, service, category) => service.or(category).map(str::to_owned),
        }
    }
}

/// Says what a document is about, if that is clearly something else than the logs of AWS that sentrail
/// reads, and where.
fn other(node: &Node) -> Option<(Other, Line)> {
    let table = Table::of(node, "document").ok()?;
    let source = table.get("logsource")?;
    let line = source.line;
    let logs = Source::of(Table::of(source, "logsource").ok()?).other()?;
    let names = ["id", "name"].into_iter().filter_map(|key| table.text(key).ok().flatten());
    let names = names.map(str::to_lowercase).collect();
    // It is told, and counted by.
    let logs = logs.chars().take(LOGS_CHARS_MAX).flat_map(char::escape_debug).collect();
    Some((Other { logs, names }, line))
}

fn logs(table: Table<'_>) -> Result<Logs, Fault> {
    let node = table.required("logsource")?;
    let table = Table::of(node, "logsource")?;
    for key in ["product", "service", "category"] {
        table.text(key)?;
    }
    let source = Source::of(table);
    if let Some(logs) = source.logs() {
        return Ok(logs);
    }
    let Source { product, service, category } = source;
    let parts = [("product", product), ("service", service), ("category", category)];
    let said =
        parts.iter().filter_map(|(key, text)| Some(format!("{key} {}", shown(text.as_ref()?))));
    let said: Vec<_> = said.collect();
    let said = if said.is_empty() { "no product".into() } else { said.join(", ") };
    let what = format!(
        "sentrail does not read these logs: {said} (expected service \"cloudtrail\" or \"vpcflow\" of \
         product \"aws\")"
    );
    Err(Fault::new(node.line, what))
}
