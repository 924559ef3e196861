#!/usr/bin/env python3
"""Writes the samples beside it by pyarrow (24 or later): what others make of the same four records."""
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
NAMES = ("version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
         "log_status").split()
ROWS = [
    (2, "111122223333", "eni-0a1", "10.0.0.4", "192.0.2.9", 41001, 443, 6, 10, 840, 1767607200, 1767607260, "ACCEPT", "OK"),
    (2, "111122223333", "eni-0a1", "192.0.2.9", "10.0.0.4", 443, 41001, 6, 12, 9000, 1767607200, 1767607260, "ACCEPT", "OK"),
    (2, "111122223333", "eni-0a2", None, None, None, None, None, None, None, 1767607200, 1767607260, None, "NODATA"),
    (2, "111122223333", "eni-0a2", "2001:db8::1", "2001:db8::2", 51000, 22, 6, 1, 40, 1767607201, 1767607259, "REJECT", "OK"),
]
TEXT, LARGE, WORDS = pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())
INT, LONG, MS = pa.int32(), pa.int64(), pa.timestamp("ms")
AWS = [INT, TEXT, TEXT, TEXT, TEXT, INT, INT, INT, LONG, LONG, LONG, LONG, TEXT, TEXT]


def table(types, names=NAMES, change=None):
    change = change or {}
    columns = []
    for name, values, kind in zip(NAMES, zip(*ROWS), types):
        of = change.get(name, lambda value: value)
        columns.append(pa.array([None if value is None else of(value) for value in values], type=kind))
    return pa.table(columns, names=list(names))


def write(name, what, **more):
    pq.write_table(what, HERE / f"{name}.parquet", store_schema=False, write_statistics=False, **more)


def encoded(words):
    kinds = zip(NAMES, AWS)
    encoding = {name: words if kind == TEXT else "DELTA_BINARY_PACKED" for name, kind in kinds}
    return dict(compression="gzip", use_dictionary=False, column_encoding=encoding)


def security_lake():
    """As docs.aws.amazon.com/security-lake and the mapping in github.com/ocsf/examples have it, shortened."""
    def end(row, address, is_own):
        own = (row[2], "vpc-0a1") if is_own else (None, None)
        return dict(ip=row[address], port=row[address + 2], interface_uid=own[0], vpc_uid=own[1])

    records = []
    for n, row in enumerate(ROWS):
        is_out = n == 0
        direction = "Unknown" if row[13] == "NODATA" else "Outbound" if is_out else "Inbound"
        records.append(dict(
            metadata=dict(product=dict(version="5", name="Amazon VPC"), version="1.1.0"), class_uid=4001,
            time=row[10] * 1000, start_time_dt=row[10] * 1000, end_time_dt=row[11] * 1000,
            cloud=dict(account=dict(uid=row[1]), region="eu-west-1", provider="AWS"),
            src_endpoint=end(row, 3, is_out), dst_endpoint=end(row, 4, not is_out),
            connection_info=dict(protocol_num=row[7], direction=direction),
            traffic=dict(packets=row[8], bytes=row[9]), severity="Informational", status_code=row[13],
            action={"ACCEPT": "Allowed", "REJECT": "Denied", None: None}[row[12]]))
    struct, of_end = pa.struct, pa.struct([("ip", TEXT), ("port", INT), ("interface_uid", TEXT), ("vpc_uid", TEXT)])
    return pa.Table.from_pylist(records, schema=pa.schema([
        ("metadata", struct([("product", struct([("version", TEXT), ("name", TEXT)])), ("version", TEXT)])),
        ("time", LONG), ("start_time_dt", MS), ("end_time_dt", MS),
        ("cloud", struct([("account", struct([("uid", TEXT)])), ("region", TEXT), ("provider", TEXT)])),
        ("src_endpoint", of_end), ("dst_endpoint", of_end),
        ("connection_info", struct([("protocol_num", INT), ("direction", TEXT)])),
        ("traffic", struct([("packets", LONG), ("bytes", LONG)])),
        ("class_uid", INT), ("severity", TEXT), ("status_code", TEXT), ("action", TEXT)]))


write("gzip", table(AWS), compression="gzip")
write("none", table(AWS), compression="none", use_dictionary=False, write_page_checksum=True)
write("snappy-v2", table(AWS, [name.replace("_", "-").upper() for name in NAMES]), compression="snappy",
      data_page_version="2.0", use_dictionary=False)
wide = [LONG, LARGE, WORDS, WORDS, LARGE, LONG, pa.float64(), pa.uint16(), pa.uint64(), LONG, MS, pa.timestamp("us"), WORDS, LARGE]
write("zstd", table(wide, change={"start": lambda s: s * 1000, "end": lambda s: s * 1000000}), compression="zstd",
      data_page_version="2.0")
write("delta", table(AWS), **encoded("DELTA_LENGTH_BYTE_ARRAY"))
write("delta-prefix", table(AWS), **encoded("DELTA_BYTE_ARRAY"))
write("words", table([TEXT] * 14, change={name: str for name in NAMES}), compression="gzip", row_group_size=2)
write("bad", pa.table({
    "interface_id": [f"eni-{n}" for n in range(1, 6)],
    "srcaddr": ["10.0.0.1", "10.0.0.x", "10.0.0.3", "10.0.0.4", None],
    "srcport": pa.array([1, 2, -3, 4, 5], LONG), "bytes": pa.array([1, 2, 3, -1, 5], LONG),
    "extra": ["a b"] * 5, "nested": [{"one": 1}] * 5}), compression="gzip")
write("other", pa.table({"a": [1], "srcaddr": ["10.0.0.1"]}))
write("kinds", pa.table({"interface_id": ["eni-1"], "srcport": [True]}))
write("ocsf-flow", security_lake(), compression="zstd")
