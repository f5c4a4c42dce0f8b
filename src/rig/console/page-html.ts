// The console's page: what stands there before its script fills it, in the order in which
// the keyboard goes through it.

import { embeddedJson, escapeHtml } from '../report/escape.ts';
import type { FaultForm } from './fault-form.ts';
import type { ConsoleKind } from './items.ts';

export interface PageOptions {
  readonly title: string;
  readonly kind: ConsoleKind;
  /** What the page shows to act. */
  readonly token: string;
  readonly forms: readonly FaultForm[];
}

const KIND_WORDS: Readonly<Record<ConsoleKind, string>> = {
  cluster: 'cluster',
  fleet: 'fleet',
  run: 'recorded run',
};

/** The text of the page. Its script and its styles are beside it. */
export function pageHtml({ title, kind, token, forms }: PageOptions): string {
  const name = escapeHtml(title);
  return `<!doctype html>
<html lang="en" data-kind="${kind}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="console-token" content="${token}">
<title>${name}: console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console.css">
<script type="application/json" id="fault-forms">${embeddedJson(forms)}</script>
<script src="/console.js" defer></script>
</head>
<body>
<a class="skip" href="#nodes-title">To the nodes</a>
<header class="top">
<div class="name"><h1>${name}</h1><p class="faint">${KIND_WORDS[kind]}<span id="folder"></span></p></div>
<div class="state"><span id="link" class="badge" role="status">connecting</span><span id="etcd-state" class="badge">etcd</span><button type="button" id="help-open" aria-haspopup="dialog">Keys<kbd aria-hidden="true">?</kbd></button></div>
<p id="headline" class="headline" data-tone="plain">Looking around.</p>
<p id="headline-more" class="faint more"></p>
</header>
<p id="trouble" class="trouble" role="alert" hidden></p>
<p id="said" class="unseen" role="status" aria-live="polite"></p>
${kind === 'run' ? PLAYER : ''}
<main>
<section class="nodes" aria-labelledby="nodes-title">
<h2 id="nodes-title" tabindex="-1">Nodes</h2>
<div class="find" id="nodes-find" hidden><input id="nodes-search" type="search" placeholder="name, label or state" aria-label="Search nodes"><span id="nodes-count" class="faint"></span></div>
<div id="nodes" class="cards"></div>
<p id="nodes-empty" class="empty">No node has been seen yet.</p>
<h3 id="others-title">Store and consumers</h3>
<div id="others" class="rows"></div>
</section>
<aside aria-label="Acts and what happened">
${ASIDES[kind]}
<section aria-labelledby="story-title">
<h2 id="story-title">What happened</h2>
<ol id="story" class="story" tabindex="0" aria-labelledby="story-title"></ol>
<p id="story-empty" class="empty">Nothing yet. What changes is told here.</p>
</section>
${kind === 'cluster' ? ANY_FAULT : ''}
</aside>
<section class="volumes" aria-labelledby="volumes-title">
<h2 id="volumes-title" tabindex="-1">Volumes</h2>
<div class="scroll"><table><thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Node</th><th scope="col" class="number">GiB</th><th scope="col">Exported to</th></tr></thead><tbody id="volumes"></tbody></table></div>
<p id="volumes-more" class="faint" hidden></p>
<p id="volumes-empty" class="empty">No volume yet. <code>rig volume create first</code> orders one, and it shows here.</p>
</section>
${KEYS_PANEL}
${LOGS_PANEL}
</main>
${HELP}
</body>
</html>
`;
}

const REHEARSAL = `<section id="rehearse" aria-labelledby="rehearse-title">
<h2 id="rehearse-title">Rehearse a failure</h2>
<p id="limits" class="faint" hidden></p>
<div id="quick" class="quick"></div>
<ol id="orders" class="orders" aria-label="What was asked for here"></ol>
</section>
<section id="undo" aria-labelledby="undo-title">
<div class="line"><h2 id="undo-title">To undo</h2><button type="button" id="undo-all" disabled>Undo all<kbd aria-hidden="true">u</kbd></button></div>
<ul id="owed" class="owed"></ul>
<p id="owed-empty" class="empty">Nothing is broken by hand.</p>
</section>`;

const ANY_FAULT = `<section aria-labelledby="fault-title">
<h2 id="fault-title">Any fault</h2>
<form id="fault-form">
<div class="field"><label for="fault">Kind</label><select id="fault"></select></div>
<div id="fault-fields" class="fields"></div>
<p id="fault-note" class="faint note"></p>
<datalist id="whom"></datalist>
<div class="field"><label for="fault-for">Heal after, in seconds (empty: by hand)</label><input id="fault-for" type="number" min="1" max="99999" step="1" autocomplete="off"></div>
<button type="submit" id="fault-inject">Inject</button>
</form>
</section>`;

