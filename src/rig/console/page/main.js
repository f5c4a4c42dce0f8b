// The script of the console's page: shows what the console tells, and asks it for what somebody wants.

import { mountActs, mountOwed } from './acts.js';
import { mountHeadline } from './headline.js';
import { addKeys, forgetKeys, goTo, mountKeys, stepBy } from './keys.js';
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
mountKeys();
const revisions = { '[': () => stepBy(-1), ']': () => stepBy(1), '\\': () => goTo(undefined) };

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
      if (isWhole) forgetKeys();
      if (isFirst) document.documentElement.dataset.ready = 'yes';
      isFirst = false;
    },
    keys: addKeys,
    reset: forgetKeys,
    logs: ({ lines }) => logs.add(lines),
  });
  mountShortcuts(revisions);
}

async function watchAgain() {
  let revision = -1;
  let told = '';
  const player = await mountPlayer((moment) => {
    // While it plays, most moments bring nothing new.
    const now = [moment.story, moment.logs]
      .map((lines) => `${lines.length} ${lines[0]?.atMs} ${lines.at(-1)?.atMs}`)
      .join();
    if (now !== told) {
      story.reset(moment.story);
      logs.reset(moment.logs);
    }
    told = now;
    if (moment.revision !== revision) goTo(moment.revision);
    revision = moment.revision;
  });
  followConsole({});
  mountShortcuts({ ...revisions, ' ': player.toggle, ',': () => player.step(-1), '.': () => player.step(1) });
  document.documentElement.dataset.ready = 'yes';
}
