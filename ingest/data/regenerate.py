#!/usr/bin/env python3
"""Writes the tables about addresses that are built into the program.

    python3 ingest/data/regenerate.py [--packages DIR]

Fetches four npm packages (`npm pack`) into DIR, or takes them from there when they are already
there, and writes country4.bin, country6.bin, network4.bin, network6.bin, names.bin and places.bin
beside this script. Same packages, same Python, same zlib: same bytes. Needs Python 3.11, npm.

File layout, little endian (read by ingest/src/enrich/table.rs):

    0   magic "sntl"
    4   u16 format version, 1
    6   u16 kind: 1 country4, 2 country6, 3 network4, 4 network6, 5 names, 6 places
    8   u32 date of the package, yyyymmdd; 0: undated
    12  u32 entries
    16  u32 blocks
    20  u32 dictionary values
    24  u32 CRC-32 of everything from byte 28
    28  u32 entries of every block but the last
    32  dictionary: u32 each
        index, one per block: u64 first key, u32 end of the block in the data, u32 inflated bytes
        data: blocks, raw deflate, each on its own

A range block holds n varint lengths, then n varint values. Its ranges follow each other without
gaps; value 0 says "nobody's". A length is ((odd part - 1) / 2) * 64 + trailing zero bits, because
most are powers of two. A value below the dictionary's size is an index into it, else the value
plus that size. IPv6 keys are the upper 64 bits.
A names block holds n times (varint distance from the previous ASN, varint bytes), then the texts.
Places are not compressed: two letters, i16 latitude, i16 longitude in 1/100 degree, u16 km.
"""

import argparse
import csv
import glob
import heapq
import json
import math
import os
import struct
import subprocess
import tarfile
import zlib
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
COUNTRY = "@ip-location-db/geo-whois-asn-country"
NETWORK = "@ip-location-db/asn"
WORLD = "world-atlas@2.0.2"
CODES = "i18n-iso-countries@7.14.0"

BLOCK_RANGES = 4096  # about 15 KiB inflated
BLOCK_NAMES = 1024  # about 28 KiB inflated; names are read for alerts only
NETWORK_DICTIONARY = 4096  # the commonest networks, in two bytes instead of three
EARTH_RADIUS_KM = 6371.0088
PLACE_SHARE = 0.95  # of a country's area that its circle is drawn around

# Parts of Natural Earth's countries that have an ISO code, and so addresses, of their own:
# (country, code of the part, least and greatest longitude, least and greatest latitude).
PARTS = [
    ("FR", "GF", -55, -51, 2, 6),
    ("FR", "GP", -62, -60.9, 15.8, 16.6),
    ("FR", "MQ", -61.3, -60.7, 14.3, 15),
    ("FR", "RE", 55, 56, -21.5, -20.7),
    ("FR", "YT", 45, 45.4, -13.1, -12.5),
    ("NO", "SJ", -10, 40, 70.5, 82),
    ("NL", "BQ", -70, -60, 11, 18),
]
# Natural Earth's shapes without an ISO number.
UNNUMBERED = {"Kosovo": "XK", "Somaliland": "SO", "N. Cyprus": "CY"}


def fetch(package, folder):
    """The open archive of an npm package, and its version."""
    name = package.rsplit("@", 1)[0] if package.count("@") > package.startswith("@") else package
    stem = name.lstrip("@").replace("/", "-")
    found = sorted(glob.glob(os.path.join(folder, glob.escape(stem) + "-[0-9]*.tgz")))
    if not found:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
        found = sorted(glob.glob(os.path.join(folder, glob.escape(stem) + "-[0-9]*.tgz")))
    archive = tarfile.open(found[-1])
    version = json.load(archive.extractfile("package/package.json"))["version"]
    print(f"{name} {version}")
    return archive, version


def rows(archive, path):
    """The rows of a CSV in a package."""
    text = (line.decode("utf-8") for line in archive.extractfile("package/" + path))
    return csv.reader(text)


def date_of(version):
    """2.3.2026061719 -> 20260617."""
    return int(version.rsplit(".", 1)[1][:8])


def resolve(ranges):
    """Ranges (first, last, value) that may overlap -> (first, value) steps. The narrower wins."""
    ranges = sorted(ranges)
    cuts = sorted({first for first, _, _ in ranges} | {last + 1 for _, last, _ in ranges})
    steps, heap, i = [(0, 0)], [], 0
    for cut in cuts:
        while i < len(ranges) and ranges[i][0] == cut:
            first, last, value = ranges[i]
            heapq.heappush(heap, (last - first, first, value, last))
            i += 1
        while heap and heap[0][3] < cut:
            heapq.heappop(heap)
        step(steps, cut, heap[0][2] if heap else 0)
    return steps


