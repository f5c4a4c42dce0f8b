// Answers that many calls about volumes and nodes have in common, for their descriptions.

import type { Answer } from './route.ts';
import { errorView, volumeView } from './schemas.ts';

export const ETAG = {
  etag: 'In quotes: the modification revision of the key in etcd, and after a - what else the answer depends on.',
};
export const refused = (description: string): Answer => ({ description, schema: errorView });

export const accepted: Answer = {
  description: 'Accepted; the volume as it is now.',
  schema: volumeView,
  headers: ETAG,
};
export const same: Answer = { description: 'It is so already.', headers: ETAG };
export const absent = refused('There is no such volume.');
export const stale = refused('If-Match names another revision.');
