#!/usr/bin/env bash
# Simulates the whole engine, so many seeds: seeds.sh [SEEDS] [THREADS] [FIRST]
exec "$(dirname "$0")/campaign.sh" seeds law_ "${1:-100000}" "${2:-2}" "${3:-0}"
