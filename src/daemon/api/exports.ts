// PUT /volumes/:id/exports: who may mount a volume.

import { reexported } from '../../model/changes.ts';
import { sameRules } from '../../model/export.ts';
import { absent, accepted, refused, same, stale } from './answers.ts';
import { authorOf, changeVolume, INDEPENDENT_ATTEMPTS, unchangedVolume, wrongState } from './change.ts';
import { type Route, route } from './route.ts';
import { changedExportsBody, volumeParams } from './schemas.ts';

const changeExports = route({
  method: 'PUT',
  path: '/volumes/:id/exports',
  id: 'changeExports',
  summary: 'Replaces the hosts that may mount a volume.',
  params: volumeParams,
  body: changedExportsBody,
  conditional: true,
  answers: {
    202: accepted,
    304: same,
    404: absent,
    409: refused('The volume is being deleted, or was changed again and again meanwhile.'),
    412: stale,
  },
  handle: (context, { params, body, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: INDEPENDENT_ATTEMPTS,
      ifMatch,
      decide: async (stored) => {
        const volume = stored.value;
        if (volume.state === 'deleting') return { answer: wrongState(volume, 'exported') };
        if (sameRules(volume.exports, body.exports))
          return { answer: await unchangedVolume(context, stored) };
        return { write: reexported(volume, body.exports, authorOf(context)) };
      },
    }),
});

export const exportRoutes: readonly Route[] = [changeExports];
