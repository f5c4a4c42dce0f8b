// The script of the console's page: shows what the console tells, and asks it for what somebody wants.

import { mountActs, mountOwed } from './acts.js';
import { mountHeadline } from './headline.js';
import { createKeys } from './keys.js';
import { followConsole } from './link.js';
import { createLogs } from './logs.js';
import { mountNodes } from './nodes.js';
import { mountPlayer } from './player.js';
import { mountShortcuts } from './shortcuts.js';
import { clockIs, kind, takeItems, timeOf } from './state.js';
import { createStoryList } from './story.js';
import { mountVolumes } from './volumes.js';

const ofRun = (/** @type {number} */ ms) => `+${(ms / 1000).toFixed(3)}`;
const timeText = kind === 'run' ? ofRun : timeOf;

mountHeadline();
mountNodes();
mountVolumes();
if (kind !== 'run') mountActs();
mountOwed();
const story = createStoryList(timeText);
const logs = createLogs(timeText);
const keys = createKeys();
const revisions = { '[': () => keys.step(-1), ']': () => keys.step(1), '\\': keys.newest };

if (kind === 'run') void watchAgain();
else watchLive();

function watchLive() {
  let isFirst = true;
  followConsole({
    view: ({ nowMs, isWhole, set, gone, story: lines }) => {
      clockIs(nowMs);
      takeItems({ isWhole, set, gone });
      if (isWhole) story.reset(lines);
      else story.add(lines);
      if (isWhole) logs.reset([]);
      // What was missed of the keys while nobody listened, nobody tells.
      if (isWhole) keys.reset();
      if (isFirst) document.documentElement.dataset.ready = 'yes';
      isFirst = false;
    },
    keys: keys.add,
    reset: keys.reset,
    logs: ({ lines }) => logs.add(lines),
  });
  mountShortcuts(revisions);
}

async function watchAgain() {
  let revision = -1;
  const player = await mountPlayer({
    show: (moment) => {
      story.reset(moment.story);
      logs.reset(moment.logs);
      if (moment.revision !== revision) keys.go(moment.revision);
      revision = moment.revision;
    },
  });
  followConsole({});
  mountShortcuts({ ...revisions, ' ': player.toggle, ',': () => player.step(-1), '.': () => player.step(1) });
  document.documentElement.dataset.ready = 'yes';
}
