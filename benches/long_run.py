#!/usr/bin/env python3
"""The daemon over weeks of event time: memory, open files and lag, as figures and as a chart.

    benches/long_run.py [--days 45] [--size 1] [--folder DIR] [--chart docs/long-run.svg]

Builds nothing: `cargo build --release --bin sentrail` does. `sentrail simulate` writes the logs of a made-up
organisation into a folder as fast as one core can, and `sentrail run --folder` reads them as they come; what is
older than five days of event time is removed behind it. Every few seconds it is looked what the daemon takes.
A day counts from the tenth on: by then habits are known, days close and bases merge.
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
SENTRAIL = ROOT / "target/release/sentrail"
EVERY_S = 5
KEPT_DAYS = 5
WARM_DAYS = 10


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def metrics(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        match = re.fullmatch(r"([a-z_]+)(?:\{[^}]*\})? ([-+0-9.e]+)", line)
        if match:
            found[match[1]] = found.get(match[1], 0.0) + float(match[2])
    return found


def resident_mb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1e3


def n_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def written_mb(pid):
    """What it had the system write."""
    io = pathlib.Path(f"/proc/{pid}/io").read_text()
    return int(re.search(r"write_bytes: (\d+)", io)[1]) / 1e6


def days_of(logs):
    """Folders of one day each, by day."""
    found = {}
    for path in logs.glob("AWSLogs/**/[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]"):
        day = "-".join(path.parts[-3:])
        found.setdefault(day, []).append(path)
    return found


def remove_old(logs, now):
    oldest = (now - datetime.timedelta(days=KEPT_DAYS)).strftime("%Y-%m-%d")
    for day, folders in days_of(logs).items():
        if day < oldest:
            for folder in folders:
                shutil.rmtree(folder)


def watch(daemon, writer, port, logs, begun):
    samples = []
    removed_at = time.monotonic()
    while True:
        seen = metrics(port)
        now = seen.get("sentrail_now_timestamp_seconds")
        if now:
            samples.append(
                {
                    "at_s": round(time.monotonic() - begun, 1),
                    "now_s": now,
                    "resident_mb": resident_mb(daemon.pid),
                    "files": n_files(daemon.pid),
                    "cpu_s": cpu_s(daemon.pid),
                    "epoch_age_s": seen.get("sentrail_epoch_age_seconds", 0.0),
                    "epochs": seen.get("sentrail_epoch_bytes_count", 0.0),
                    "changed_mb": seen.get("sentrail_epoch_bytes_sum", 0.0) / 1e6,
                    "written_mb": written_mb(daemon.pid),
                    "objects": seen.get("sentrail_objects_processed_total", 0.0),
                    "waiting": writer.poll() is None,
                }
            )
            if time.monotonic() - removed_at > 30:
                remove_old(logs, datetime.datetime.fromtimestamp(now, datetime.timezone.utc))
                removed_at = time.monotonic()
        if daemon.poll() is not None:
            raise SystemExit(f"the daemon ended with {daemon.returncode}")
        if writer.poll() is not None and len(samples) > 4:
            objects = [one["objects"] for one in samples[-5:]]
            if len(set(objects)) == 1:
                return samples
        time.sleep(EVERY_S)


def line(points, width, height, top, color):
    most = max((y for _, y in points), default=1) or 1
    last = max(x for x, _ in points) or 1
    path = " ".join(f"{60 + x / last * width:.1f},{top + height - y / most * height:.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{color}" stroke-width="1.5" points="{path}"/>', most


def chart(samples, days):
    width, height = 700, 110
    parts = []
    rows = (("resident memory, MB", "resident_mb", "#1f77b4"), ("open files", "files", "#2ca02c"))
    rows += (("seconds since all that was read was durable", "epoch_age_s", "#d62728"),)
    for n, (name, key, color) in enumerate(rows):
        top = 30 + n * (height + 45)
        drawn, most = line([(day, one[key]) for day, one in zip(days, samples)], width, height, top, color)
        parts.append(f'<text x="60" y="{top - 8}">{name}; the top is {most:.0f}</text>')
        parts.append(f'<path d="M60 {top}V{top + height}H{60 + width}" fill="none" stroke="#888"/>')
        parts.append(drawn)
        for day in range(0, int(days[-1]) + 1, 5):
            x = 60 + day / days[-1] * width
            parts.append(f'<text x="{x:.0f}" y="{top + height + 14}" text-anchor="middle">{day}</text>')
    total = 30 + len(rows) * (height + 45)
    parts.append(f'<text x="{60 + width / 2}" y="{total}" text-anchor="middle">event days</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 90} {total + 12}" font-family="sans-serif"'
    return f'{head} font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--days", type=int, default=45)
    asked.add_argument("--size", type=float, default=1.0, help="of the organisation: 1 is about 3 GB inflated a day")
    asked.add_argument("--folder", type=pathlib.Path, default=ROOT / "target/long-run")
    asked.add_argument("--chart", type=pathlib.Path)
    asked = asked.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    logs = asked.folder / "logs"
    logs.mkdir(parents=True)
    of = {"accounts": 12, "people": 3_000, "machines": 450, "pipelines": 100, "agents": 20, "vpcs": 30}
    sizes = [word for name, n in of.items() for word in (f"--{name}", str(max(1, round(n * asked.size))))]
    begun = time.monotonic()
    port = free_port()
    # `simulate` wants a folder of its own; the daemon looks at the one above.
    command = [SENTRAIL, "run", "--folder", logs, "--state", asked.folder / "state.db", "--listen", f"127.0.0.1:{port}"]
    with open(asked.folder / "findings.jsonl", "wb") as out, open(asked.folder / "log.jsonl", "wb") as err:
        daemon = subprocess.Popen([*command, "--format", "jsonl"], stdout=out, stderr=err)
        simulate = [SENTRAIL, "simulate", "--to", logs / "organisation", "--seed", "8", "--days", str(asked.days), *sizes]
        writer = subprocess.Popen(simulate, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            samples = watch(daemon, writer, port, logs / "organisation", begun)
        finally:
            writer.kill()
            daemon.send_signal(signal.SIGTERM)
        ended = time.monotonic()
        code = daemon.wait(60)
    first = samples[0]["now_s"]
    days = [(one["now_s"] - first) / 86_400 for one in samples]
    (asked.folder / "samples.json").write_text(json.dumps(samples))
    if asked.chart:
        asked.chart.write_text(chart(samples, days))
    said = writer.stderr.read().decode().strip().splitlines()[-1:]
    warm = [one for day, one in zip(days, samples) if WARM_DAYS <= day < WARM_DAYS + 5]
    late = [one for day, one in zip(days, samples) if day >= days[-1] - 5]
    wall = samples[-1]["at_s"]
    print(f"written: {said}")
    print(f"{days[-1]:.1f} event days in {wall / 60:.1f} min; CPU of the daemon {samples[-1]['cpu_s']:.0f} s")
    for key in ("resident_mb", "files", "epoch_age_s"):
        before = statistics.median(one[key] for one in warm)
        after = statistics.median(one[key] for one in late)
        most = max(one[key] for one in samples)
        growth = after / before - 1 if before else 0.0
        print(f"{key}: median of days 10 to 15 {before:.1f}, of the last five {after:.1f} ({growth:+.1%}), most {most:.1f}")
    last = samples[-1]
    n = max(1, last["epochs"])
    print(
        f"{n:.0f} epochs, of each {last['changed_mb'] / n:.2f} MB of values that changed and"
        f" {last['written_mb'] / n:.2f} MB written to the disk, hourly copies included"
    )
    n_findings = sum(1 for _ in open(asked.folder / "findings.jsonl", "rb"))
    print(f"{n_findings} findings told; the daemon ended with {code}, {time.monotonic() - ended:.2f} s after SIGTERM")


if __name__ == "__main__":
    main()
