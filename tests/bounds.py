#!/usr/bin/env python3
"""What `sentrail` makes of a gzip bomb, of one very large object and of very many small ones: whether it reads them,
and how much memory it takes at most. For Linux.

    tests/bounds.py --binary target/release/sentrail --bomb-mb 10000 --object-mb 7000 --objects 1000000
"""

import argparse
import gzip
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PATIENCE_S = 3600
# What a bomb may cost. Unit: 1,000,000 bytes.
BOMB_MEMORY_MB_MAX = 128
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02"
RECORD = (
    '{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE:{who}","arn":'
    '"arn:aws:sts::111122223333:assumed-role/service-{who}/{who}","accountId":"111122223333"}},"eventTime":'
    '"2026-03-02T{hour:02}:{minute:02}:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"PutObject",'
    '"awsRegion":"us-east-1","sourceIPAddress":"198.51.100.{who}","userAgent":"aws-sdk-java/2.20.1","requestParameters"'
    ':{{"bucketName":"ledger-{who}","key":"data/part-{n}","note":"{note}"}},"requestID":"{n:032x}",'
    '"eventID":"{n:08x}-0000-4000-8000-000000000000","readOnly":false,"eventType":"AwsApiCall","managementEvent":false,'
    '"recipientAccountId":"111122223333"}}'
)


