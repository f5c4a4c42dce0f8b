// From the record to what the page embeds.

import { calls } from '../checks/calls.ts';
import { endMs } from '../checks/outages.ts';
import { describeStep } from '../checks/volume-history.ts';
import type { RecordedRun } from '../history.ts';
import { callColumns } from './call-columns.ts';
import { choose } from './choose.ts';
import { etcdColumns, logColumns } from './event-columns.ts';
import { faultWindows } from './fault-windows.ts';
import { type Finding, momentsOf } from './findings.ts';
import { lanes } from './lanes.ts';
import type { PageData, PageVolume } from './page-data.ts';
import { createStrings, rounded } from './strings.ts';
import { type VolumeLife, volumesByTrouble, wentWrong } from './volume-lives.ts';

const MOST_VOLUMES = 400;
const MOST_STEPS = 50;

export function pageData(run: RecordedRun, found: readonly Finding[]): PageData {
  const strings = createStrings();
  const end = Math.max(1, endMs(run), run.logs.at(-1)?.atMs ?? 0);
  const momentsMs = momentsOf(found);
  const windows = faultWindows(run);
  const all = calls(run);
  const told = found.flatMap(({ reason, lines }) => [reason, ...lines.map(({ text }) => text)]).join('\n');
  const volumes = volumesByTrouble(run, told);
  return {
    endMs: rounded(end),
    lanes: lanes({ run, calls: all, windows, endMs: end, volumes, strings }),
    faults: windows.map(({ label, fromMs, toMs }) => ({
      label,
      fromMs: rounded(fromMs),
      toMs: rounded(Math.min(toMs, end)),
    })),
    calls: callColumns(all, { endMs: end, momentsMs, strings }),
    volumes: volumes.slice(0, MOST_VOLUMES).map((life) => pageVolume(life, momentsMs)),
    etcd: etcdColumns(run, { momentsMs, strings }),
    logs: logColumns(run, { momentsMs, strings }),
    strings: strings.all,
  };
}

function pageVolume({ id, name, steps }: VolumeLife, momentsMs: readonly number[]): PageVolume {
  const rows = steps.map((step) => ({ step, atMs: step.event.atMs }));
  const rank = ({ step }: (typeof rows)[number]): number => (wentWrong(step) ? 1 : 0);
  return {
    id,
    name,
    total: steps.length,
    steps: choose(rows, { most: MOST_STEPS, rank, momentsMs }).map(({ step, atMs }) => [
      rounded(atMs),
      step.event.revision,
      describeStep(step).slice(id.length + 1),
      step.malformed ?? step.after?.control.error ?? '',
    ]),
  };
}
