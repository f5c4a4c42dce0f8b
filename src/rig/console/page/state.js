// What the page knows: the items that the console has told of, and who wants to know when they change.

/** @typedef {import('../items.ts').Item} Item */
/** @typedef {import('../items.ts').MemberItem} MemberItem */
/** @typedef {import('../items.ts').VolumeItem} VolumeItem */
/** @typedef {import('../story.ts').StoryLine} StoryLine */

/** @type {Map<string, Item>} */
const known = new Map();
/** @type {(() => void)[]} */
const followers = [];
let ahead = 0;

/** @param {() => void} listener */
export function whenChanged(listener) {
  followers.push(listener);
}

/** @param {{ readonly isWhole: boolean, readonly set: Record<string, Item>, readonly gone: readonly string[] }} change */
export function takeItems({ isWhole, set, gone }) {
  if (isWhole) known.clear();
  for (const id of gone) known.delete(id);
  for (const [id, item] of Object.entries(set)) known.set(id, item);
  for (const follow of followers) follow();
}

/** How far the console's clock is ahead of this one. @param {number} nowMs */
export function clockIs(nowMs) {
  ahead = nowMs - Date.now();
}

/** By the console's clock. */
export const nowMs = () => Date.now() + ahead;

/**
 * @template {Item['is']} Kind
 * @param {Kind} kind
 * @returns {Extract<Item, { is: Kind }>[]}
 */
export function all(kind) {
  return /** @type {Extract<Item, { is: Kind }>[]} */ ([...known.values()].filter(({ is }) => is === kind));
}

/**
 * @template {Item['is']} Kind
 * @param {Kind} kind
 * @returns {Extract<Item, { is: Kind }> | undefined}
 */
export function one(kind) {
  const found = known.get(kind);
  return found?.is === kind ? /** @type {Extract<Item, { is: Kind }>} */ (found) : undefined;
}

export const kind = document.documentElement.dataset.kind;

/** @type {{ readonly sinceMs: number, readonly isOver: boolean } | null} */
let lost = null;

/** Since when the console itself is not heard, and whether it has ended; null: it is. @param {typeof lost} now */
export function linkIs(now) {
  lost = now;
  for (const follow of followers) follow();
}

/**
 * Since when nothing is heard of the cluster, why, and what to do; null while it is heard of.
 * @returns {{ readonly sinceMs: number, readonly why: string, readonly next: string } | null}
 */
export function unheard() {
  if (lost !== null) {
    const why = lost.isOver ? 'The console has ended' : 'The console does not answer';
    return { sinceMs: lost.sinceMs, why, next: lost.isOver ? 'Start it again with rig console.' : '' };
  }
  const gone = one('cluster')?.gone ?? null;
  if (gone === null) return null;
  const what = gone.isUnreachable === true ? 'Cluster out of reach' : 'Cluster gone';
  return { sinceMs: gone.atMs, why: `${what}: ${gone.why}`, next: gone.next };
}

/** Who leads, for as long as somebody can tell. */
export const leaderNow = () =>
  unheard() === null && (one('etcd')?.stale ?? null) === null ? one('leader') : undefined;

/** Whether anything can be asked for: not of a run that is over, nor of a cluster that is gone. */
export const canAct = () =>
  one('cluster')?.gone === null && kind === 'cluster' && one('cluster')?.limits === null;

/** `12 s`, `3 min`. @param {number} ms */
export function ageOf(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 100) return `${s} s`;
  const min = Math.round(s / 60);
  return min < 100 ? `${min} min` : `${Math.round(min / 60)} h`;
}

/** @param {number} ms */
export const timeOf = (ms) => new Date(ms).toTimeString().slice(0, 8);