def record(n, note=""):
    """One call by one of a hundred roles."""
    at = n % 86_400
    return RECORD.format(n=n, who=n % 100, hour=at // 3600, minute=at // 60 % 60, second=at % 60, note=note)


def name(n, minute=0):
    """As AWS names an object, written at this minute of the day."""
    stamp = f"20260302T{minute // 60:02}{minute % 60:02}Z"
    return f"111122223333_CloudTrail_us-east-1_{stamp}_{n:016d}.json.gz"


def deliver(path, chunks):
    """Writes a file and then names it, with times of long ago: so it counts as whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.part", "wb") as file:
        file.writelines(chunks)
    os.utime(f"{path}.part", (0, 0))
    os.rename(f"{path}.part", path)


def bomb(megabytes):
    """A gzip member of a thousandth of what it inflates to: blocks that say the same."""
    block_mb = 10
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflate.compress(b" " * (block_mb * 1_000_000)) + deflate.flush(zlib.Z_FULL_FLUSH)
    yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    for _ in range(megabytes // block_mb):
        yield block
    # Nobody comes so far as to look at its checksum and length.
    yield zlib.compressobj(9, zlib.DEFLATED, -15).flush() + bytes(8)


def large(megabytes, note_bytes):
    """A log file that inflates to so much."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
    note = "x" * note_bytes
    yield deflate.compress(b'{"Records":[')
    n, inflated_bytes = 0, 0
    while inflated_bytes < megabytes * 1_000_000:
        records = ",".join(record(n, note) for n in range(n, n + 1_000)).encode()
        yield deflate.compress(records if n == 0 else b"," + records)
        n, inflated_bytes = n + 1_000, inflated_bytes + len(records)
    yield deflate.compress(b"]}") + deflate.flush()


class Program:
    """The program at work."""

    def __init__(self, *command):
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, **pipes)
        self.watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        self.watchdog.start()
        self.said = []

    def says(self, what):
        """Waits until it says so."""
        for line in self.process.stderr:
            self.said.append(line)
            if what in line:
                return
        sys.exit(f"waits in vain for {what}: {''.join(self.said)}")

    def peak_mb(self):
        """The most memory that it had. Unit: 1,000,000 bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1_024 / 1e6

    def ends(self):
        """Waits for its end; what it said, and the most memory that it had."""
        self.said.extend(self.process.stderr)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.watchdog.cancel()
        if status != 0:
            sys.exit(f"it ended with {status}: {''.join(self.said)}")
        return "".join(self.said), usage.ru_maxrss * 1_024 / 1e6

    def stop(self):
        """Asks it to end; as above."""
        self.process.send_signal(signal.SIGTERM)
        return self.ends()


def read(binary, folder, n_objects):
    """Has `run` and `replay` read a folder; what each of them took, in words."""
    begun = time.monotonic()
    daemon = Program(binary, "run", "--folder", folder, "--state", os.path.join(folder, "..", "s.db"))
    daemon.says(f'"objects":{n_objects},')
    run_s = time.monotonic() - begun
    said, run_mb = daemon.stop()
    begun = time.monotonic()
    told, replay_mb = Program(binary, "replay", folder).ends()
    replay_s = time.monotonic() - begun
    n_records = [re.search(r"^records +(\d+) of", text, re.MULTILINE)[1] for text in (said, told)]
    if n_records[0] != n_records[1]:
        sys.exit(f"run and replay read {n_records} records")
    return (
        f"{n_records[0]} records; run took {run_mb:.0f} MB of memory and {run_s:.0f} s, replay {replay_mb:.0f} MB and "
        f"{replay_s:.0f} s"
    )


def read_bomb(binary, folder, megabytes):
    """A bomb that comes while the daemon runs."""
    logs = os.path.join(folder, "logs")
    for n in range(20):
        records = ",".join(record(n) for n in range(n * 50, n * 50 + 50))
        deliver(os.path.join(logs, FOLDER, name(n)), [gzip.compress(f'{{"Records":[{records}]}}'.encode())])
    daemon = Program(binary, "run", "--folder", logs, "--state", os.path.join(folder, "s.db"))
    daemon.says('"event":"caught-up"')
    before_mb = daemon.peak_mb()
    path = os.path.join(logs, FOLDER, name(99, 1))
    deliver(path, bomb(megabytes))
    daemon.says('"event":"object-unread"')
    if "expected a log, this looks like a bomb" not in daemon.said[-1]:
        sys.exit(f"the bomb is refused for another reason: {daemon.said[-1]}")
    more_mb = daemon.peak_mb() - before_mb
    said, _ = daemon.stop()
    if "20 read, 1 could not be read" not in said:
        sys.exit(f"the bomb cost others: {said}")
    if more_mb > BOMB_MEMORY_MB_MAX:
        sys.exit(f"the bomb took {more_mb:.0f} MB of memory (expected {BOMB_MEMORY_MB_MAX} at most)")
    return f"a bomb of {os.path.getsize(path) / 1e6:.1f} MB that inflates to {megabytes} MB: refused, " \
           f"for {more_mb:.0f} MB of memory"


def read_large(binary, folder, megabytes, note_bytes):
    """One very large object."""
    logs = os.path.join(folder, "logs")
    path = os.path.join(logs, FOLDER, name(1))
    deliver(path, large(megabytes, note_bytes))
    return f"an object of {os.path.getsize(path) / 1e6:.0f} MB that inflates to {megabytes} MB: " \
           + read(binary, logs, 1)


def read_many(binary, folder, n_objects):
    """Very many small objects."""
    logs = os.path.join(folder, "logs")
    for n in range(n_objects):
        place = os.path.join(logs, FOLDER.replace("us-east-1", f"us-east-{n % 50}"))
        content = gzip.compress(f'{{"Records":[{record(n)}]}}'.encode(), 1)
        deliver(os.path.join(place, name(n, n * 1_440 // n_objects)), [content])
    return f"{n_objects} objects of one record: {read(binary, logs, n_objects)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--bomb-mb", type=int, default=0)
    parser.add_argument("--object-mb", type=int, default=0)
    parser.add_argument("--note-bytes", type=int, default=0, help="by which each record of the object is longer")
    parser.add_argument("--objects", type=int, default=0)
    asked = parser.parse_args()
    for size, what in (
        (asked.bomb_mb, lambda folder: read_bomb(asked.binary, folder, asked.bomb_mb)),
        (asked.object_mb, lambda folder: read_large(asked.binary, folder, asked.object_mb, asked.note_bytes)),
        (asked.objects, lambda folder: read_many(asked.binary, folder, asked.objects)),
    ):
        if size:
            with tempfile.TemporaryDirectory() as folder:
                print(what(folder), flush=True)


if __name__ == "__main__":
    main()
