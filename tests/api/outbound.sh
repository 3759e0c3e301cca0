#!/usr/bin/env bash
# `serve` opens no connection to anybody unless a provider is configured: start, sign-in, search, import
# and the end under the eyes of strace, in a network of its own where that is permitted. Then a provider
# is configured, and the first visitor who is sent there makes the one connection that was watched for.
# Needs strace and python; where one is absent, or tracing is not permitted, this says so and ends well,
# unless OUTBOUND=required. Usage: tests/api/outbound.sh [PROGRAM]
set -euo pipefail

program=${1:-target/release/wordkeep}
port=${PORT:-8483}
python=$(command -v "${PYTHON:-python3}" || true)
skip() {
    echo "SKIPPED: $1; what \`serve\` connects to was NOT watched" >&2
    [ "${OUTBOUND:-}" = required ] && exit 1
    exit 0
}
[ -n "$python" ] || skip "no python here"
strace -f -e trace=connect -o /dev/null true 2>/dev/null || skip "strace is missing or may not trace here"

# A network with nothing in it but this computer: what wants out fails, and must not be wanted.
if [ -z "${OUTBOUND_ALONE:-}" ] && unshare -rn true 2>/dev/null; then
    OUTBOUND_ALONE=yes exec unshare -rn "$0" "$program"
fi
if [ "${OUTBOUND_ALONE:-}" = yes ]; then
    "$python" - <<'PY'
import fcntl, socket, struct
UP, SET_FLAGS = 0x41, 0x8914
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
    fcntl.ioctl(asks, SET_FLAGS, struct.pack("16sh", b"lo", UP))
PY
    echo "in a network of its own"
else
    echo "note: no network of its own is permitted here; strace alone watches"
fi

. tests/api/house.sh
calls=$place/calls
watched() { serve_house strace -f -qq -e trace=connect,sendto,sendmsg,sendmmsg -o "$calls"; }
# What leads out: connections of any kind, and packets to an address.
led_out() { grep -E 'connect\(|sin6?_addr' "$calls" || true; }

furnish
watched
"$python" - "http://127.0.0.1:$port" <<'PY'
import sys
from visitor import Visitor
from urllib.parse import urlsplit

rec = Visitor(sys.argv[1])
assert "Sign in with" not in rec.get("/sign-in").body
assert rec.get("/sso/start").status == 404
rec.sign_in("rec", "correct horse battery staple")
chat = "".join(f"[{day:02}/02/2024, 09:00:00] Ana Reis: shipment {day}\n" for day in range(13, 29))
sent = rec.send_file("/imports", "WhatsApp Chat - Nordwind.txt", chat, [("zone", "Europe/Lisbon")])
assert sent.status == 303, (sent.status, sent.body)
page = rec.settled(sent.location)
assert "16 new" in page.body, page.body
asked = rec.post("/search", {"csrf": rec.mark("/imports"), "query": "shipment"})
assert asked.status == 303, (asked.status, asked.body)
found = rec.get(urlsplit(asked.location).path)
assert "16" in found.body and "Nordwind" in found.body, found.body
root = Visitor(sys.argv[1])
root.sign_in("root", "correct horse battery staple")
for path in ("/users", "/users/sso", "/system"):
    assert root.get(path).status == 200, path
PY
stop_house
[ -s "$place/served" ] && [ -z "$(led_out)" ] || {
    led_out >&2
    echo "error: without a provider, serve asked somebody outside" >&2
    exit 1
}
echo "ok: start, sign-in, import, search and end without one connection"

# The law can fail: with a provider the same eyes see the one question.
wk sso set --issuer "http://127.0.0.1:9" --client-id wordkeep --map legal=lawyer \
    --token-file "$place/root.token" >/dev/null
watched
"$python" - "http://127.0.0.1:$port" <<'PY'
import sys
from visitor import Visitor

who = Visitor(sys.argv[1])
assert "Sign in with" in who.get("/sign-in").body
print(" ", who.get("/sso/start").status, "nobody listens there")
PY
stop_house
seen=$(led_out | grep -c 'sin_port=htons(9)' || true)
[ "$seen" = 1 ] && [ "$(led_out | wc -l)" = 1 ] || {
    led_out >&2
    echo "error: with a provider, one connection was to be seen" >&2
    exit 1
}
echo "ok: with a provider, the one connection to it and no other"
