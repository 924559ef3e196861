//! The schema of flow records: one column per field that AWS documents for VPC Flow Logs (versions
//! 2 to 11) and Transit Gateway Flow Logs (docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
//! and .../vpc/latest/tgw/tgw-flow-logs.html). A batch has only the columns that its object's format
//! names, in the order of [`Field::ALL`]; what AWS writes as `-` is null.
//!
//! | kind | fields | Arrow type |
//! |---|---|---|
//! | [`Kind::Int32`] | version, ports, protocol, TCP flags, traffic path | `Int32` |
//! | [`Kind::Int64`] | packets, bytes, lost packets, `start` and `end` in seconds since the epoch | `Int64` |
//! | [`Kind::Address`] | the four addresses; IPv4 as `::ffff:a.b.c.d` | `FixedSizeBinary(16)`, network order |
//! | [`Kind::Text`] | everything else | `Dictionary(Int32, Utf8)`, distinct values per batch |

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};

mod calls;
mod values;

pub use calls::{Call, Calls, FIELDS, Lasting, Opened};
pub use values::{Addresses, Numbers, Texts};

pub(crate) use values::{Data, Other, Values, Words};

/// What values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A number from 0 to 2,147,483,647.
    Int32,
    /// A counter or a time in seconds since the Unix epoch, from 0 to `i64::MAX`.
    Int64,
    /// An IP address.
    Address,
    /// An id, a name or a word.
    Text,
}

impl Kind {
    /// The Arrow type of a column of this kind.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Address => DataType::FixedSizeBinary(16),
            Self::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        }
    }
}

macro_rules! fields {
    ($($name:ident $text:literal $kind:ident,)*) => {
        /// One documented field, in AWS's order: version 2 to 11, then Transit Gateway.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Field {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Field {
            /// Every field, in column order.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// AWS's name with underscores, as in its Parquet files.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What values it has.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }
        }
    };
}

fields! {
    Version "version" Int32,
    AccountId "account_id" Text,
    InterfaceId "interface_id" Text,
    SrcAddr "srcaddr" Address,
    DstAddr "dstaddr" Address,
    SrcPort "srcport" Int32,
    DstPort "dstport" Int32,
    Protocol "protocol" Int32,
    Packets "packets" Int64,
    Bytes "bytes" Int64,
    Start "start" Int64,
    End "end" Int64,
    Action "action" Text,
    LogStatus "log_status" Text,
    VpcId "vpc_id" Text,
    SubnetId "subnet_id" Text,
    InstanceId "instance_id" Text,
    TcpFlags "tcp_flags" Int32,
    Type "type" Text,
    PktSrcAddr "pkt_srcaddr" Address,
    PktDstAddr "pkt_dstaddr" Address,
    Region "region" Text,
    AzId "az_id" Text,
    SublocationType "sublocation_type" Text,
    SublocationId "sublocation_id" Text,
    PktSrcAwsService "pkt_src_aws_service" Text,
    PktDstAwsService "pkt_dst_aws_service" Text,
    FlowDirection "flow_direction" Text,
    TrafficPath "traffic_path" Int32,
    EcsClusterArn "ecs_cluster_arn" Text,
    EcsClusterName "ecs_cluster_name" Text,
    EcsContainerInstanceArn "ecs_container_instance_arn" Text,
    EcsContainerInstanceId "ecs_container_instance_id" Text,
    EcsContainerId "ecs_container_id" Text,
    EcsSecondContainerId "ecs_second_container_id" Text,
    EcsServiceName "ecs_service_name" Text,
    EcsTaskDefinitionArn "ecs_task_definition_arn" Text,
    EcsTaskArn "ecs_task_arn" Text,
    EcsTaskId "ecs_task_id" Text,
    RejectReason "reject_reason" Text,
    ResourceId "resource_id" Text,
    EncryptionStatus "encryption_status" Text,
    InstanceTag "instance_tag" Text,
    InstanceTag2 "instance_tag_2" Text,
    InterfaceTag "interface_tag" Text,
    InterfaceTag2 "interface_tag_2" Text,
    AsgTag "asg_tag" Text,
    AsgTag2 "asg_tag_2" Text,
    InterfaceType "interface_type" Text,
    NextHopInterfaceId "next_hop_interface_id" Text,
    NextHopSubnetId "next_hop_subnet_id" Text,
    NextHopAzId "next_hop_az_id" Text,
    NextHopVpcId "next_hop_vpc_id" Text,
    NextHopInterfaceType "next_hop_interface_type" Text,
    ResourceType "resource_type" Text,
    TgwId "tgw_id" Text,
    TgwAttachmentId "tgw_attachment_id" Text,
    TgwSrcVpcAccountId "tgw_src_vpc_account_id" Text,
    TgwDstVpcAccountId "tgw_dst_vpc_account_id" Text,
    TgwSrcVpcId "tgw_src_vpc_id" Text,
    TgwDstVpcId "tgw_dst_vpc_id" Text,
    TgwSrcSubnetId "tgw_src_subnet_id" Text,
    TgwDstSubnetId "tgw_dst_subnet_id" Text,
    TgwSrcEni "tgw_src_eni" Text,
    TgwDstEni "tgw_dst_eni" Text,
    TgwSrcAzId "tgw_src_az_id" Text,
    TgwDstAzId "tgw_dst_az_id" Text,
    TgwPairAttachmentId "tgw_pair_attachment_id" Text,
    PacketsLostNoRoute "packets_lost_no_route" Int64,
    PacketsLostBlackhole "packets_lost_blackhole" Int64,
    PacketsLostMtuExceeded "packets_lost_mtu_exceeded" Int64,
    PacketsLostTtlExpired "packets_lost_ttl_expired" Int64,
}

