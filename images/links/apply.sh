#!/bin/sh
# apply.sh RULES SHAPING DELAYS RESETS: puts them in the place of what was in force.
# RULES for iptables-restore, SHAPING for `tc -batch`, DELAYS for the sidecar itself;
# RESETS are addresses with which every connection ends.
set -eu

printf '%s' "$1" | iptables-restore --noflush
iptables -C INPUT -j COBALT-LINKS 2>/dev/null || iptables -I INPUT -j COBALT-LINKS
iptables -t mangle -C OUTPUT -j COBALT-LINKS 2>/dev/null || iptables -t mangle -I OUTPUT -j COBALT-LINKS

# What waits in a queue is lost with it: only when it has to change. A sidecar that is
# new may not be the first in this network.
if [ ! -e /run/shaping ] || [ "$2" != "$(cat /run/shaping)" ]; then
  tc qdisc del dev eth0 root 2>/dev/null || true
  printf '%s' "$2" | tc -batch -
  printf '%s' "$2" >/run/shaping
fi

# Without CONFIG_INET_DIAG_DESTROY they end with the next packet.
for peer in $4; do ss --tcp --kill dst "$peer" >/dev/null 2>&1 || true; done

exec perl /opt/cobalt/probe.pl ask "delays $3"
