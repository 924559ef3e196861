//! `logsource`: which logs a document is about.

use super::{
    Line, Logs,
    table::{Table, shown},
};
use crate::{
    rules::yaml::{Fault, Node},
    suggest::{slip_of, suggest},
};

/// The product whose logs sentrail reads.
const PRODUCT: &str = "aws";

/// What rule sets call VPC Flow Logs.
const FLOW_SERVICES: [&str; 5] =
    ["vpcflow", "vpc-flow-logs", "vpcflowlogs", "vpc_flow", "flowlogs"];

/// A word for logs is cut to this. Unit: characters.
const LOGS_CHARS_MAX: usize = 40;

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

/// A word for the logs of a document that is clearly about something else than the logs of AWS that
/// sentrail reads, and where it says so.
pub(super) fn other(node: &Node) -> Option<(String, Line)> {
    let node = Table::of(node, "document").ok()?.get("logsource")?;
    let logs = Source::of(Table::of(node, "logsource").ok()?).other()?;
    // It is told, and counted by.
    let logs = logs.chars().take(LOGS_CHARS_MAX).flat_map(char::escape_debug).collect();
    Some((logs, node.line))
}

/// The logs that a document is about.
pub(super) fn logs(table: Table<'_>) -> Result<Logs, Fault> {
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
