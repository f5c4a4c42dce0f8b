// The look of the console: calm, and the same by day and by night as that of report.html.

import { PALETTE } from '../report/styles.ts';

export const CONSOLE_STYLES = `${PALETTE}
:root { --flash: rgba(47, 111, 179, .20); --lead: #8a5a00; --lead-soft: #fdf3dc; --card: #ffffff; --ground: #f3f4f7; --soft-bad: #fdeced; --soft-doubt: #fdf5e2; --soft-good: #e9f6ee; }
@media (prefers-color-scheme: dark) {
  :root { --flash: rgba(111, 176, 240, .26); --lead: #f0c35a; --lead-soft: #2f2915; --card: #1b1f24; --ground: #121519; --soft-bad: #35191c; --soft-doubt: #302814; --soft-good: #14291e; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 7rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14.5px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1, h2, h3, h4, p, ul, ol, dl, pre { margin: 0; padding: 0; }
ul, ol { list-style: none; }
h1 { font-size: 1.15rem; line-height: 1.3; }
h2 { font-size: .98rem; font-weight: 650; }
h2:focus { outline-offset: 4px; }
h3 { font-size: .92rem; font-weight: 600; }
h4 { font-size: .88rem; font-weight: 550; }
code, pre, .log, .tree button, .mono { font: 12.5px/1.5 ui-monospace, Menlo, Consolas, monospace; }
.faint { color: var(--faint); }
.empty { color: var(--faint); padding: .6rem 0; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.trouble { position: fixed; left: 50%; bottom: 1.2rem; transform: translateX(-50%); z-index: 8; width: max-content; max-width: min(40rem, 92vw); background: var(--bad); color: var(--card); border-radius: 8px; padding: .55rem 1rem; overflow-wrap: anywhere; }
.skip { position: absolute; left: .5rem; top: -3rem; background: var(--card); padding: .4rem .8rem; z-index: 9; }
.skip:focus { top: .5rem; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px; }
kbd { font: 11px/1 ui-monospace, Menlo, monospace; border: 1px solid var(--line); border-radius: 3px; padding: .12rem .3rem; margin-left: .5em; color: var(--faint); background: var(--card); }
button, select, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .28rem .65rem; min-width: 0; max-width: 100%; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--faint); }
button:disabled { opacity: .45; cursor: default; }
button[aria-pressed="true"] { background: var(--ink); color: var(--card); border-color: var(--ink); }
button[aria-pressed="true"] kbd { background: none; color: inherit; }
input[type="range"] { padding: 0; accent-color: var(--link); }
input[type="checkbox"] { accent-color: var(--link); }
.line { display: flex; align-items: center; justify-content: space-between; gap: .6rem; min-width: 0; }

.top { position: sticky; top: 0; z-index: 5; background: var(--card); border-bottom: 1px solid var(--line); padding: .6rem 1.25rem .55rem; display: grid; grid-template-columns: 1fr auto; gap: .1rem 1rem; align-items: center; }
.top .name { display: flex; align-items: baseline; gap: .6rem; min-width: 0; }
.top .name h1 { flex: none; max-width: 70%; }
.top .name p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.top .state { display: flex; gap: .45rem; align-items: center; }
.badge { font-size: .82rem; border-radius: 99px; padding: .1rem .65rem; background: var(--raised); color: var(--faint); white-space: nowrap; }
.badge::before { content: ''; display: inline-block; width: .5em; height: .5em; border-radius: 50%; background: currentColor; margin-right: .45em; vertical-align: .08em; }
.badge[data-tone="good"] { color: var(--good); background: var(--soft-good); }
.badge[data-tone="bad"] { color: var(--bad); background: var(--soft-bad); }
.headline { font-size: 1.22rem; font-weight: 600; letter-spacing: -.01em; min-height: 1.5em; grid-column: 1 / -1; border-radius: 4px; }
.headline[data-tone="bad"] { color: var(--bad); } .headline[data-tone="doubtful"] { color: var(--doubt); } .headline[data-tone="good"] { color: var(--ink); }
.more { grid-column: 1 / -1; min-height: 1.5em; }

main { max-width: 1480px; margin: 0 auto; padding: 1rem 1.25rem 4rem; display: grid; gap: 1rem; align-items: start; grid-template-columns: minmax(0, 1fr) 23rem; grid-template-areas: 'nodes aside' 'volumes aside' 'keys aside' 'logs logs'; grid-template-rows: auto auto 1fr; }
main > section, aside > section, .player { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .85rem 1rem 1rem; min-width: 0; }
aside { display: grid; gap: 1rem; grid-area: aside; min-width: 0; }
.nodes { grid-area: nodes; } .volumes { grid-area: volumes; } .keys { grid-area: keys; } .logs { grid-area: logs; }
.player { margin: 1rem auto 0; max-width: calc(1480px - 2.5rem); width: calc(100% - 2.5rem); }

.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .75rem; margin-top: .6rem; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .8rem .75rem; display: grid; gap: .45rem; align-content: start; min-width: 0; transition: border-color .4s, background-color .4s; }
.card[data-leads="true"] { border-color: var(--lead); box-shadow: inset 0 0 0 1px var(--lead); background: var(--lead-soft); }
.card[data-state="down"], .card[data-state="absent"], .card[data-state="off"] { background: var(--soft-bad); }
.card[data-state="frozen"] { background: var(--soft-doubt); }
.card h3, .row h4 { display: flex; align-items: center; gap: .45rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.dot { width: .6rem; height: .6rem; border-radius: 50%; background: var(--faint); flex: none; transition: background-color .4s; }
[data-state="running"] > h4 .dot, [data-state="running"] > .line .dot { background: var(--good); }
[data-state="down"] > h4 .dot, [data-state="down"] > .line .dot, [data-state="absent"] > .line .dot, [data-state="off"] > .line .dot { background: var(--bad); }
[data-state="frozen"] > h4 .dot, [data-state="frozen"] > .line .dot { background: var(--doubt); }
.leads { font-size: .74rem; font-weight: 700; letter-spacing: .05em; text-transform: uppercase; color: var(--lead); margin-right: auto; }
.word { color: var(--faint); font-size: .85rem; white-space: nowrap; }
.lease { height: 1.2rem; position: relative; font-size: .76rem; color: var(--lead); visibility: hidden; }
.card[data-leads="true"] .lease { visibility: visible; }
.lease i { position: absolute; left: 0; bottom: 0; height: 3px; border-radius: 2px; background: var(--lead); transition: width .12s linear; width: 0; }
html[data-kind="run"] .lease i, html[data-kind="fleet"] .lease, html[data-kind="fleet"] .roles { display: none; }
html[data-kind="fleet"] .cards { grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); }
html[data-kind="fleet"] .card .acts { grid-template-columns: 1fr 1fr; }
.roles { display: flex; flex-wrap: wrap; gap: .25rem; min-height: 1.75rem; }
.role { display: inline-flex; align-items: center; gap: 0; font-size: .74rem; border: 1px solid var(--line); border-radius: 6px; padding: 0 0 0 .35rem; background: var(--card); }
.role > span::before { content: ''; display: inline-block; width: .45em; height: .45em; border-radius: 50%; margin-right: .4em; background: var(--faint); vertical-align: .1em; }
.role[data-state="running"] > span::before { background: var(--good); } .role[data-state="frozen"] > span::before { background: var(--doubt); } .role[data-state="down"] > span::before { background: var(--bad); }
.role[data-state="down"] > span { color: var(--bad); } .role[data-state="frozen"] > span { color: var(--doubt); }
.role button { border: 0; background: none; padding: .1rem .25rem; font-size: .7rem; color: var(--faint); }
.role button:hover:not(:disabled) { color: var(--bad); }
html:not([data-kind="cluster"]) .role { padding-right: .5rem; }
.meter { height: 4px; border-radius: 2px; background: var(--line); overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--plot-0); transition: width .5s; width: 0; }
.facts { font-size: .82rem; overflow-wrap: anywhere; border-radius: 3px; }
.card .facts { min-height: 2.9em; }
.acts { display: flex; flex-wrap: wrap; gap: .3rem; }
.acts button { font-size: .8rem; padding: .15rem .5rem; }
.card .acts { display: grid; grid-template-columns: repeat(4, auto); }
.card .acts button { padding: .15rem .1rem; font-size: .78rem; }
#others-title { margin-top: 1rem; color: var(--faint); font-weight: 550; font-size: .85rem; }
.rows { display: grid; }
.row { display: grid; grid-template-columns: 8rem 4rem minmax(0, 1fr) auto; gap: .7rem; align-items: center; padding: .3rem 0; border-bottom: 1px solid var(--line); }
.row:last-child { border-bottom: 0; }
.row .facts { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.find { display: flex; gap: .6rem; align-items: center; margin-top: .5rem; }

.quick { display: grid; grid-template-columns: 1fr 1fr; gap: .45rem; margin: .6rem 0 .8rem; }
.act { padding: .45rem .6rem; text-align: left; }
#kill-leader { grid-column: 1 / -1; background: var(--bad); border-color: var(--bad); color: #fff; font-weight: 600; text-align: center; padding: .6rem; font-size: 1rem; }
@media (prefers-color-scheme: dark) { #kill-leader { color: #1b0507; } }
#kill-leader kbd { background: none; color: inherit; border-color: currentColor; opacity: .8; }
#fault-form { margin-top: .5rem; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .6rem; }
.field { display: grid; gap: .1rem; margin-bottom: .5rem; min-width: 0; }
.field label { font-size: .8rem; color: var(--faint); }
.field input, .field select { width: 100%; }
.note { font-size: .82rem; min-height: 2.6em; margin-bottom: .4rem; overflow-wrap: anywhere; }
.orders { margin-top: .7rem; display: grid; gap: .3rem; min-height: 1.6rem; }
.orders li { font-size: .85rem; display: grid; grid-template-columns: 5.2rem 1fr; gap: .4rem; overflow-wrap: anywhere; }
.orders [data-part="state"] { color: var(--faint); }
.orders [data-part="told"] { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; }
.orders [data-state="done"] [data-part="state"] { color: var(--good); } .orders [data-state="failed"] [data-part="state"] { color: var(--bad); } .orders [data-state="doubtful"] [data-part="state"] { color: var(--doubt); }
.orders [data-state="under way"] [data-part="state"], .orders [data-state="waiting"] [data-part="state"] { color: var(--link); }
.owed li { display: flex; justify-content: space-between; gap: .6rem; align-items: center; padding: .35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.owed li:last-child { border-bottom: 0; }
.owed li > span::before { content: '●'; color: var(--doubt); margin-right: .5em; font-size: .7em; vertical-align: .15em; }
.story { height: 16.5rem; overflow-y: auto; margin-top: .5rem; }
.story:empty { height: 0; margin: 0; }
.story li { display: grid; grid-template-columns: 4.4rem 1fr; gap: .5rem; padding: .16rem .2rem; border-radius: 4px; font-size: .87rem; overflow-wrap: anywhere; }
.story time { color: var(--faint); }
.story [data-tone="good"] span { color: var(--good); } .story [data-tone="bad"] span { color: var(--bad); } .story [data-tone="doubtful"] span { color: var(--doubt); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: .4rem; }
th, td { text-align: left; padding: .34rem .8rem .34rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; font-weight: 400; }
thead th { font-size: .8rem; color: var(--faint); }
tbody tr:last-child > * { border-bottom: 0; }
tbody th > span { font-weight: 550; margin-right: .6em; }
.number { text-align: right; }
.id { font-size: 11.5px; }
.pill { border-radius: 99px; padding: .05rem .6rem; background: var(--raised); font-size: .84rem; white-space: nowrap; }
[data-state="ready"] .pill { color: var(--good); background: var(--soft-good); }
[data-state="error"] .pill, [data-state="malformed"] .pill { color: var(--bad); background: var(--soft-bad); }
tr:not([data-state="ready"]):not([data-state="error"]):not([data-state="malformed"]) .pill { color: var(--doubt); background: var(--soft-doubt); }
.error { color: var(--bad); font-size: .84rem; margin-left: .6em; overflow-wrap: anywhere; }
.chip { display: inline-block; border: 1px solid var(--line); border-radius: 6px; padding: 0 .45rem; margin: 0 .3rem .15rem 0; font-size: .84rem; white-space: nowrap; }

.controls { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .6rem; }
.history { flex-wrap: nowrap; }
.history input { flex: 1; }
.time { color: var(--faint); min-height: 1.5em; margin-top: .3rem; overflow-wrap: anywhere; }
.columns { display: grid; grid-template-columns: minmax(15rem, 22rem) minmax(0, 1fr); gap: 1.2rem; margin-top: .4rem; }
.tree { max-height: 28rem; overflow-y: auto; border-right: 1px solid var(--line); padding-right: .6rem; min-height: 8rem; }
.tree[data-empty]::after { content: attr(data-empty); color: var(--faint); }
.tree summary { cursor: pointer; padding: .15rem 0; font-weight: 550; font-size: .88rem; }
.tree summary .faint { margin-left: .5em; font-weight: 400; }
.tree li button { display: flex; justify-content: space-between; gap: .6rem; width: 100%; border: 0; background: none; text-align: left; padding: .12rem .4rem .12rem 1rem; }
.tree li button span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tree li button em { font-style: normal; color: var(--faint); margin-left: auto; overflow: hidden; text-overflow: ellipsis; }
.tree li button small { color: var(--faint); }
.tree li button:hover { background: var(--raised); }
.tree li button[aria-current="true"] { background: var(--raised); box-shadow: inset 3px 0 0 var(--link); }
.tree li[data-new="true"] small { color: var(--link); font-weight: 700; }
.value { min-height: 12rem; min-width: 0; }
.value h3 { margin-top: .6rem; overflow-wrap: anywhere; }
.value pre { background: var(--raised); border-radius: 6px; padding: .6rem .8rem; margin-top: .4rem; max-height: 22rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.changes { min-height: 1.8rem; }
.changes li, .versions li { display: flex; flex-wrap: wrap; gap: .2rem .8rem; align-items: baseline; padding: .1rem 0; }
.changes button, .versions button { border: 0; background: none; padding: 0; color: var(--link); text-align: left; overflow-wrap: anywhere; }
.changes code, .versions code { color: var(--faint); overflow-wrap: anywhere; }
.versions { margin-top: .6rem; max-height: 12rem; overflow-y: auto; }
[data-did="deleted"] > button { color: var(--bad); } [data-did="created"] > button { color: var(--good); }
.keys .line input { width: min(18rem, 50%); }
.log { height: 22rem; overflow: auto; margin-top: .6rem; background: var(--raised); border-radius: 6px; padding: .5rem .7rem; overscroll-behavior: contain; }
.log li { display: grid; grid-template-columns: auto 9.5rem minmax(0, 1fr); gap: .7rem; }
.log time { color: var(--faint); } .log b { font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .log span { overflow-wrap: anywhere; }
.log li:not(.open) span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
.log [data-level="error"] span { color: var(--bad); } .log [data-level="warn"] span { color: var(--doubt); } .log [data-level="debug"] span { color: var(--faint); }
.log:empty { display: none; }
.check { white-space: nowrap; }

#time { width: calc(100% - 142px); margin: .6rem 0 .3rem 142px; }
.lanes { position: relative; max-height: 27rem; overflow-y: auto; }
#lanes { display: block; width: 100%; touch-action: pan-y; cursor: ew-resize; }
#playhead { position: absolute; top: 0; left: 0; width: 2px; margin-left: -1px; background: var(--link); pointer-events: none; }
#tip { position: absolute; z-index: 2; width: max-content; max-width: min(42rem, 90vw); pointer-events: none; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .3rem .6rem; font-size: .82rem; box-shadow: 0 2px 8px rgba(0, 0, 0, .25); }
dialog { border: 1px solid var(--line); border-radius: 12px; background: var(--card); color: var(--ink); max-width: 34rem; padding: 1.2rem 1.4rem; }
dialog::backdrop { background: rgba(0, 0, 0, .35); }
dialog dl { display: grid; grid-template-columns: auto 1fr; gap: .35rem .8rem; margin: .8rem 0; }
dialog dt kbd { margin: 0; white-space: nowrap; } dialog dd { margin: 0; }
dialog form { margin-top: .8rem; }
html[data-etcd="stale"] .nodes .cards, html[data-etcd="stale"] .volumes table, html[data-etcd="stale"] .keys .columns { opacity: .72; transition: opacity .4s; }

@media (max-width: 1000px) { main { grid-template-columns: minmax(0, 1fr); grid-template-areas: 'nodes' 'aside' 'volumes' 'keys' 'logs'; grid-template-rows: none; } }
@media (max-width: 640px) {
  .top { padding: .5rem .75rem; grid-template-columns: minmax(0, 1fr); position: static; }
  .top .state { flex-wrap: wrap; } main { padding: .75rem .75rem 3rem; gap: .75rem; } .player { width: calc(100% - 1.5rem); }
  .top .name { display: block; } .top .name h1 { max-width: none; } #time { width: calc(100% - 84px); margin-left: 84px; }
  .columns { grid-template-columns: minmax(0, 1fr); } .tree { border-right: 0; max-height: 15rem; padding: 0; }
  .row { grid-template-columns: minmax(0, 1fr) auto; gap: .2rem .6rem; } .row .facts { display: none; } .row .acts { grid-column: 1 / -1; }
  .log li { grid-template-columns: minmax(0, 1fr) auto; gap: 0 .6rem; padding-bottom: .25rem; } .log li b { grid-column: 1; grid-row: 1; } .log li time { grid-column: 2; grid-row: 1; } .log li span { grid-column: 1 / -1; }
  .headline { font-size: 1.08rem; } .cards { grid-template-columns: minmax(0, 1fr); } .id { display: none; }
  kbd { display: none; } dialog kbd { display: inline; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