def step(steps, first, value):
    """Appends a step; one that starts where the last does replaces it, an equal one is dropped."""
    if steps and steps[-1][0] == first:
        steps.pop()
    if not steps or steps[-1][1] != value:
        steps.append((first, value))


def halve(steps):
    """Steps over 128 bits -> over the upper 64. A /64 that is split goes to its widest owner."""
    low = (1 << 64) - 1
    whole, split = [], {}
    for i, (first, value) in enumerate(steps):
        end = steps[i + 1][0] if i + 1 < len(steps) else 1 << 128
        if first >> 64 == end >> 64:
            pieces = [(first, end)]
        else:
            pieces = []
            if first & low:
                pieces.append((first, (first >> 64) + 1 << 64))
            if end & low:
                pieces.append((end >> 64 << 64, end))
            inner = (first + low >> 64, end >> 64)
            if inner[0] < inner[1]:
                whole.append((inner[0], value))
        for a, b in pieces:
            owners = split.setdefault(a >> 64, Counter())
            owners[value] += b - a
    for cell, owners in split.items():
        whole.append((cell, max(owners, key=lambda value: (owners[value], value))))
    out = []
    for first, value in sorted(whole):
        step(out, first, value)
    return out


def varint(n):
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def length(n):
    zeros = (n & -n).bit_length() - 1
    return varint(((n >> zeros) - 1 >> 1) * 64 + zeros)


def deflate(raw):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    return packer.compress(raw) + packer.flush()


def write(name, kind, date, entries, dictionary, per_block, blocks, plain=b""):
    """Writes one table; blocks are (first key, inflated bytes)."""
    index, data = b"", bytearray()
    for first, raw in blocks:
        data += deflate(raw)
        index += struct.pack("<QII", first, len(data), len(raw))
    rest = struct.pack("<I", per_block)
    rest += b"".join(struct.pack("<I", value) for value in dictionary)
    rest += index + bytes(data) + plain
    head = struct.pack(
        "<4sHHIIIII", b"sntl", 1, kind, date, entries, len(blocks), len(dictionary), zlib.crc32(rest)
    )
    path = os.path.join(HERE, name + ".bin")
    with open(path, "wb") as out:
        out.write(head + rest)
    raw = sum(len(block) for _, block in blocks) + len(plain)
    widest = max((len(block) for _, block in blocks), default=0)
    print(
        f"{name + '.bin':13} {date} {len(head) + len(rest):9,} bytes, {entries:7,} entries, "
        f"{len(blocks):4} blocks, inflated {raw:9,} (largest {widest:,})"
    )


def write_ranges(name, kind, date, steps, dictionary_max):
    commonest = Counter(value for _, value in steps)
    dictionary = sorted(commonest, key=lambda value: (-commonest[value], value))[:dictionary_max]
    code = {value: i for i, value in enumerate(dictionary)}
    blocks = []
    for at in range(0, len(steps), BLOCK_RANGES):
        lengths, values = b"", b""
        for i in range(at, min(at + BLOCK_RANGES, len(steps))):
            first, value = steps[i]
            # Nothing follows the last range: it reaches to the end of the address space.
            lengths += length(steps[i + 1][0] - first if i + 1 < len(steps) else 1)
            values += varint(code[value] if value in code else value + len(dictionary))
        blocks.append((steps[at][0], lengths + values))
    write(name, kind, date, len(steps), dictionary, BLOCK_RANGES, blocks)


def write_names(date, names):
    order = sorted(names)
    blocks = []
    for at in range(0, len(order), BLOCK_NAMES):
        heads, texts, previous = b"", b"", order[at]
        for asn in order[at : at + BLOCK_NAMES]:
            text = names[asn].encode("utf-8")
            heads += varint(asn - previous) + varint(len(text))
            texts += text
            previous = asn
        blocks.append((order[at], heads + texts))
    write("names", 5, date, len(order), [], BLOCK_NAMES, blocks)


def country(code):
    assert len(code) == 2 and code.isalpha() and code.isupper(), code
    return ord(code[0]) << 8 | ord(code[1])


