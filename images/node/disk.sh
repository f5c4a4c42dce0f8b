#!/bin/bash
# What the rig does to this node's disk from outside of the daemon, and how it
# looks whether that bites.
#
#   disk.sh set FULL READ_ONLY ERRORS KBIT   yes or no each; KBIT a second, or `any`
#   disk.sh try BYTES                        writes so much, durably; dd's own words and exit code
#   disk.sh volume fill|empty|try ID         uses up a volume's quota; ends that; writes into it.
#                                            Exit code 3: it isn't here
#   disk.sh breakable                        exit code 0 when errors and a limit can be had
#
# A disk that is written to read-only, or that something holds open for writing,
# stays as it is, and nothing is said: whoever asked looks with `try`.
set -euo pipefail
export LC_ALL=C

readonly mount_point=${COBALT_VOLUME_PATH:-/srv/cobalt}
# Those of nbdkit's error and rate filters (entrypoint.sh); gone when the container is stopped.
readonly controls=/dev/shm/cobalt-disk
readonly fill_name=.cobalt-rig-fill
readonly try_name=.cobalt-rig-try
readonly ready_within_s=15

await_disk() {
  until [ -e "$controls.ready" ]; do
    if ((SECONDS >= ready_within_s)); then
      echo "there is no disk after $ready_within_s s" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# Allocates, and writes nothing: it takes no time, and no room on the host's disk.
fill() {
  local file=$1 at bytes
  at=$(stat -c %s "$file" 2>/dev/null || echo 0)
  for ((bytes = 1 << 30; bytes >= 4096; bytes /= 2)); do
    while fallocate --offset "$at" --length "$bytes" "$file" 2>/dev/null; do at=$((at + bytes)); done
  done
}

try() {
  local file=$1/$try_name code=0
  dd if=/dev/zero "of=$file" bs=64K count="$2" iflag=count_bytes conv=fsync || code=$?
  rm -f "$file" 2>/dev/null || true
  return "$code"
}

set_disk() {
  local full=$1 read_only=$2 errors=$3 kbit=$4
  if [ "$errors" = yes ]; then touch "$controls.errors"; else rm -f "$controls.errors"; fi
  if [ "$kbit" = any ]; then kbit=1000G; else kbit=${kbit}K; fi
  printf %s "$kbit" >"$controls.rate"
  if [ "$read_only" = no ]; then mount -o remount,rw "$mount_point" 2>/dev/null || true; fi
  if [ "$full" = yes ]; then
    fill "$mount_point/$fill_name"
  else
    rm -f "$mount_point/$fill_name" 2>/dev/null || true
  fi
  # Counted for as long as the disk lives; the one that was broken has been replaced.
  if [ "$errors" = no ]; then btrfs device stats -z "$mount_point" >/dev/null 2>&1 || true; fi
  if [ "$read_only" = yes ]; then mount -o remount,ro "$mount_point" 2>/dev/null || true; fi
}

on_volume() {
  local folder=$mount_point/volumes/$2
  [ -d "$folder" ] || exit 3
  case $1 in
    fill) fill "$folder/$fill_name" ;;
    empty) rm -f "$folder/$fill_name" ;;
    try) try "$folder" $((256 * 1024)) ;;
  esac
}

await_disk
case $1 in
  set) set_disk "$2" "$3" "$4" "$5" ;;
  try) try "$mount_point" "$2" ;;
  volume) on_volume "$2" "$3" ;;
  breakable) [ -e "$controls.breakable" ] ;;
esac
