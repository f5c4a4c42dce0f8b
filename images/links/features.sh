#!/bin/sh
# Prints what this kernel can do to packets, a word a line: each is tried, in a network of its own.

try() {
  feature=$1
  shift
  if "$@" >/dev/null 2>&1; then echo "$feature"; fi
}

iptables -N TRY
try drop iptables -A TRY -s 192.0.2.1 -j DROP
try loss iptables -A TRY -m statistic --mode random --probability 0.5 -j DROP
try reset iptables -A TRY -p tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset
try mute iptables -A TRY -p tcp --tcp-flags SYN,FIN,RST,PSH,ACK ACK -m conntrack --ctdir REPLY -m length --length 0:80 -j RETURN

limit() {
  tc qdisc add dev lo root handle 1: htb &&
    tc class add dev lo parent 1: classid 1:1 htb rate 1000kbit &&
    tc filter add dev lo parent 1: protocol ip prio 1 u32 match ip dst 192.0.2.1/32 flowid 1:1
}
try limit limit
try netem tc qdisc add dev lo parent 1:1 netem delay 10ms 1ms rate 10gbit

divert() {
  mkdir -p /dev/net
  [ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200
  ip tuntap add dev try mode tun && ip rule add fwmark 1 lookup 77 &&
    iptables -t mangle -A OUTPUT -m mark ! --mark 2 -j MARK --set-mark 1
}
try tun divert
