#!/usr/bin/env bash
# Kills the program at random instants, so many times: kills.sh [CYCLES] [SEED]
set -euo pipefail
cd "$(dirname "$0")/../.."
WORDKEEP_KILLS="${1:-1000}" WORDKEEP_SEED="${2:-1}" \
    cargo test --locked --release --test crash kills_ -- --nocapture
