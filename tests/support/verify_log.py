#!/usr/bin/env python3
"""Verifies an exported audit log from schema/log.md alone, with the standard library.

usage: verify_log.py DIRECTORY VERIFIER_KEY [ANCHOR_FILE...]      exit: 0 sound, 1 unanchored, 6 broken
"""
import base64, hashlib, json, pathlib, sys

def h(*parts): return hashlib.sha256(b"".join(parts)).digest()

def root(leaves):
    if len(leaves) <= 1: return leaves[0] if leaves else h()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return h(b"\x01", root(leaves[:k]), root(leaves[k:]))

# Ed25519 verification, RFC 8032 section 6, in affine coordinates.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
def lift(y, sign):
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if x * x % P != xx: x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == xx, "not a point of the curve"
    return (P - x if x & 1 != sign else x, y)
def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + b[0] * a[1]) * pow(1 + t, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P)
def times(n, point):
    sum_ = (0, 1)
    while n:
        if n & 1: sum_ = add(sum_, point)
        point, n = add(point, point), n >> 1
    return sum_
def point(b):
    n = int.from_bytes(b, "little")
    return lift(n & (1 << 255) - 1, n >> 255)
def signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    base = lift(4 * pow(5, -1, P) % P, 0)
    return s < L and times(s, base) == add(point(signature[:32]), times(k, point(key)))

def checkpoint(note, vkey):
    name, key_id, typed = vkey.split("+", 2)
    key = base64.b64decode(typed)[1:]
    assert h(name.encode(), b"\n\x01", key)[:4].hex() == key_id, "malformed verifier key"
    text, signatures = note.rsplit(b"\n\n", 1)
    for line in signatures.decode().splitlines():
        dash, who, raw = line.split(" ")
        raw = base64.b64decode(raw)
        if dash == "\u2014" and who == name and raw[:4].hex() == key_id and signed(key, text + b"\n", raw[4:]):
            origin, size, top = text.decode().split("\n")
            assert origin == name, "the origin is another log's"
            return int(size), base64.b64decode(top)
    raise AssertionError("a checkpoint that the pinned key did not sign")

def pieces(data):
    while data:
        n = int.from_bytes(data[:2], "big")
        assert len(data) >= 2 + n, "cut"
        yield data[2:2 + n]
        data = data[2 + n:]

def path(n):
    groups = [f"{n % 1000:03}"]
    while n := n // 1000: groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)

def tiles(directory, level, count, first=0):
    for n in range(first, count, 256):
        width = min(256, count - n)
        yield (directory / "tile" / str(level) / (path(n // 256) + (f".p/{width}" if width < 256 else ""))).read_bytes()

def verify(directory, vkey, anchors):
    size, _ = newest = checkpoint((directory / "checkpoint").read_bytes(), vkey)
    said = [newest] + [checkpoint(pathlib.Path(a).read_bytes(), vkey) for a in anchors]
    for n in range(size // 1024 + 1):
        elder = directory / "checkpoints" / path(n)
        if elder.exists(): said += [checkpoint(note, vkey) for note in pieces(elder.read_bytes())]
    beginning, first = directory / "beginning", 0
    if beginning.exists(): first = json.loads(beginning.read_bytes())["size"]
    entries = [e for bundle in tiles(directory, "entries", size, first) for e in pieces(bundle)]
    assert len(entries) == size - first, "entries are missing"
    pruned = b"".join(tiles(directory, 0, first))
    leaves = [pruned[i:i + 32] for i in range(0, len(pruned), 32)] + [h(b"\x00", e) for e in entries]
    hashes, level = leaves, 0
    while hashes:
        assert b"".join(hashes) == b"".join(tiles(directory, level, len(hashes))), f"tiles of level {level}"
        hashes, level = [root(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)], level + 1
    for n, top in said:
        assert n <= size, f"the log was cut: it once had {n} entries"
        assert root(leaves[:n]) == top, f"the first {n} entries are not those that were signed"
    last, told = -2**63, None
    for place, entry in enumerate(entries, first):
        fields = json.loads(entry)
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert canonical.encode() == entry and fields["seq"] == place, f"entry {place}"
        assert fields["t_c"] >= last, f"time goes back at entry {place}"
        last = fields["t_c"]
        if fields["action"] == "log.prune" and fields["result"] == "done": told = fields["facts"]
    assert (told is None) == (first == 0), "entries are pruned, or said to be"
    assert not first or (told["entries"], told["beginning"]) == (first, h(beginning.read_bytes()).hex()), "beginning"
    return size

if __name__ == "__main__":
    try:
        count = verify(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    except (AssertionError, OSError, ValueError, KeyError) as error:
        print(f"broken: {error}")
        sys.exit(6)
    print(f"sound: {count} entries" + ("" if sys.argv[3:] else ", nothing pinned to compare with"))
    sys.exit(0 if sys.argv[3:] else 1)
