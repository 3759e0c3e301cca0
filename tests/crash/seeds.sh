#!/usr/bin/env bash
# Simulates the whole engine, so many seeds: seeds.sh [SEEDS] [THREADS] [FIRST]
set -euo pipefail
cd "$(dirname "$0")/../.."
WORDKEEP_SEEDS="${1:-100000}" WORDKEEP_THREADS="${2:-2}" WORDKEEP_FIRST="${3:-0}" \
    cargo test --locked --release --test simulation law_ -- --nocapture
