#!/bin/sh
# Starts a shell loop as a daemon, uses it, and stops it, whatever happens in between.
set -eu

trap 'npx daemonry stop beat' EXIT
npx daemonry start beat --ready log:^beat -- sh -c 'while :; do echo "beat $(date +%T)"; sleep 1; done'

pid=$(npx daemonry status beat --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
echo "its process is $pid, and it said:"
npx daemonry logs beat -n 1
