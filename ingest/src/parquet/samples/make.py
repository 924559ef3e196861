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


def cloudtrail():
    """Records of CloudTrail as Security Lake has them, shortened; the last is of another product."""
    calls = [
        dict(name="IAMUser", operation="GetObject", service="s3.amazonaws.com", ip="192.0.2.9",
             request='{"bucketName":"logs","key":"a.csv"}', unmapped={
                 "readOnly": "true", "managementEvent": "false", "additionalEventData.bytesTransferredOut": "4096",
                 "sharedEventID": "", "userIdentity.sessionContext.sessionIssuer.type": "Role"}),
        dict(name="AssumedRole", operation="DeleteTrail", service="cloudtrail.amazonaws.com", ip="2001:db8::7",
             request='{"name":"main"}', error="AccessDenied", unmapped={
                 "recipientAccountId": "111122223333", "tlsDetails": '{"tlsVersion":"TLSv1.3"}'}),
        dict(name="IAMUser", operation="ConsoleLogin", service="signin.amazonaws.com", ip="192.0.2.9", request=None,
             code="AwsConsoleSignIn", unmapped={"additionalEventData.MobileVersion": "No"}),
        dict(name="AWSService", operation="GenerateDataKey", service="kms.amazonaws.com", domain="s3.amazonaws.com",
             request="no JSON", unmapped={}),
        dict(name="user", operation="get", service="pods", ip="10.0.0.1", request=None, product="Amazon EKS",
             unmapped={}),
    ]
    records = []
    for n, call in enumerate(calls):
        is_sign_in = call["operation"] == "ConsoleLogin"
        records.append(dict(
            metadata=dict(product=dict(version="1.08", name=call.get("product", "CloudTrail"),
                                       feature=dict(name="Management")),
                          event_code=call.get("code", "AwsApiCall"), uid=f"e-{n}", version="1.1.0"),
            time=1767607200123 + n * 1000, time_dt=1767607200123 + n * 1000,
            cloud=dict(region="eu-west-1", provider="AWS", account=dict(uid="111122223333")),
            api=dict(operation=call["operation"], service=dict(name=call["service"]),
                     request=dict(uid=f"r-{n}", data=call["request"]),
                     response=dict(error=call.get("error", ""), message=None, data="")),
            actor=dict(user=dict(type=call["name"], uid=f"arn:aws:iam::111122223333:user/u{n}", uid_alt="AIDA:u",
                                 name="", credential_uid="ASIAEXAMPLE", account=dict(uid="111122223333")),
                       session=dict(created_time_dt=1767600000000, is_mfa=n == 0,
                                    issuer="arn:aws:iam::111122223333:role/r") if n < 2 else None,
                       invoked_by=None),
            http_request=dict(user_agent="aws-cli/2.15"),
            src_endpoint=dict(uid="", ip=call.get("ip"), domain=call.get("domain", "")),
            resources=[dict(uid="arn:aws:s3:::logs", type="AWS::S3::Bucket", owner=dict(
                account=dict(uid="111122223333")))] if n == 0 else [],
            class_uid=3002 if is_sign_in else 6003, status="Failure" if is_sign_in else "Success",
            is_mfa=False if is_sign_in else None, unmapped=list(call["unmapped"].items())))
    struct, of_account = pa.struct, pa.struct([("uid", TEXT)])
    user = struct([(name, TEXT) for name in ("type", "uid", "uid_alt", "name", "credential_uid")] + [
        ("account", of_account)])
    return pa.Table.from_pylist(records, schema=pa.schema([
        ("metadata", struct([("product", struct([("version", TEXT), ("name", TEXT), ("feature", struct([("name", TEXT)]))])),
                             ("event_code", TEXT), ("uid", TEXT), ("version", TEXT)])),
        ("time", LONG), ("time_dt", MS),
        ("cloud", struct([("region", TEXT), ("provider", TEXT), ("account", of_account)])),
        ("api", struct([("operation", TEXT), ("service", struct([("name", TEXT)])),
                        ("request", struct([("uid", TEXT), ("data", TEXT)])),
                        ("response", struct([("error", TEXT), ("message", TEXT), ("data", TEXT)]))])),
        ("actor", struct([("user", user), ("session", struct([("created_time_dt", MS), ("is_mfa", pa.bool_()),
                                                              ("issuer", TEXT)])), ("invoked_by", TEXT)])),
        ("http_request", struct([("user_agent", TEXT)])),
        ("src_endpoint", struct([("uid", TEXT), ("ip", TEXT), ("domain", TEXT)])),
        ("resources", pa.list_(struct([("uid", TEXT), ("type", TEXT), ("owner", struct([("account", of_account)]))]))),
        ("class_uid", INT), ("status", TEXT), ("is_mfa", pa.bool_()), ("unmapped", pa.map_(TEXT, TEXT))]))


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
write("ocsf-cloudtrail", cloudtrail(), compression="zstd")
write("ocsf-cloudtrail-v2", cloudtrail(), compression="snappy", data_page_version="2.0", use_dictionary=False,
      row_group_size=2)
