#!/usr/bin/env bash
# Places holds at the points of running purges, so many times: races.sh [RACES] [THREADS]
set -euo pipefail
cd "$(dirname "$0")/../.."
WORDKEEP_RACES="${1:-100000}" WORDKEEP_THREADS="${2:-2}" \
    cargo test --locked --release --test simulation hold_races_purge -- --nocapture
