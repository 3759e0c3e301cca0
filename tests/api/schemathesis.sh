#!/bin/sh
# Tries the API against its own description: made-up requests of every shape, on a served demonstration.
# Needs python with `schemathesis` (PyPI); where it is absent this says so and ends well, unless
# SCHEMATHESIS=required. Usage: tests/api/schemathesis.sh [PROGRAM]
set -eu

program=${1:-target/release/wordkeep}
port=${PORT:-8479}
examples=${EXAMPLES:-25}
# Longest time for each person, in seconds.
seconds=${SECONDS_MAX:-60}

python=$(command -v "${PYTHON:-python3}" || true)
if [ -z "$python" ] || ! "$python" -c 'import schemathesis' 2>/dev/null; then
    echo "SKIPPED: no python with schemathesis here; the API was NOT tried against its description" >&2
    [ "${SCHEMATHESIS:-}" = required ] && exit 1
    exit 0
fi

case $program in /*) ;; *) program=$PWD/$program ;; esac
place=$(mktemp -d)
cd "$place"
server=
end() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
    rm -rf "$place"
}
trap end EXIT INT TERM

# A house of its own: an administrator, a lawyer, a records officer, one chat.
export HOME="$place" XDG_CONFIG_HOME="$place/config"
mkdir -p "$XDG_CONFIG_HOME"
printf 'correct horse battery staple\n' > "$place/password"
wk() { "$program" --data "$place/data" --no-input "$@"; }
wk init --administrator root --password-file "$place/password" >/dev/null
log_in() { wk login "$1" --password-file "$place/password" --token-file "$place/$1.token" >/dev/null; }
log_in root
for person in law:lawyer rec:records-officer; do
    wk user add "${person%%:*}" --role "${person##*:}" --password-file "$place/password" \
        --token-file "$place/root.token" >/dev/null
    log_in "${person%%:*}"
done
printf '[13/02/2024, 09:00:00] Ana Reis: the order is agreed at 10 EUR\n[14/02/2024, 09:00:00] Bo Lund: shipped\n' \
    > "$place/WhatsApp Chat - Nordwind.txt"
wk import "$place/WhatsApp Chat - Nordwind.txt" --tz Europe/Lisbon --token-file "$place/rec.token" >/dev/null

"$program" serve --data "$place/data" --listen "127.0.0.1:$port" > "$place/served" 2>&1 &
server=$!
tries=0
until "$python" - "$port" <<'PY' 2>/dev/null
import sys, urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/ready").read()
PY
do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || { cat "$place/served" >&2; exit 1; }
    sleep 1
done

# What must hold of every answer: no failure of the server, a status and a shape that are described.
for person in law rec root; do
    echo "== as $person"
    "$python" -m schemathesis.cli run "http://127.0.0.1:$port/api/v1/openapi.json" \
        --header "Authorization: Bearer $(cat "$place/$person.token")" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --max-examples "$examples" --phases examples,coverage,fuzzing --seed 1 \
        --max-time "$seconds" --request-timeout 20 --rate-limit 19/s --continue-on-failure --no-color
done
