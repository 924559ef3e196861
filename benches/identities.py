#!/usr/bin/env python3
"""What many identities cost: memory, throughput, and what is found of those who were known.

    benches/identities.py [--identities 10000000] [--memory "2 GiB"] [--keep FOLDER] [--binary FILE]

Builds nothing: `cargo build --release --bin sentrail` does. Writes an archive of CloudTrail in which every
identity of many appears once or twice within four days, among a few hundred that are there every day, and one
of these does what is found. Reads it with that many identities and with ten thousand, as `replay` and as
`replay --state`, and tells records a second and peak memory; up to a million identities also without a bound,
where the same has to be found.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import subprocess
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SENTRAIL = ROOT / "target/release/sentrail"
ACCOUNT = "111122223333"
FEW = 300
DAYS = 14
# More are read with a bound only. Unit: identities.
UNBOUNDED_MAX = 1_000_000
# Days on which the many come.
CROWDED = range(9, 13)
SLOTS = 288
START = datetime.datetime(2025, 3, 1, tzinfo=datetime.timezone.utc)

RECORD = (
    '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDA%s","arn":"arn:aws:iam::'
    + ACCOUNT
    + ':user/%s","accountId":"'
    + ACCOUNT
    + '","accessKeyId":"AKIA%s","userName":"%s"},"eventTime":"%s","eventSource":"%s","eventName":"%s",'
    '"awsRegion":"us-east-1","sourceIPAddress":"%s","userAgent":"aws-cli/2.15.30","requestParameters":%s,'
    '"responseElements":null,"requestID":"%s","eventID":"%s","readOnly":%s,"eventType":"AwsApiCall",'
    '"managementEvent":true,"recipientAccountId":"'
    + ACCOUNT
    + '","eventCategory":"Management"}'
)


def record(user, time_s, number, call, address, parameters="null"):
    source, name = call.split(":")
    when = datetime.datetime.fromtimestamp(time_s, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = f"{zlib.crc32(user.encode()):016X}"
    id = f"{number:08x}-{time_s & 0xffff:04x}-4000-8000-{time_s:012x}"
    reads = "false" if name in ("PutObject", "CreateAccessKey") else "true"
    return RECORD % (key, user, key, user, when, f"{source}.amazonaws.com", name, address, parameters, id, id, reads)


def few(slot, begun):
    """Those who are there every day: each in some slots, always the same calls."""
    for n in range(FEW):
        if (slot + n) % 24 == 0:
            for call in ("ec2:DescribeInstances", "s3:ListBuckets", "sts:GetCallerIdentity"):
                yield record(f"known-{n}", begun + n % 299, zlib.crc32(f"{slot} {n} {call}".encode()), call, f"81.2.69.{n % 250}")


def ransom(begun):
    """One of them writes objects anew under a key of another account's."""
    for n in range(400):
        header = "x-amz-server-side-encryption-customer-algorithm"
        what = '{"bucketName":"ledger","key":"%d","%s":"AES256"}' % (n, header)
        yield record("known-7", begun + n % 299, 0x70000000 + n, "s3:PutObject", "81.2.69.7", what)


def write(job):
    folder, day, slot, n_identities, n_records = job
    begun = int((START + datetime.timedelta(days=day, minutes=5 * slot)).timestamp())
    records = list(few(day * SLOTS + slot, begun))
    if day == CROWDED[-1] and slot == 150:
        records.extend(ransom(begun))
    if day in CROWDED:
        files = len(CROWDED) * SLOTS
        number = (day - CROWDED[0]) * SLOTS + slot
        per_file = n_records // files
        for n in range(number * per_file, (number + 1) * per_file):
            who = n * 2_654_435_761 % n_identities
            address = f"{20 + who % 3}.{who >> 16 & 255}.{who >> 8 & 255}.{who & 255}"
            records.append(record(f"one-{who}", begun + n % 299, n & 0x6FFFFFFF, "ec2:DescribeRegions", address))
    stamp = datetime.datetime.fromtimestamp(begun + 300, datetime.timezone.utc)
    name = f"{ACCOUNT}_CloudTrail_us-east-1_{stamp:%Y%m%dT%H%MZ}_{day:08d}{slot:08d}.json.gz"
    path = pathlib.Path(folder, f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{stamp:%Y/%m/%d}", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    text = ('{"Records":[' + ",".join(records) + "]}").encode()
    path.write_bytes(packer.compress(text) + packer.flush())
    return len(records)


def archive(folder, n_identities, n_records):
    jobs = [(folder, day, slot, n_identities, n_records) for day in range(DAYS) for slot in range(SLOTS)]
    with concurrent.futures.ProcessPoolExecutor() as pool:
        return sum(pool.map(write, jobs, chunksize=16))


def run(command):
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {os.waitstatus_to_exitcode(status)}")
    wall = time.monotonic() - begun
    return out, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def found(out):
    return sorted((one["id"], one["severity"]["label"], one["bits"]) for one in map(json.loads, out.splitlines()))


def measured(asked, folder, memory, keeps):
    config = asked.keep / "sentrail.toml"
    config.write_text(f'memory = "{memory}"\n')
    state = asked.keep / "state.db"
    for old in asked.keep.glob("state.db*"):
        old.unlink()
    command = [asked.binary, "replay", "--config", config, "--format", "jsonl", *(["--state", state] if keeps else []), folder]
    out, wall, cpu, peak = run(command)
    n_records = int((folder / "records").read_text())
    size = sum(path.stat().st_size for path in asked.keep.glob("state.db*")) / 1e6
    print(
        f"{'replay --state' if keeps else 'replay':15} memory {memory:8} {folder.name:>9} identities:"
        f" {n_records / wall:9.0f} records/s, CPU {cpu:7.1f} s, peak {peak:6.0f} MB, state {size:6.0f} MB,"
        f" {len(found(out))} findings",
        flush=True,
    )
    return n_records / wall, found(out)


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--identities", type=int, default=10_000_000, help="at least one for each of their objects")
    asked.add_argument("--memory", default="2 GiB")
    asked.add_argument("--keep", type=pathlib.Path, default=ROOT / "target/identities", help="where all is written, and stays")
    asked.add_argument("--binary", type=pathlib.Path, default=SENTRAIL)
    asked = asked.parse_args()
    n_objects = len(CROWDED) * SLOTS
    if asked.identities < n_objects:
        raise SystemExit(f"--identities {asked.identities} (expected at least {n_objects}: one for each object)")
    rates = {}
    for n_identities in (10_000, asked.identities):
        folder = asked.keep / f"{n_identities}"
        if not (folder / "records").exists():
            n = archive(folder, n_identities, asked.identities)
            (folder / "records").write_text(str(n))
        for keeps in (False, True):
            rates[keeps, n_identities], bounded = measured(asked, folder, asked.memory, keeps)
            if n_identities <= UNBOUNDED_MAX:
                _, unbounded = measured(asked, folder, "1 TiB", keeps)
                if not bounded or bounded != unbounded:
                    raise SystemExit(f"{len(bounded)} findings with a bound, {len(unbounded)} others without one")
    for keeps in (False, True):
        ratio = rates[keeps, asked.identities] / rates[keeps, 10_000]
        print(f"{'replay --state' if keeps else 'replay'}: {ratio:.2f} of the rate of 10000 identities")


if __name__ == "__main__":
    main()
