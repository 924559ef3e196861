#!/usr/bin/env python3
"""Makes what is released: the program, stripped, with licences, a bill of materials, completions and manual pages, in one
archive, and beside it the bill and their checksums. The same commit and toolchain give the same bytes, wherever the repository lies.

    deploy/release.py --out target/released
    deploy/release.py --out target/released --twice     # builds it in two places, and compares
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHELLS = {"bash": "sentrail.bash", "zsh": "_sentrail", "fish": "sentrail.fish"}


def said(*command, **more):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **more).stdout


def build(target_dir):
    """The program, without paths of this machine in it, and without the time: mimalloc asks its compiler for that."""
    home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
    sources = {str(ROOT): "/sentrail", home: "/cargo", str(target_dir): "/target"}
    rust = " ".join(f"--remap-path-prefix={old}={new}" for old, new in sources.items())
    c = " ".join(f"-ffile-prefix-map={old}={new}" for old, new in sources.items())
    env = {**os.environ, "RUSTFLAGS": rust, "CFLAGS": c, "CARGO_INCREMENTAL": "0", "SOURCE_DATE_EPOCH": "0"}
    command = ["cargo", "build", "--locked", "--profile", "dist", "--bin", "sentrail", "--target-dir", str(target_dir)]
    subprocess.run(command, cwd=ROOT, check=True, env=env)
    return target_dir / "dist" / "sentrail"


def crates(triple):
    """What the program is built of for this platform, by package id: workspace and crates, with what each needs."""
    asked = ("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", triple)
    told = json.loads(said(*asked))
    packages = {package["id"]: package for package in told["packages"]}
    nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
    members = set(told["workspace_members"])
    root = next(id for id in members if packages[id]["name"] == "sentrail")
    needs, waiting = {}, [root]
    while waiting:
        one = waiting.pop()
        if one in needs:
            continue
        deps = nodes[one]["deps"]
        used = [dep["pkg"] for dep in deps if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
        needs[one] = sorted(set(used))
        waiting += used
    return packages, needs, root, members


def licence(package):
    # Some still write a slash for "or", as cargo once did.
    text = package["license"] or f"LicenseRef-{package['name']}"
    return " ".join(text.replace("/", " OR ").split())


def bill(packages, needs, root, members, program):
    """CycloneDX 1.6 (ECMA-424): what is in the program, by whom, under which licence."""

    def component(id):
        package = packages[id]
        is_own = id in members
        one = {
            "type": "application" if id == root else "library",
            "bom-ref": f"{package['name']}@{package['version']}",
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": licence(package)}],
        }
        if package["description"]:
            one["description"] = " ".join(package["description"].split())
        if not is_own:
            one["purl"] = f"pkg:cargo/{package['name']}@{package['version']}"
        return one

    checksums = locked()
    components = []
    for id in sorted(needs, key=lambda id: (packages[id]["name"], packages[id]["version"])):
        if id != root:
            one = component(id)
            checksum = checksums.get((packages[id]["name"], packages[id]["version"]))
            if checksum:
                one["hashes"] = [{"alg": "SHA-256", "content": checksum}]
            components.append(one)
    own = component(root)
    digest = hashlib.sha256(program).hexdigest()
    own["hashes"] = [{"alg": "SHA-256", "content": digest}]
    ref = lambda id: f"{packages[id]['name']}@{packages[id]['version']}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        # Of what it is about, so that the same program has the same.
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"sha256:{digest}").urn,
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": sorted(
            ({"ref": ref(id), "dependsOn": sorted(ref(dep) for dep in deps)} for id, deps in needs.items()),
            key=lambda one: one["ref"],
        ),
    }


def locked():
    """Checksums of crates as `Cargo.lock` has them, by name and version."""
    sums, entry = {}, {}
    for line in (ROOT / "Cargo.lock").read_text().splitlines():
        if line == "[[package]]":
            entry = {}
        elif " = " in line:
            key, value = line.split(" = ", 1)
            entry[key] = value.strip('"')
            if key == "checksum":
                sums[(entry["name"], entry["version"])] = entry[key]
    return sums


def licences(packages, needs, members):
    """Names and texts of the licences of all crates."""
    parts = ["What sentrail is built of, and under which licences. Its own is in LICENSE.\n"]
    for id in sorted(needs, key=lambda id: (packages[id]["name"], packages[id]["version"])):
        if id in members:
            continue
        package = packages[id]
        folder = pathlib.Path(package["manifest_path"]).parent
        is_text = lambda path: path.is_file() and path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
        parts.append(f"\n{'=' * 79}\n{package['name']} {package['version']}: {licence(package)}\n")
        for path in sorted(filter(is_text, folder.iterdir())):
            parts.append(f"\n{path.name}\n\n{path.read_text(errors='replace').strip()}\n")
    return "".join(parts)


def contents(program_path, triple):
    """Files of the archive by name, with their modes."""
    program = program_path.read_bytes()
    packages, needs, root, members = crates(triple)
    files = {"sentrail": (program, 0o755)}
    for name in ("LICENSE", "NOTICE", "README.md", "CHANGELOG.md"):
        files[name] = ((ROOT / name).read_bytes(), 0o644)
    files["LICENCES.txt"] = (licences(packages, needs, members).encode(), 0o644)
    sbom = json.dumps(bill(packages, needs, root, members, program), indent=1, sort_keys=True) + "\n"
    files["sentrail.cdx.json"] = (sbom.encode(), 0o644)
    for shell, name in SHELLS.items():
        files[f"completions/{name}"] = (said(str(program_path), "completions", shell).encode(), 0o644)
    with tempfile.TemporaryDirectory() as folder:
        said(str(program_path), "man", "--to", folder)
        for page in sorted(pathlib.Path(folder).iterdir()):
            files[f"man/{page.name}"] = (page.read_bytes(), 0o644)
    return packages[root]["version"], files


def archive(name, files, time_s):
    """A gzip'd tar in which nothing is of this machine or moment."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, (data, mode) in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode, entry.mtime = len(data), mode, time_s
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), 9, mtime=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write to")
    parser.add_argument("--program", type=pathlib.Path, help="a program that was built before, instead of building it")
    parser.add_argument("--twice", action="store_true", help="build it in two places, and compare the programs")
    asked = parser.parse_args()
    triple = next(line.split()[1] for line in said("rustc", "-vV").splitlines() if line.startswith("host: "))
    program = asked.program or build(ROOT / "target" / "dist-1")
    if asked.twice:
        again = build(ROOT / "target" / "dist-2" / "elsewhere")
        if program.read_bytes() != again.read_bytes():
            sys.exit(f"{program} and {again} differ (expected equal bytes)")
        print("two builds, equal bytes", file=sys.stderr)
    version, files = contents(program.resolve(), triple)
    # Of the commit; of a tree that is no checkout, nothing.
    commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    time_s = int(os.environ.get("SOURCE_DATE_EPOCH") or commit.stdout.strip() or 0)
    name = f"sentrail-{version}-{triple}"
    asked.out.mkdir(parents=True, exist_ok=True)
    data = archive(name, files, time_s)
    released = {f"{name}.tar.gz": data, f"{name}.cdx.json": files["sentrail.cdx.json"][0]}
    sums = ""
    for path, content in released.items():
        (asked.out / path).write_bytes(content)
        sums += f"{hashlib.sha256(content).hexdigest()}  {path}\n"
    (asked.out / "SHA256SUMS").write_text(sums)
    print(f"{asked.out / name}.tar.gz: {len(data)} bytes, {len(files)} files", file=sys.stderr)


if __name__ == "__main__":
    main()
