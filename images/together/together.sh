#!/bin/bash
# Programs that are of no use without each other: each argument is a command line, and when one ends, so do all.
set -uf
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 0' TERM INT
for command in "$@"; do
  # Split into words on purpose.
  $command &
done
wait -n
exit 1
