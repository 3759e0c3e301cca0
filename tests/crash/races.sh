#!/usr/bin/env bash
# Places holds at the points of running purges, so many times: races.sh [RACES] [THREADS] [FIRST]
exec "$(dirname "$0")/campaign.sh" races hold_races_purge "${1:-100000}" "${2:-2}" "${3:-0}"
