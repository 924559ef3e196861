//! VPC flow logs as Security Lake has them: OCSF's class 4001, Network Activity, by the mapping that AWS
//! publishes (github.com/ocsf/examples, `mappings/markdown/AWS/v1.1.0/VPC Flowlogs`). In: the names of
//! columns. Out: which of them stand for which field of a flow log. What OCSF does not keep is in
//! `docs/limits.md`.

use super::array::Meaning;
use super::parquet::Named;
use crate::flow::Field;
use crate::parquet::Parquet;

/// Without these it is a table of another class.
const NEEDED: [Field; 4] = [Field::InterfaceId, Field::SrcAddr, Field::DstAddr, Field::Bytes];

/// The column that all classes have.
const CLASS: &str = "class_uid";

/// The columns of a flow log; none of another table.
pub(super) fn columns(object: &Parquet<'_>) -> Option<Vec<Named>> {
    let is_ocsf = object.columns().any(|(_, path)| matches!(path, [only] if only == CLASS));
    let mut found: Vec<(Field, usize, Meaning, usize, String)> = object
        .columns()
        .filter_map(|(number, path)| {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            let (field, rank, meaning) = field(&names)?;
            Some((field, rank, meaning, number, path.join(".")))
        })
        .collect();
    found.sort_by_key(|(field, rank, ..)| (*field, *rank));
    let mut all: Vec<Named> = Vec::new();
    for (field, _, meaning, number, name) in found {
        match all.last_mut() {
            Some(last) if last.field == Some(field) => last.columns.push(number),
            _ => all.push(Named { field: Some(field), name, meaning, columns: vec![number] }),
        }
    }
    let has = |field: &Field| all.iter().any(|one| one.field == Some(*field));
    (is_ocsf && NEEDED.iter().all(has)).then_some(all)
}

/// What a column stands for, and which of several comes first.
fn field(path: &[&str]) -> Option<(Field, usize, Meaning)> {
    let same = |field| Some((field, 0, Meaning::Same));
    match path {
        ["cloud", "account", "uid"] | ["cloud", "account_uid"] => same(Field::AccountId),
        ["cloud", "region"] => same(Field::Region),
        ["cloud", "zone"] => same(Field::AzId),
        ["metadata", "product", "version"] => same(Field::Version),
        ["src_endpoint", name] => {
            endpoint(name, 0, (Field::SrcAddr, Field::SrcPort, Field::PktSrcAwsService))
        }
        ["dst_endpoint", name] => {
            endpoint(name, 1, (Field::DstAddr, Field::DstPort, Field::PktDstAwsService))
        }
        ["connection_info", "protocol_num"] => same(Field::Protocol),
        ["connection_info", "tcp_flags"] => same(Field::TcpFlags),
        ["connection_info", "direction"] => {
            Some((Field::FlowDirection, 0, Meaning::Words(direction)))
        }
        ["traffic", "packets"] => same(Field::Packets),
        ["traffic", "bytes"] => same(Field::Bytes),
        ["start_time_dt"] => same(Field::Start),
        ["start_time"] => Some((Field::Start, 1, Meaning::Milliseconds)),
        ["end_time_dt"] => same(Field::End),
        ["end_time"] => Some((Field::End, 1, Meaning::Milliseconds)),
        ["status_code"] => same(Field::LogStatus),
        ["action"] => Some((Field::Action, 0, Meaning::Words(action))),
        ["disposition"] => Some((Field::Action, 1, Meaning::Words(action))),
        _ => None,
    }
}

/// Of one side. The flow log was on the source of what goes out, and on the destination of what comes in.
fn endpoint(
    name: &str,
    side: usize,
    (address, port, service): (Field, Field, Field),
) -> Option<(Field, usize, Meaning)> {
    let field = match name {
        "ip" => address,
        "port" => port,
        "svc_name" => service,
        "interface_uid" => Field::InterfaceId,
        "vpc_uid" => Field::VpcId,
        "subnet_uid" => Field::SubnetId,
        "instance_uid" => Field::InstanceId,
        _ => return None,
    };
    Some((field, side, Meaning::Same))
}

fn direction(word: &[u8]) -> &[u8] {
    match word {
        b"Inbound" => b"ingress",
        b"Outbound" => b"egress",
        b"Unknown" => b"-",
        other => other,
    }
}

fn action(word: &[u8]) -> &[u8] {
    match word {
        b"Allowed" => b"ACCEPT",
        b"Denied" | b"Blocked" | b"Rejected" | b"Dropped" => b"REJECT",
        b"Unknown" => b"-",
        other => other,
    }
}
