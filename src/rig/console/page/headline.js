// The one sentence that tells how things are.

import { element } from '../../report/page/dom.js';
import { mark, put, say } from './build.js';
import { ageOf, all, kind, leaderNow, nowMs, one, timeOf, unheard, whenChanged } from './state.js';

export function mountHeadline() {
  const line = element('headline', HTMLElement);
  const more = element('headline-more', HTMLElement);
  const etcd = element('etcd-state', HTMLElement);
  const show = () => {
    const { tone, text, next } = headlineOf();
    say(line, text);
    mark(line, 'tone', tone);
    put(more, next);
    const folder = one('cluster')?.folder;
    put(element('folder', HTMLElement), folder === undefined ? '' : ` · ${folder}`);
    const { stale = null, revision = 0 } = one('etcd') ?? {};
    put(
      etcd,
      stale === null ? `etcd revision ${revision}` : `etcd silent for ${ageOf(nowMs() - stale.sinceMs)}`,
    );
    const isHeard = stale === null && unheard() === null;
    mark(etcd, 'tone', isHeard ? 'good' : 'bad');
    document.documentElement.dataset.etcd = isHeard ? 'good' : 'stale';
  };
  whenChanged(show);
  if (kind !== 'run') setInterval(show, 1000);
}

function headlineOf() {
  const silent = unheard();
  if (silent !== null) {
    const since = `Nothing was heard since ${timeOf(silent.sinceMs)}, ${ageOf(nowMs() - silent.sinceMs)} ago: what is shown is from before.`;
    return { tone: 'bad', text: silent.why, next: `${silent.next} ${since}`.trim() };
  }
  if (one('cluster') === undefined) return { tone: 'plain', text: 'Looking around.', next: '' };
  const stale = one('etcd')?.stale ?? null;
  if (stale !== null)
    return {
      tone: 'bad',
      text: `etcd has not answered for ${ageOf(nowMs() - stale.sinceMs)}`,
      next: `Nodes, volumes and keys are as they were then. ${stale.why}.`,
    };
  const leader = leaderNow();
  const broken = all(kind === 'run' ? 'fault' : 'owed').length;
  const { text, next } = sumOf();
  if (leader === undefined) return { tone: 'doubtful', text: `Nobody leads. ${text}`, next };
  return { tone: broken === 0 ? 'good' : 'doubtful', text: `${leader.node} leads. ${text}`, next };
}

function sumOf() {
  const nodes = all('member').filter((member) => member.kind === 'node');
  const up = nodes.filter(
    ({ state, node }) => state === 'running' || (state === 'unknown' && node?.registered),
  );
  const volumes = all('volume');
  const ready = volumes.filter(({ state }) => state === 'ready').length;
  const broken = all(kind === 'run' ? 'fault' : 'owed').length;
  const what =
    broken === 0 ? 'Nothing is broken.' : `${broken} ${broken === 1 ? 'thing is' : 'things are'} broken.`;
  const text = `${up.length} of ${nodes.length} nodes run. ${what}`;
  const next =
    volumes.length === 0 ? 'There is no volume yet.' : `${ready} of ${volumes.length} volumes ready.`;
  return { text, next };
}
