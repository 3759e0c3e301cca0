#!/usr/bin/env python3
"""Verifies an export from its README.txt and schema/log.md alone, with the standard library.

usage: verify_export.py BUNDLE [VERIFIER_KEY]      exit: 0 sound, 1 nothing pinned, 6 broken
"""
import base64, json, pathlib, sys, tarfile
from verify_log import checkpoint, h, root, signed

def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def climb(leaf, index, size, path):
    """RFC 6962, section 2.1.1: the root that a path leads to."""
    node, last = leaf, size - 1
    for sibling in path:
        if index % 2 or index == last:
            node = h(b"\x01", sibling, node)
            while not index % 2 and index: index, last = index // 2, last // 2
        else:
            node = h(b"\x01", node, sibling)
        index, last = index // 2, last // 2
    assert last == 0, "the path is too short"
    return node

def verify(bundle, pinned):
    with tarfile.open(bundle, "r:") as tar:
        files = [(entry.name, tar.extractfile(entry).read()) for entry in tar]
    name, manifest_bytes = files.pop()
    assert name == "manifest.json", "the manifest is not the last file"
    manifest = json.loads(manifest_bytes)
    assert canonical(manifest) == manifest_bytes, "the manifest is not canonical"
    signature = bytes.fromhex(manifest.pop("signature"))
    vkey = manifest["log"]["key"]
    assert pinned in (None, vkey), "another key than the pinned one"
    key = base64.b64decode(vkey.split("+", 2)[2])[1:]
    message = b"\0wordkeep/v1/export-manifest\0" + canonical(manifest)
    assert signed(key, message, signature), "the signature of the manifest"
    found = [{"name": name, "sha256": h(data).hex(), "size": len(data)} for name, data in files]
    for said, is_ in zip(manifest["files"], found): assert said == is_, said["name"]
    assert manifest["files"] == found, "files are missing or too many"
    printed = "".join(f"{f['sha256']}  {f['name']}\n" for f in found if not f["name"].startswith("proof/"))
    assert h(printed.encode()).hex() == manifest["files_digest"], "files_digest"
    files, leaves = dict(files), []
    for line in files["messages.jsonl"].splitlines():
        record = json.loads(line)
        digest = h(bytes.fromhex(record["salt"]), canonical(record["record"]))
        assert digest.hex() == record["digest"], record["record"]["id"]
        leaves.append(h(b"\0", digest))
    assert root(leaves).hex() == manifest["messages_root"], "messages_root"
    entry = json.loads(files["proof/entry.json"])
    for fact in ("files_digest", "messages_root"): assert entry["facts"][fact] == manifest[fact], fact
    assert entry["action"] == "export.made" and entry["objects"] == [manifest["export"]], "the entry"
    size, top = checkpoint(files["proof/checkpoint.txt"], vkey)
    proof, note = files["proof/inclusion.txt"].split(b"\n\n", 1)
    assert note == files["proof/checkpoint.txt"], "the proof leads to another checkpoint"
    _, index, *path = proof.decode().split("\n")
    index, path = int(index.removeprefix("index ")), [base64.b64decode(line) for line in path]
    assert index == entry["seq"] < size, "the place of the entry"
    assert climb(h(b"\0", files["proof/entry.json"]), index, size, path) == top, "the proof"
    return len(leaves)

if __name__ == "__main__":
    try:
        count = verify(pathlib.Path(sys.argv[1]), sys.argv[2] if sys.argv[2:] else None)
    except (AssertionError, OSError, ValueError, KeyError, tarfile.TarError) as error:
        print(f"broken: {error}")
        sys.exit(6)
    print(f"sound: {count} messages")
    sys.exit(0 if sys.argv[2:] else 1)
