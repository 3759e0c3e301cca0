#!/usr/bin/env bash
# A long run in pieces that can be cut off at any time: campaign.sh NAME TEST COUNT THREADS FIRST
# Called by seeds.sh and races.sh. The same command again goes on behind the last whole piece, with
# the program it began with. `target/campaigns/NAME-FIRST-COUNT/log` keeps what was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly PIECE=1000
readonly name=$1 test=$2 count=$3 threads=$4 first=$5
readonly home="target/campaigns/$name-$first-$count"

mkdir -p "$home"
if [ ! -x "$home/program" ]; then
    cargo test --locked --release --test simulation --no-run
    program=$(cargo test --locked --release --test simulation --no-run --message-format=json |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
    cp "$program" "$home/program.new"
    mv "$home/program.new" "$home/program"
fi
# Lets calls that change files fail where the seeds want it.
cc -O2 -shared -fPIC -o "$home/libfaulty.so" tests/support/faulty.c
# The allocator keeps what was freed: walks take and leave the same memory a hundred times a second.
export MIMALLOC_PURGE_DELAY=-1
export WORDKEEP_THREADS=$threads
at=$(cat "$home/next" 2>/dev/null || echo "$first")
readonly end=$((first + count))
while [ "$at" -lt "$end" ]; do
    piece=$((end - at < PIECE ? end - at : PIECE))
    began=$SECONDS
    verdict=whole
    LD_PRELOAD="$PWD/$home/libfaulty.so" WORDKEEP_FIRST=$at WORDKEEP_SEEDS=$piece WORDKEEP_RACES=$piece \
        "$home/program" "$test" --nocapture >"$home/piece" 2>&1 || verdict=$?
    # 101 is what a test that failed ends with; anything else was not its doing, and is tried again.
    case "$verdict" in
    whole) ;;
    101) verdict=BROKEN ;;
    *) echo "$name: the piece from $at was cut off ($verdict); the same command goes on"; exit "$verdict" ;;
    esac
    cat "$home/piece" >>"$home/log"
    if [ "$verdict" = BROKEN ]; then
        cp "$home/piece" "$home/broken-$at"
        grep -E 'is broken by seed|hold against purge, seed|panicked at' "$home/piece" | head -20 || true
    fi
    at=$((at + piece))
    echo "$at" >"$home/next.new"
    mv "$home/next.new" "$home/next"
    echo "$name: $((at - first)) of $count, $((SECONDS - began)) s for the last $piece, $verdict"
done
broken=$(find "$home" -name 'broken-*' | wc -l)
echo "$name: $count from $first, $broken pieces broken; see $home"
[ "$broken" = 0 ]
