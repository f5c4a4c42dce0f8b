// Sizes: people and etcd speak GiB, disks speak bytes.

export const BYTES_PER_GIB = 1024 ** 3;

/** The smallest reservation, in GiB: 16 MiB (design.md). */
export const SMALLEST_RESERVATION_GIB = 1 / 64;

/** GiB to whole bytes, rounded down to a 4 KiB block so that a quota never exceeds its reservation. */
export function gibToBytes(gib: number): number {
  return Math.floor((gib * BYTES_PER_GIB) / 4096) * 4096;
}

/** Bytes to GiB, exact. */
export function bytesToGib(bytes: number): number {
  return bytes / BYTES_PER_GIB;
}
