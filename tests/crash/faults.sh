#!/usr/bin/env bash
# Lets calls of the operating system fail, so many of them: faults.sh [FAULTS] [SEED]
set -euo pipefail
cd "$(dirname "$0")/../.."
WORDKEEP_FAULTS="${1:-4000}" WORDKEEP_SEED="${2:-1}" \
    cargo test --locked --release --test crash faults_ -- --nocapture
