#!/bin/busybox sh
# The first process of the virtual machine: devices, modules, the network, and then the agent.
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /lib/modules/*.ko; do insmod "$module"; done
ifconfig lo 127.0.0.1 up
ifconfig eth0 198.18.0.15 netmask 255.255.255.0 up
route add default gw 198.18.0.2
exec perl /agent.pl 0.0.0.0 7000