/// Longest name without underscores. Unit: bytes.
const NAME_BYTES_MAX: usize = 32;

impl Field {
    /// The field of this name; hyphens, underscores and case do not matter.
    pub fn of(name: &[u8]) -> Option<Self> {
        let letters = |text: &mut dyn Iterator<Item = u8>| {
            let mut short = [0; NAME_BYTES_MAX];
            for (n, byte) in text.filter(|b| !matches!(b, b'-' | b'_')).enumerate() {
                *short.get_mut(n)? = byte.to_ascii_lowercase();
            }
            Some(short)
        };
        let wanted = letters(&mut name.iter().copied())?;
        Self::ALL.into_iter().find(|field| {
            let own = field.name().as_bytes();
            own.first() == wanted.first() && letters(&mut own.iter().copied()) == Some(wanted)
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The columns of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    schema: SchemaRef,
    /// The fields, ascending; column `i` is `fields[i]`.
    fields: Vec<Field>,
    /// Column of each field.
    column: [Option<u8>; Field::ALL.len()],
}

impl Layout {
    /// A layout with these columns; order and repetition do not matter.
    pub(crate) fn of(fields: impl IntoIterator<Item = Field>) -> Self {
        let mut fields: Vec<Field> = fields.into_iter().collect();
        fields.sort_unstable();
        fields.dedup();
        let schema = Schema::new(
            fields
                .iter()
                .map(|field| arrow_schema::Field::new(field.name(), field.kind().data_type(), true))
                .collect::<Vec<_>>(),
        );
        let mut column = [None; Field::ALL.len()];
        for (i, field) in (0..).zip(&fields) {
            if let Some(slot) = column.get_mut(*field as usize) {
                *slot = Some(i);
            }
        }
        Self { schema: Arc::new(schema), fields, column }
    }

    /// The fields, in column order.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The Arrow schema.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

/// Flow records in columns.
#[derive(Debug, Clone)]
pub struct FlowBatch {
    layout: Arc<Layout>,
    #[expect(clippy::rc_buffer, reason = "the reader takes the space back")]
    columns: Arc<Vec<Data>>,
    rows: usize,
    is_whole: bool,
}

impl FlowBatch {
    /// Columns in the order of `layout`; `None` without any, and if they are not of one length.
    #[expect(clippy::rc_buffer, reason = "the reader takes the space back")]
    pub(crate) fn new(
        layout: Arc<Layout>,
        columns: Arc<Vec<Data>>,
        is_whole: bool,
    ) -> Option<Self> {
        let rows = columns.first()?.len();
        let fit = columns.iter().all(|column| column.len() == rows);
        fit.then_some(Self { layout, columns, rows, is_whole })
    }

    /// Whether the batch is known to have all records of its object.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The same as an Arrow batch, which is made anew.
    pub fn records(&self) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.iter().map(Data::array).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.layout.schema), arrays)
    }

    /// Which columns there are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How many records it has, those without data included.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn column(&self, field: Field) -> Option<&Data> {
        let column = *self.layout.column.get(field as usize)?;
        self.columns.get(usize::from(column?))
    }

    /// A column of kind [`Kind::Int32`], where the format has it.
    pub fn int32(&self, field: Field) -> Option<Numbers<'_, i32>> {
        if let Data::Int32(values) = self.column(field)? { Some(Numbers(values)) } else { None }
    }

    /// A column of kind [`Kind::Int64`], where the format has it.
    pub fn int64(&self, field: Field) -> Option<Numbers<'_, i64>> {
        if let Data::Int64(values) = self.column(field)? { Some(Numbers(values)) } else { None }
    }

    /// A column of kind [`Kind::Address`], where the format has it.
    pub fn addresses(&self, field: Field) -> Option<Addresses<'_>> {
        if let Data::Address(values) = self.column(field)? { Some(Numbers(values)) } else { None }
    }

    /// A column of kind [`Kind::Text`], where the format has it.
    pub fn texts(&self, field: Field) -> Option<Texts<'_>> {
        if let Data::Text(words) = self.column(field)? { Some(Texts(words)) } else { None }
    }

    /// The values of row `i`, in column order; nothing past the end.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        let fields = if i < self.rows() { self.layout.fields() } else { &[] };
        fields.iter().map(move |field| (field.name(), self.value(*field, i)))
    }

    /// One value; null too where the format lacks the field.
    pub fn value(&self, field: Field, i: usize) -> Value<'_> {
        let value = self.column(field).and_then(|column| match column {
            Data::Int32(values) => values.get(i).map(|number| Value::Integer(i64::from(number))),
            Data::Int64(values) => values.get(i).map(Value::Integer),
            Data::Address(values) => {
                values.get(i).map(|address| Value::Text(Cow::Owned(ip(address).to_string())))
            }
            Data::Text(words) => Texts(words).get(i).map(|text| Value::Text(Cow::Borrowed(text))),
        });
        value.unwrap_or(Value::Null)
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// AWS wrote `-`.
    Null,
    /// A number.
    Integer(i64),
    /// A word, or an address as `std::net` prints it.
    Text(Cow<'a, str>),
}

/// The address as people write it: mapped IPv4 comes back as IPv4.
pub fn ip(address: u128) -> IpAddr {
    Ipv6Addr::from(address).to_canonical()
}

/// The number of an address; see [`Addresses`].
pub fn address(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
