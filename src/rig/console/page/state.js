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
