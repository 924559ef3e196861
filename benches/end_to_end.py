#!/usr/bin/env python3
"""CPU of a replay as a multiple of the floor, in pairs, on real objects.

    benches/end_to_end.py [--pairs 9] [--threads 1] NAME=PATH...

Builds nothing: `make bench` does. The floor inflates the same objects with libdeflate and does nothing
else. A figure counts only if two replays, with 1 and 2 threads, found the same. Every row is printed and
appended to benches/RESULTS.md.
"""
import argparse
import datetime
import hashlib
import os
import pathlib
import platform
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
SENTRAIL = ROOT / "target/release/sentrail"
FLOOR = ROOT / "target/release/floor"
RESULTS = ROOT / "benches/RESULTS.md"


def measure(command):
    """CPU seconds, peak memory in MiB, standard output."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 3):
        raise SystemExit(f"{' '.join(map(str, command))} ended with {code}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out


def replay(path, threads):
    return [SENTRAIL, "replay", "--quiet", "--format", "jsonl", "--threads", str(threads), path]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=9)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("sets", nargs="+", metavar="NAME=PATH")
    asked = arguments.parse_args()
    listed = subprocess.run([SENTRAIL, "detectors", "list", "--format", "jsonl"], capture_output=True)
    detectors = f"all {len(listed.stdout.splitlines())}"
    version = commit()
    for name, path in (one.split("=", 1) for one in asked.sets):
        if not pathlib.Path(path).exists():
            print(f"{name}: skipped, {path} is absent")
            continue
        one, two = (measure(replay(path, threads))[2] for threads in (1, 2))
        if one != two:
            raise SystemExit(f"{name}: 1 and 2 threads found different things")
        size = measure([FLOOR, path])[2].decode().strip()
        ratios, peaks = [], []
        for _ in range(asked.pairs):
            floor, _, _ = measure([FLOOR, path])
            ours, peak, _ = measure(replay(path, asked.threads))
            ratios.append(ours / floor)
            peaks.append(peak)
        row = (
            f"| {datetime.date.today()} | {version} | {platform.processor() or platform.machine()}, "
            f"{os.cpu_count()} cores | {name}: {size} | {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}, {asked.pairs} pairs) | {asked.threads} | "
            f"{max(peaks):.0f} MiB | {detectors} | {hashlib.sha256(one).hexdigest()[:12]} |"
        )
        print(row)
        with RESULTS.open("a") as results:
            results.write(row + "\n")


def commit():
    asked = ["git", "-C", ROOT, "describe", "--always", "--dirty"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
