#!/usr/bin/env python3
"""How soon a daemon speaks again whose machine is gone, and what its snapshots cost.

    benches/replaced.py [--identities 1000000] [--lease 20s] [--keep FOLDER]

Builds nothing: `cargo build --release --bin sentrail` does, and `make servers` installs the server that stands for S3. Makes a
state of that many identities (the archive of `identities.py` but for its last day), has a daemon keep two snapshots of it with
an hour of logs in between, kills it, deletes the state, and starts another: tells what was sent, and the seconds until the lease was
ours, the state was there, and `/readyz` said ready.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import identities

sys.path.insert(0, str(identities.ROOT / "tests"))
import kills

LAST_DAY = "2025/03/14"
OBJECTS_AN_HOUR = 12


class Daemon:
    """One that runs, and what it says, with when it said it."""

    def __init__(self, asked, server, *more):
        self.begun = time.monotonic()
        environment = {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": "us-east-1"}
        environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        command = [identities.SENTRAIL, "run", "--folder", asked.keep / "logs", "--state", asked.keep / "s.db"]
        command += ["--snapshots", "s3://state/a", "--lease", asked.lease, "--listen", "127.0.0.1:0", *more]
        self.process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def says(self, event):
        """Waits for it; what was said, and after how many seconds."""
        for line in self.process.stderr:
            if f'"event":"{event}"' in line:
                return json.loads(line), time.monotonic() - self.begun
        raise SystemExit(f"it ended before it said {event}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def ready_s(daemon, address):
    """Seconds until it is ready."""
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}/readyz") as answer:
                if answer.status == 200:
                    return time.monotonic() - daemon.begun
        except urllib.error.HTTPError:
            time.sleep(0.05)


def prepared(asked):
    """A state of all but the last day, and the objects of that day."""
    logs, rest, state = asked.keep / "logs", asked.keep / "rest", asked.keep / "big.db"
    if not state.exists():
        identities.archive(logs, asked.identities, asked.identities)
        for day in logs.glob(f"AWSLogs/*/CloudTrail/*/{LAST_DAY}"):
            shutil.move(day, rest / day.relative_to(logs))
        subprocess.run([identities.SENTRAIL, "replay", "--quiet", "--state", state, logs], check=True)
    return logs, rest, state


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--identities", type=int, default=1_000_000)
    asked.add_argument("--lease", default="20s")
    asked.add_argument("--keep", type=pathlib.Path, default=identities.ROOT / "target/identities")
    asked = asked.parse_args()
    logs, rest, state = prepared(asked)
    for old in asked.keep.glob("s.db*"):
        old.unlink()
    shutil.copy(state, asked.keep / "s.db")
    print(f"{asked.identities} identities, a state of {state.stat().st_size / 1e6:.0f} MB")
    objects = sorted(path for path in rest.rglob("*.gz"))
    with kills.Server() as server:
        server.put("/state", b"")
        daemon = Daemon(asked, server, "--snapshot-every", "10s")
        for hour in range(3):
            for path in objects[hour * OBJECTS_AN_HOUR : (hour + 1) * OBJECTS_AN_HOUR]:
                to = logs / path.relative_to(rest)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, to)
                os.utime(to, (0, 0))
            said, _ = daemon.says("snapshot-kept")
            fields = ["pieces_sent", "bytes_sent", "state_bytes", "seconds"]
            print("snapshot: " + ", ".join(f"{field} {said[field]}" for field in fields), flush=True)
        daemon.kill()
        for own in asked.keep.glob("s.db*"):
            own.unlink()
        daemon = Daemon(asked, server)
        said, _ = daemon.says("listening")
        _, held_s = daemon.says("lease-held")
        _, restored_s = daemon.says("snapshot-restored")
        _, started_s = daemon.says("started")
        print(
            f"killed and deleted: lease after {held_s:.1f} s, restored after {restored_s:.1f} s, "
            f"started after {started_s:.1f} s, ready after {ready_s(daemon, said['address']):.1f} s"
        )
        daemon.kill()
    for path in (logs / path.relative_to(rest) for path in objects):
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
