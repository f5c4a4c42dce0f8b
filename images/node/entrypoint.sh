#!/bin/bash
# The "hardware and operating system" of a storage node. The daemon finds:
#
#   /srv/cobalt       a BTRFS filesystem of its own, quotas enabled
#   /srv/exports      an empty folder, for the mounts that ganesha exports
#   system D-Bus      /run/dbus/system_bus_socket
#   nfs-ganesha       NFSv4 on port 2049, no exports (see ganesha.conf)
#
# Then it becomes the daemon, or the command that was given instead.
#
# COBALT_DISK_GIB (default 10) is the size of the disk, a sparse file on the
# volume at /var/lib/cobalt. A disk that exists is mounted as it is.
# COBALT_VOLUME_PATH (default /srv/cobalt) is where it is mounted. Both are read
# here and not by daemon/settings.ts: this is the node's hardware, outside the daemon.
#
# COBALT_DISK (default plain): a `breakable` one is reached through nbdkit, whose
# filters make it fail and slow it down when disk.sh says so. All that it hasn't
# been told to keep is lost with the container, as in a power cut. Where there is
# no FUSE it is a plain one, and says so.
# COBALT_CLOCK (default host): with a clock of its `own`, the daemon alone gets a
# wall clock that is as wrong as /dev/shm/cobalt-clock says (libfaketime), kept by
# src/rig/clock. Times that only go forward, and timers, stay right.
#
# The container is to be run with an init, whose child the daemon's supervisor
# is: when that ends, or is killed, the container ends with it (137 after
# `kill -9`), ganesha, the mounts and all, as if the node had lost its power. A
# role that is killed ends alone.
#
# Needs: cap_add SYS_ADMIN, DAC_READ_SEARCH, NET_ADMIN; seccomp and apparmor
# unconfined; device rules `b 7:* rmw` and `c 10:237 rmw`, and for a breakable
# disk `c 10:229 rmw`, too.
set -euo pipefail

readonly disk=/var/lib/cobalt/disk.img
readonly disk_gib=${COBALT_DISK_GIB:-10}
readonly mount_point=${COBALT_VOLUME_PATH:-/srv/cobalt}
readonly mount_tries=20
readonly breakable_folder=/run/cobalt-disk
readonly breakable_disk=$breakable_folder/disk
# Those of disk.sh, in memory: a container that starts anew has a sound disk until it is told otherwise.
readonly controls=/dev/shm/cobalt-disk
readonly clock=/dev/shm/cobalt-clock

say() { printf 'entrypoint: %s\n' "$*" >&2; }

# The container's own /dev has no loop devices. The host's are numbered in
# /sys/block; `losetup --find` makes the kernel add one when all are taken.
make_loop_nodes() {
  local free path
  [ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
  free=$(losetup --find 2>/dev/null) || true
  for path in /sys/block/loop* "$free"; do
    path=/dev/${path##*/}
    [[ $path =~ ^/dev/loop([0-9]+)$ ]] || continue
    [ -e "$path" ] || mknod "$path" b 7 "${BASH_REMATCH[1]}"
  done
}

# Always `mount -o loop`, never a bare losetup: it sets autoclear, so that the
# loop device goes when the container does, however it ends. Nodes that start
# together race for the free device; losing it is no failure.
mount_disk() {
  local device=$1 try reason=
  for ((try = 1; try <= mount_tries; try++)); do
    make_loop_nodes
    if reason=$(mount -o loop,noatime "$device" "$mount_point" 2>&1); then return 0; fi
    sleep "0.$((RANDOM % 9 + 1))"
  done
  say "cannot mount $device at $mount_point after $mount_tries tries: $reason"
  return 1
}

# The disk as a file whose reads and writes go through nbdkit. Answers with what
# is to be mounted.
#
# nbdfuse gets mounts of its own, made before BTRFS is mounted, and shares with the
# container its file alone: if it had BTRFS mounted too, it could, when all are
# killed, be the last and be waiting for writes that only it can answer, for ever.
# The kernel may keep what it knows of the file: otherwise whoever lists the loop
# devices of the machine would wait for as long as this container is paused.
break_disk() {
  local try
  [ -e /dev/fuse ] || mknod /dev/fuse c 10 229
  mkdir -p "$breakable_folder"
  mount --bind "$breakable_folder" "$breakable_folder"
  mount --make-shared "$breakable_folder"
  : >"$breakable_disk"
  # Children of init's, not of the daemon's.
  (unshare --mount --propagation unchanged \
    nbdfuse -o attr_timeout=86400 "$breakable_disk" --command nbdkit -s --exit-with-parent --filter=error --filter=rate \
    file "$disk" error=EIO error-rate=100% "error-file=$controls.errors" \
    "rate-file=$controls.rate" burstiness=0.1 >/dev/null 2>&1 &)
  for ((try = 1; try <= 100; try++)); do
    if [ -s "$breakable_disk" ]; then
      touch "$controls.breakable"
      echo "$breakable_disk"
      return
    fi
    sleep 0.05
  done
  say "no FUSE here: the disk is a plain one"
  echo "$disk"
}

start_disk() {
  local device=$disk
  if [ ! -e "$disk" ]; then
    # Named only when complete: a container killed here starts afresh.
    rm -f "$disk.new"
    truncate --size "${disk_gib}G" "$disk.new"
    mkfs.btrfs --quiet --nodiscard "$disk.new"
    mv "$disk.new" "$disk"
  fi
  if [ "${COBALT_DISK:-plain}" = breakable ]; then device=$(break_disk); fi
  mkdir -p "$mount_point"
  mount_disk "$device"
  btrfs quota enable "$mount_point"
  touch "$controls.ready"
}

start_bus() {
  mkdir -p /run/dbus
  rm -f /run/dbus/pid /run/dbus/system_bus_socket # Left by one that was killed.
  dbus-daemon --system --fork --nopidfile
}

# When ganesha dies it is started again, at most once a second. It ends by itself when its bus is gone.
run_ganesha() {
  mkdir -p /var/lib/cobalt/ganesha /run/ganesha/exports
  while true; do
    pidof dbus-daemon >/dev/null || start_bus || true
    ganesha.nfsd -F -L STDOUT -p /run/ganesha/ganesha.pid -f /usr/local/lib/cobalt-rig/ganesha.conf || true
    say "nfs-ganesha ended; starting it again"
    sleep 1
  done
}

# Only what is started after it, which is the daemon, sees the wrong time.
start_clock() {
  printf '+0' >"$clock"
  (node /opt/cobalt/src/rig/clock/main.ts &)
  # After the keeper, and after every command of this script.
  preload=$(echo /usr/lib/*/faketime/libfaketimeMT.so.1)
  export LD_PRELOAD=$preload FAKETIME_TIMESTAMP_FILE=$clock FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
}

(run_ganesha &) # A child of init's, not of the daemon's.
start_disk

if [ "${COBALT_CLOCK:-host}" = own ]; then start_clock; fi
if [ $# -eq 0 ]; then set -- node /opt/cobalt/src/daemon/main.ts; fi
exec "$@"
