#!/usr/bin/env python3
"""Whether a daemon keeps to its `memory` while it is under load and nobody takes its findings.

    benches/bounded.py [--memory "512 MiB"] [--identities 200000] [--keep FOLDER]

Builds nothing: `cargo build --release --bin sentrail` does. Has `run --folder` read the archive of `identities.py` with that many
identities, with two webhooks of which one refuses and the other never answers. Tells the highest resident memory, beside `memory`, and what waits to be told. Ends with 1 if the daemon did, or if it took
more than a tenth above `memory`.
"""
import argparse
import pathlib
import re
import socket
import subprocess
import sys
import time

import identities
import long_run

UNITS = {"MiB": 1 << 20, "GiB": 1 << 30}
# As long as sinks are told, in vain.
WAITS_S = 20


def peak_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--memory", default="512 MiB")
    asked.add_argument("--identities", type=int, default=200_000)
    asked.add_argument("--keep", type=pathlib.Path, default=identities.ROOT / "target/bounded")
    asked = asked.parse_args()
    number, unit = asked.memory.split()
    memory_mb = int(number) * UNITS[unit] / 1e6
    logs = asked.keep / "logs"
    if not (logs / "records").exists():
        n = identities.archive(logs, asked.identities, 2 * asked.identities)
        (logs / "records").write_text(str(n))
    n_expected = int((logs / "records").read_text())
    for old in asked.keep.glob("state.db*"):
        old.unlink()
    hangs = socket.create_server(("127.0.0.1", 0), backlog=128)
    webhooks = [("refuses", long_run.free_port()), ("hangs", hangs.getsockname()[1])]
    config = asked.keep / "sentrail.toml"
    sinks = (
        f'[sinks.{name}]\ntype = "webhook"\nurl = "http://127.0.0.1:{port}/"\nallow = ["127.0.0.1"]\n'
        for name, port in webhooks
    )
    config.write_text(f'memory = "{asked.memory}"\n' + "".join(sinks))
    port = long_run.free_port()
    command = [identities.SENTRAIL, "run", "--config", config, "--folder", logs, "--state", asked.keep / "state.db"]
    begun = time.monotonic()
    log = open(asked.keep / "log", "w")
    daemon = subprocess.Popen([*command, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=log)
    last, done = {}, None
    while daemon.poll() is None and (done is None or time.monotonic() - done < WAITS_S):
        time.sleep(1)
        last = long_run.metrics(port) or last
        if done is None and last.get("sentrail_records_total", 0) >= n_expected:
            done = time.monotonic()
    if daemon.poll() is not None:
        raise SystemExit(f"it ended with {daemon.returncode}: {(asked.keep / 'log').read_text()[-2000:]}")
    peak, cpu = peak_mb(daemon.pid), long_run.cpu_s(daemon.pid)
    daemon.terminate()
    daemon.wait()
    waiting = {name: value for name, value in last.items() if "spool" in name}
    print(
        f"memory {asked.memory} = {memory_mb:.0f} MB: highest resident {peak:.0f} MB ({peak / memory_mb:.2f});"
        f" {n_expected} records in {done - begun:.0f} s and {cpu:.0f} s of CPU, {last.get('sentrail_identities_tracked', 0):.0f} identities,"
        f" {last.get('sentrail_identities_away', 0):.0f} of them on disk, profiles"
        f" {last.get('sentrail_baseline_memory_bytes', 0) / 1e6:.0f} MB, waiting {waiting}"
    )
    if peak > 1.1 * memory_mb:
        sys.exit(1)


if __name__ == "__main__":
    main()
