// Cobalt's shapes and etcd's protobuf messages, each from the other.

import type { ICompare, IKeyValue, IRangeRequest, IRequestOp } from 'etcd3';
import type { Compare, KeyValue, ListOptions, Write } from './kv.ts';

const ZERO_BYTE = Buffer.from([0]);

export function toKeyValue(kv: IKeyValue): KeyValue {
  return {
    key: kv.key.toString(),
    value: kv.value.toString(),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: kv.lease,
  };
}

/** The half-open range of every key with the prefix (etcd's api/etcdserverpb/rpc.proto, RangeRequest). */
export function toPrefixRange(prefix: string): { key: Buffer; range_end: Buffer } {
  if (prefix === '') return { key: ZERO_BYTE, range_end: ZERO_BYTE };
  const key = Buffer.from(prefix);
  // UTF-8 has no byte 0xff, so the last byte can always be counted up.
  const end = Buffer.from(key);
  end[end.length - 1] = (end[end.length - 1] as number) + 1;
  return { key, range_end: end };
}

/** The range of a list, or of a page of it. */
export function toListRange(prefix: string, options: ListOptions = {}): IRangeRequest & { key: Buffer } {
  const { after, limit, revision } = options;
  const { key, range_end } = toPrefixRange(prefix);
  const next = after === undefined ? key : Buffer.concat([Buffer.from(after), ZERO_BYTE]);
  return {
    key: Buffer.compare(next, key) > 0 ? next : key,
    range_end,
    ...(limit !== undefined && { limit: String(limit) }),
    ...(revision !== undefined && { revision: String(revision) }),
  };
}

export function toCompare({ key, target, equals }: Compare): ICompare {
  const common = { key: Buffer.from(key), result: 'Equal' as const };
  switch (target) {
    case 'mod':
      return { ...common, target: 'Mod', mod_revision: String(equals) };
    case 'create':
      return { ...common, target: 'Create', create_revision: String(equals) };
    case 'version':
      return { ...common, target: 'Version', version: String(equals) };
  }
}

export function toRequestOp(write: Write): IRequestOp {
  const key = Buffer.from(write.key);
  if (write.kind === 'delete') return { request_delete_range: { key } };
  return { request_put: { key, value: Buffer.from(write.value), lease: write.lease ?? '0' } };
}
