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
# The container is to be run with an init, whose child the daemon's supervisor
# is: when that ends, or is killed, the container ends with it (137 after
# `kill -9`), ganesha, the mounts and all, as if the node had lost its power. A
# role that is killed ends alone.
#
# Needs: cap_add SYS_ADMIN, DAC_READ_SEARCH, NET_ADMIN; seccomp and apparmor
# unconfined; device rules `b 7:* rmw` and `c 10:237 rmw`.
set -euo pipefail

readonly disk=/var/lib/cobalt/disk.img
readonly disk_gib=${COBALT_DISK_GIB:-10}
readonly mount_point=${COBALT_VOLUME_PATH:-/srv/cobalt}
readonly mount_tries=20

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
  local try reason=
  for ((try = 1; try <= mount_tries; try++)); do
    make_loop_nodes
    if reason=$(mount -o loop,noatime "$disk" "$mount_point" 2>&1); then return 0; fi
    sleep "0.$((RANDOM % 9 + 1))"
  done
  say "cannot mount $disk at $mount_point after $mount_tries tries: $reason"
  return 1
}

start_disk() {
  if [ ! -e "$disk" ]; then
    # Named only when complete: a container killed here starts afresh.
    rm -f "$disk.new"
    truncate --size "${disk_gib}G" "$disk.new"
    mkfs.btrfs --quiet --nodiscard "$disk.new"
    mv "$disk.new" "$disk"
  fi
  mkdir -p "$mount_point"
  mount_disk
  btrfs quota enable "$mount_point"
}

# When ganesha dies it is started again, at most once a second.
run_ganesha() {
  mkdir -p /var/lib/cobalt/ganesha /run/ganesha/exports
  while true; do
    ganesha.nfsd -F -L STDOUT -p /run/ganesha/ganesha.pid -f /usr/local/lib/cobalt-rig/ganesha.conf || true
    say "nfs-ganesha ended; starting it again"
    sleep 1
  done
}

start_services() {
  mkdir -p /run/dbus
  rm -f /run/dbus/pid /run/dbus/system_bus_socket # Left by a container that was killed.
  dbus-daemon --system --fork --nopidfile
  (run_ganesha &) # A child of init's, not of the daemon's.
}

start_services
start_disk

if [ $# -eq 0 ]; then set -- node /opt/cobalt/src/daemon/main.ts; fi
exec "$@"
