// The look of report.html, in daylight and at 3 a.m.

/** The content of the page's only style element. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f5f6f8; --ink: #1c2128; --faint: #5f6975; --line: #d9dee4;
  --good: #1a7f4b; --bad: #c4262e; --doubt: #9a6700;
  --blue: #b9d6f7; --teal: #b5e0d8; --violet: #d9ccf5; --sand: #eadfb8;
  --rose: #f6c4c6; --green: #bfe5cb; --grey: #d8dde3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1d2126; --ink: #e3e7ec; --faint: #98a2ae; --line: #333a42;
    --good: #4cc38a; --bad: #ff7b80; --doubt: #e0b040;
    --blue: #27476b; --teal: #1f4f4a; --violet: #463a6b; --sand: #544a26;
    --rose: #6b2f34; --green: #24513a; --grey: #3b434c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 1120px;
  background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
code, pre, .mono { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; }
.faint { color: var(--faint); }
.banner { border-left: 6px solid var(--tone); background: var(--raised); padding: 1rem 1.2rem; border-radius: 4px; }
.banner .verdict { color: var(--tone); font-weight: 700; }
.valid { --tone: var(--good); } .invalid { --tone: var(--bad); } .unknown { --tone: var(--doubt); }
.finding { border-left: 3px solid var(--tone); margin: 1rem 0 0; padding: .1rem 0 .1rem .9rem; }
.finding p { margin: 0 0 .3rem; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--faint); }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.tight { white-space: nowrap; }
.pill { color: var(--tone); font-weight: 600; white-space: nowrap; }
.pill::before { content: '●'; margin-right: .4em; }
.bound { background: var(--grey); border-radius: 3px; height: .5rem; width: 8rem; overflow: hidden; margin-top: .45rem; }
.bound i { display: block; height: 100%; background: var(--tone); }
input, select { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .35rem .6rem; }
input { width: min(24rem, 100%); }
input:focus-visible, select:focus-visible, summary:focus-visible { outline: 2px solid var(--good); outline-offset: 1px; }
.controls { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin-bottom: .6rem; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
svg { display: block; width: 100%; min-width: 760px; height: auto; }
svg text { fill: var(--ink); font: 11px system-ui, sans-serif; }
svg .label { fill: var(--faint); font-size: 12px; }
svg .axis { fill: var(--faint); text-anchor: middle; }
svg .rule { stroke: var(--line); stroke-width: .6; }
svg .shade { fill: var(--rose); opacity: .25; }
.fault { fill: var(--rose); }
.leader-0 { fill: var(--blue); } .leader-1 { fill: var(--teal); } .leader-2 { fill: var(--violet); } .leader-3 { fill: var(--sand); }
.state-ready { fill: var(--green); } .state-error { fill: var(--bad); } .state-deleting { fill: var(--grey); }
.state-scheduling, .state-pending { fill: var(--sand); }
.state-resizing, .state-cloning, .state-moving { fill: var(--blue); }
path.call-ok { stroke: var(--good); stroke-width: 1.2; fill: none; opacity: .8; }
.call-fail { fill: var(--bad); } .call-info { fill: var(--doubt); } .call-refused { fill: var(--faint); }
tr:not(.open) td.long > div { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.level-error { color: var(--bad); } .level-warn { color: var(--doubt); }
.legend span { margin-right: 1.2em; white-space: nowrap; }
svg.swatch { display: inline-block; width: .8em; min-width: 0; margin-right: .35em; vertical-align: -1px; }
@media print { .controls { display: none; } body { max-width: none; } }
`;
