// Sizes: people and etcd speak GiB, disks speak bytes.

export const BYTES_PER_GIB = 1024 ** 3;

/** The smallest reservation, in GiB: 16 MiB. */
export const SMALLEST_RESERVATION_GIB = 1 / 64;

const BLOCK_BYTES = 4096;
/** Of a size in GiB, as people write it: as many as the smallest has. */
const MOST_DIGITS = 6;

/** GiB to whole bytes, rounded down to a 4 KiB block so that a quota never exceeds its reservation. */
export function gibToBytes(gib: number): number {
  return Math.floor((gib * BYTES_PER_GIB) / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Bytes to GiB, exact. */
export function bytesToGib(bytes: number): number {
  return bytes / BYTES_PER_GIB;
}

/**
 * For people: the shortest number of GiB that so many reservations may have been asked for as, of each of
 * which {@link gibToBytes} has left out less than a block.
 */
export function reservedGib({ bytes, count }: { readonly bytes: number; readonly count: number }): number {
  const exact = bytesToGib(bytes);
  // A sum of sizes of which nothing was left out.
  if (exact === Number(exact.toFixed(MOST_DIGITS))) return exact;
  const spared = bytesToGib(count * BLOCK_BYTES);
  for (let digits = 0; digits < MOST_DIGITS; digits += 1) {
    const shorter = Number(exact.toFixed(digits));
    if (shorter >= exact && shorter - exact <= spared) return shorter;
  }
  return exact;
}
