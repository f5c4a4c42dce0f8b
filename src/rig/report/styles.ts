// The look of report.html, in daylight and at 3 a.m.

/** Colours by their names, which canvases use, too. */
export const PALETTE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --raised: #f5f6f8; --ink: #1c2128; --faint: #5f6975; --line: #d9dee4; --link: #0b5cad;
  --good: #1a7f4b; --bad: #c4262e; --doubt: #9a6700; --shade: rgba(196, 38, 46, .10);
  --blue: #b9d6f7; --violet: #d9ccf5; --sand: #eadfb8; --rose: #e88a90; --green: #bfe5cb; --grey: #d8dde3;
  --plot-0: #2f6fb3; --plot-1: #2a8a6a; --plot-2: #7b54c0; --plot-3: #a8741a; --plot-4: #16808f; --plot-5: #6b7380;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --raised: #1d2126; --ink: #e3e7ec; --faint: #98a2ae; --line: #333a42; --link: #7db7f5;
    --good: #4cc38a; --bad: #ff7b80; --doubt: #e0b040; --shade: rgba(255, 123, 128, .14);
    --blue: #27476b; --violet: #463a6b; --sand: #544a26; --rose: #9c434b; --green: #24513a; --grey: #3b434c;
    --plot-0: #6fb0f0; --plot-1: #5fd0a8; --plot-2: #b598f2; --plot-3: #e0b568; --plot-4: #5cc8d8; --plot-5: #a8b0bc;
  }
}
`;

/** The styles of the page's own. */
export const STYLES = `${PALETTE}* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1.25rem 4rem; max-width: 1240px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
a { color: var(--link); }
code, pre, .mono { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.faint { color: var(--faint); }
.hint { font-size: .87rem; margin: .3rem 0 0; }
.banner { border-left: 6px solid var(--tone); background: var(--raised); padding: 1rem 1.2rem .6rem; border-radius: 4px; overflow-wrap: anywhere; }
.banner p { margin: .3rem 0; }
.banner .verdict { color: var(--tone); font-weight: 700; }
.valid { --tone: var(--good); } .invalid { --tone: var(--bad); } .unknown { --tone: var(--doubt); }
.finding { border-left: 3px solid var(--tone); margin: .8rem 0; padding: .1rem 0 .1rem .9rem; }
.example { background: var(--paper); border: 1px solid var(--line); border-radius: 4px; margin: .4rem 0; padding: .5rem .8rem; list-style: none; font: 13px/1.55 ui-monospace, Menlo, Consolas, monospace; }
.example .more { padding-left: 1.5em; color: var(--faint); }
.rest { margin: .4rem 0; padding-left: 1rem; list-style: none; }
.scroll { overflow-x: auto; }
.scroll table { border-collapse: collapse; width: 100%; }
.scroll th { text-align: left; font-weight: 600; color: var(--faint); white-space: nowrap; }
.scroll th, .scroll td { padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
main .scroll td { min-width: 3.2rem; }
.scroll td.long, .scroll td.mono { min-width: 14rem; }
.scroll td.number, .scroll th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.tight { white-space: nowrap; }
.pill { color: var(--tone); font-weight: 600; white-space: nowrap; }
.pill::before { content: '●'; margin-right: .4em; }
meter { width: 7rem; }
input, select, button { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .3rem .6rem; }
button { cursor: pointer; }
input { width: min(24rem, 100%); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
.controls { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .6rem; }
.lanes { position: relative; }
#timeline { display: block; width: 100%; touch-action: pan-y; cursor: crosshair; }
#selection { position: absolute; top: 0; bottom: 22px; background: var(--shade); border: 1px solid var(--bad); border-width: 0 1px; pointer-events: none; }
#tip { position: absolute; z-index: 2; width: max-content; max-width: min(42rem, 92vw); pointer-events: none; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .3rem .6rem; font-size: .82rem; box-shadow: 0 2px 8px rgba(0, 0, 0, .25); }
.legend { font-size: .87rem; margin: .5rem 0 0; }
.legend span { margin-right: 1.1em; white-space: nowrap; display: inline-block; }
.swatch { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .35em; background: var(--swatch); }
.rose { --swatch: var(--rose); } .violet { --swatch: var(--violet); } .grey { --swatch: var(--grey); } .green { --swatch: var(--green); } .sand { --swatch: var(--sand); } .blue { --swatch: var(--blue); }
.good { --swatch: var(--good); } .bad { --swatch: var(--bad); } .doubt { --swatch: var(--doubt); } i.faint { --swatch: var(--faint); } .hatched { --swatch: repeating-linear-gradient(135deg, var(--doubt) 0 2px, var(--sand) 2px 5px); }
figure { margin: 0 0 1rem; } figcaption { color: var(--faint); font-size: .87rem; }
.u-legend { font-size: .82rem; } .uplot { width: 100%; max-width: 100%; }
.u-select { background: var(--shade); }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; overflow-wrap: anywhere; }
summary { cursor: pointer; }
tr:not(.open) td.long > div { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.level-error { color: var(--bad); } .level-warn { color: var(--doubt); }
@media (max-width: 600px) { body { padding: .6rem .6rem 3rem; } .banner { padding: .7rem .8rem .4rem; } meter { display: none; } }
@media print { .controls { display: none; } body { max-width: none; } }
`;