const BROKEN = `<section aria-labelledby="broken-title">
<h2 id="broken-title">Broken at this moment</h2>
<p id="limits" class="faint"></p>
<ul id="owed" class="owed"></ul>
<p id="owed-empty" class="empty">Nothing is broken.</p>
</section>`;

const POWER = `<section id="rehearse" aria-labelledby="rehearse-title">
<h2 id="rehearse-title">Power</h2>
<p id="limits" class="faint"></p>
<ol id="orders" class="orders" aria-label="What was asked for here"></ol>
</section>`;

const ASIDES: Readonly<Record<ConsoleKind, string>> = { cluster: REHEARSAL, fleet: POWER, run: BROKEN };

const PLAYER = `<section class="player" aria-labelledby="player-title">
<h2 id="player-title" class="unseen">Time of the run</h2>
<div class="controls"><button type="button" id="play" aria-pressed="false">Play<kbd aria-hidden="true">space</kbd></button><button type="button" id="step-back" aria-label="To the change before">‹</button><button type="button" id="step-on" aria-label="To the next change">›</button><label>Speed <select id="speed"><option value="1">1 ×</option><option value="4" selected>4 ×</option><option value="16">16 ×</option><option value="64">64 ×</option></select></label><output id="moment" class="time">+0.000 s</output></div>
<input id="time" type="range" min="0" max="1" step="any" value="0" aria-label="Time of the run">
<div class="lanes"><canvas id="lanes" role="img" aria-label="Time line of the run: faults, nodes and their roles, volumes. The slider above moves through it."></canvas><div id="playhead"></div><div id="tip" hidden></div></div>
</section>`;

const KEYS_PANEL = `<section class="keys" aria-labelledby="keys-title">
<div class="line"><h2 id="keys-title" tabindex="-1">etcd, at any revision</h2><input id="keys-search" type="search" placeholder="key or value" aria-label="Search keys"></div>
<div class="controls history"><button type="button" id="revision-back" aria-label="One revision back">‹</button><input id="revision" type="range" min="1" max="1" step="1" value="1" aria-label="Revision of etcd"><button type="button" id="revision-on" aria-label="One revision on">›</button><button type="button" id="revision-live" aria-pressed="true">Newest</button></div>
<p id="revision-told" class="time" role="status">Waiting for etcd.</p>
<div class="columns"><div id="tree" class="tree" role="group" aria-label="Keys"></div><div class="value"><ul id="revision-changes" class="changes" aria-label="What this revision changed"></ul><h3 id="key-title">No key is chosen</h3><p id="key-facts" class="faint">Choose one to see its value, and every change that is known of it.</p><pre id="key-value" tabindex="0" aria-labelledby="key-title" hidden></pre><ol id="key-versions" class="versions" aria-label="Changes of this key"></ol></div></div>
</section>`;

const LOGS_PANEL = `<section class="logs" aria-labelledby="logs-title">
<h2 id="logs-title" tabindex="-1">Logs</h2>
<div class="controls"><select id="logs-member" aria-label="Member"><option value="">all members</option></select><select id="logs-role" aria-label="Role"><option value="">all roles</option><option>api</option><option>engine</option><option>agent</option><option>supervisor</option></select><select id="logs-level" aria-label="Least level"><option>debug</option><option selected>info</option><option>warn</option><option>error</option></select><input id="logs-search" type="search" placeholder="words" aria-label="Search logs"><label class="check"><input id="logs-follow" type="checkbox" checked> follow</label><span id="logs-count" class="faint"></span></div>
<ol id="log-lines" class="log" tabindex="0" aria-labelledby="logs-title"></ol>
<p id="logs-empty" class="empty">No line that fits.</p>
</section>`;

const SHORTCUTS: readonly (readonly [key: string, what: string])[] = [
  ['k', 'to the button that kills the leader; Enter does it'],
  ['f', 'to the choice of faults'],
  ['u', 'to the button that undoes everything; Enter does it'],
  ['n, v, e, l', 'to nodes, volumes, etcd, logs'],
  ['[ ]', 'one revision of etcd back, on'],
  ['\\', 'to the newest revision'],
  ['space', 'plays a recorded run, or halts it'],
  [', .', 'of a recorded run: to the change before, to the next'],
  ['/', 'to the search of the logs'],
  ['?', 'this list; Escape closes it'],
];

const HELP = `<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2><dl>${SHORTCUTS.map(
  ([key, what]) => `<dt><kbd>${escapeHtml(key)}</kbd></dt><dd>${what}</dd>`,
).join(
  '',
)}</dl><p class="faint">A key only moves the focus; Enter or space acts. While something is typed they are letters.</p><form method="dialog"><button>Close</button></form></dialog>`;
