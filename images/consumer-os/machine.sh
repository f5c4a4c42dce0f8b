#!/bin/sh
# Puts a virtual machine into a folder: QEMU with the libraries that it needs (its packages are
# twice as large), Debian's kernel for clouds, and a root in memory that has little but an NFS client.
# Elsewhere than on amd64 there is only what mounts by the host's own kernel.
set -eu
to=$1
root=$(mktemp -d)
mkdir -p "$to/bin" "$to/lib" "$to/share"
cp /build/agent.pl "$to/agent.pl"
cp "$(command -v busybox)" "$to/bin/busybox"
[ "$(dpkg --print-architecture)" = amd64 ] || exit 0

libraries() { ldd "$1" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }'; }

cp "$(command -v qemu-system-x86_64)" "$to/bin/"
cp /build/qemu.sh "$to/qemu.sh"
for library in $(libraries "$to/bin/qemu-system-x86_64"); do cp -L "$library" "$to/lib/"; done
cp -L /usr/share/seabios/bios-256k.bin /usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/kvmvapic.bin "$to/share/"

# Unpacked, not installed: an installation would make an initramfs of its own.
cd "$(mktemp -d)"
package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
apt-get download -qq "$package"
dpkg-deb --extract ./*.deb .
cp boot/vmlinuz-* "$to/vmlinuz"
version=$(ls lib/modules 2>/dev/null || ls usr/lib/modules)
[ -d lib/modules ] || ln -s usr/lib lib
depmod --basedir . "$version"

mkdir -p "$root/bin" "$root/dev" "$root/lib/modules" "$root/mnt" "$root/proc" "$root/sys" "$root/tmp"
# In the order in which they are loaded. What a load has to read is paid for in time: no signatures, nothing to debug with.
for module in virtio_net nfsv4; do
  modprobe --dirname . --set-version "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > order
number=100
while read -r module; do
  name=$(basename "$module" .xz)
  xz --decompress --stdout "$module" > "$root/lib/modules/$number-$name"
  objcopy --strip-debug --remove-section=.BTF --remove-section=.BTF.base "$root/lib/modules/$number-$name"
  number=$((number + 1))
done < order

cp "$to/bin/busybox" "$root/bin/busybox"
cp /build/agent.pl "$root/agent.pl"
cp /build/init.sh "$root/init"
chmod 755 "$root/init"
# Perl with what the agent loads, by its own word.
perl=$(command -v perl)
parts=$(perl -e 'require "/build/agent.pl"; print join "\n", values %INC, @DynaLoader::dl_shared_objects')
for file in "$perl" $(libraries "$perl") $parts; do
  [ "$file" = /build/agent.pl ] || { mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; }
done
cd "$root"
# Not compressed: to unpack it would take longer than to read it.
find . | cpio --create --format=newc --quiet > "$to/initramfs"

# Its state once the agent listens: to go on from that takes a tenth of a boot in software. What the machines that do so
# must not share, the agent changes when it is asked to wake.
cd "$(mktemp -d)"
mkfifo commands
: > serial
timeout 300 sh "$to/qemu.sh" -accel tcg -netdev user,id=net,net=198.18.0.0/24 -serial file:serial -monitor stdio < commands > monitor 2>&1 &
machine=$!
# Opened as long as it runs: it takes the end of its commands for their last.
exec 3> commands
# Ends with the machine, whatever that comes to.
if tail --pid="$machine" --follow --lines=+1 serial | grep --quiet --max-count=1 'agent is ready'; then
  echo 'migrate_set_parameter max-bandwidth 10g' >&3
  # Under its name once it is whole.
  echo "migrate \"exec:zstd -9 --quiet --force -o state.zst && mv state.zst $to/state.zst\"" >&3
  echo quit >&3
fi
exec 3>&-
wait "$machine" || true
[ -s "$to/state.zst" ] || {
  tail serial monitor
  echo 'a machine could not be booted here: each boots for itself'
}