def tables(folder):
    archive, version = fetch(COUNTRY, folder)
    for name, kind, file in (("country4", 1, "ipv4"), ("country6", 2, "ipv6")):
        source = rows(archive, f"geo-whois-asn-country-{file}-num.csv")
        steps = resolve([(int(a), int(b), country(c)) for a, b, c in source])
        steps = steps if kind == 1 else halve(steps)
        write_ranges(name, kind, date_of(version), steps, 1 << 16)
    archive, version = fetch(NETWORK, folder)
    names = {}
    for name, kind, file in (("network4", 3, "ipv4"), ("network6", 4, "ipv6")):
        ranges = []
        for a, b, asn, text in rows(archive, f"asn-{file}-num.csv"):
            ranges.append((int(a), int(b), int(asn)))
            names.setdefault(int(asn), text)
        steps = resolve(ranges)
        steps = steps if kind == 3 else halve(steps)
        write_ranges(name, kind, date_of(version), steps, NETWORK_DICTIONARY)
    write_names(date_of(version), names)


def vector(point):
    longitude, latitude = math.radians(point[0]), math.radians(point[1])
    level = math.cos(latitude)
    return (level * math.cos(longitude), level * math.sin(longitude), math.sin(latitude))


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def angle_km(a, b):
    return EARTH_RADIUS_KM * math.acos(max(-1.0, min(1.0, dot(a, b))))


def moment(ring):
    """Integral of the unit vector over a spherical polygon: its direction is the centroid, its
    length nearly the area in steradians."""
    points = [vector(point) for point in ring]
    total = [0.0, 0.0, 0.0]
    for a, b in zip(points, points[1:]):
        normal = (
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        )
        size = math.sqrt(dot(normal, normal))
        if size > 0:
            weight = math.atan2(size, dot(a, b)) / (2 * size)
            total = [t + weight * n for t, n in zip(total, normal)]
    middle = [sum(point[i] for point in points) for i in range(3)]
    return total if dot(total, middle) >= 0 else [-t for t in total]


def polygons(atlas):
    """Outer rings of every country: (ISO number or None, name, ring of (longitude, latitude))."""
    scale, shift = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = []
    for arc in atlas["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(points)
    for shape in atlas["objects"]["countries"]["geometries"]:
        parts = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        for part in parts:
            ring = []
            for i in part[0]:
                points = arcs[i] if i >= 0 else arcs[~i][::-1]
                ring += points[1:] if ring else points
            yield shape.get("id"), shape["properties"]["name"], ring


def places(folder):
    archive, _ = fetch(CODES, folder)
    numbers = {row[2]: row[0] for row in json.load(archive.extractfile("package/codes.json"))}
    archive, _ = fetch(WORLD, folder)
    atlas = json.load(archive.extractfile("package/countries-50m.json"))
    shapes = {}
    for number, name, ring in polygons(atlas):
        code = numbers.get(number) or UNNUMBERED.get(name)
        if code is None:
            print(f"no place for {name}")
            continue
        east, north = (sum(point[i] for point in ring) / len(ring) for i in (0, 1))
        for whole, part, west, east_max, south, north_max in PARTS:
            if code == whole and west <= east <= east_max and south <= north <= north_max:
                code = part
        shapes.setdefault(code, []).append((moment(ring), ring))
    records = []
    for code in sorted(shapes):
        parts = sorted(shapes[code], key=lambda part: -math.sqrt(dot(part[0], part[0])))
        areas = [math.sqrt(dot(m, m)) for m, _ in parts]
        kept, area = 0, 0.0
        while kept < len(parts) and area < PLACE_SHARE * sum(areas):
            area += areas[kept]
            kept += 1
        total = [sum(m[i] for m, _ in parts[:kept]) for i in range(3)]
        size = math.sqrt(dot(total, total))
        centre = [t / size for t in total]
        radius = max(angle_km(centre, vector(p)) for _, ring in parts[:kept] for p in ring)
        latitude = math.degrees(math.asin(centre[2]))
        longitude = math.degrees(math.atan2(centre[1], centre[0]))
        records.append(
            struct.pack(
                "<2shhH", code.encode(), round(latitude * 100), round(longitude * 100), math.ceil(radius)
            )
        )
        if code in ("US", "FR", "DE", "SG", "RU", "FJ", "NO", "AQ", "GF", "XK"):
            print(f"{code} {latitude:.2f} {longitude:.2f} {radius:.0f} km")
    # Undated: world-atlas 2.0.2 names an edition, Natural Earth 4.1, and no day.
    write("places", 6, 0, len(records), [], 0, [], b"".join(records))


def main():
    parser = argparse.ArgumentParser(description="write the built-in tables about addresses")
    parser.add_argument("--packages", default=os.path.join(HERE, "packages"))
    folder = os.path.abspath(parser.parse_args().packages)
    os.makedirs(folder, exist_ok=True)
    tables(folder)
    places(folder)
    total = sum(os.path.getsize(path) for path in glob.glob(os.path.join(HERE, "*.bin")))
    print(f"{total:,} bytes in all")


if __name__ == "__main__":
    main()
