#!/bin/sh
# The virtual machine, with what its caller adds. What is here has to be the same whenever one goes on from the state
# that another left.
set -eu
export LD_LIBRARY_PATH=/opt/vm/lib
# What a boot in software is spared: to ward off attacks, to measure what QEMU knows, and to look for what isn't there.
exec /opt/vm/bin/qemu-system-x86_64 -L /opt/vm/share -M q35 -cpu max -m 128 \
  -nodefaults -no-user-config -no-reboot -display none \
  -device virtio-net-pci,netdev=net,romfile= \
  -kernel /opt/vm/vmlinuz -initrd /opt/vm/initramfs \
  -append 'console=ttyS0 quiet panic=-1 mitigations=off lsm=capability audit=0 random.trust_cpu=on nokaslr no_timer_check' \
  "$@"
