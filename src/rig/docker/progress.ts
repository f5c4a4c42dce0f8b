// Small things about images that the engine's HTTP interface makes long.

import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';

/** One line of what the engine reports while it builds, pulls or imports. */
export interface EngineEvent {
  readonly stream?: string;
  readonly status?: string;
  readonly error?: string;
}

/** Waits for the end of such a stream. Throws `machine` with the engine's message when it reports an error. */
export async function followStream(
  docker: Docker,
  stream: NodeJS.ReadableStream,
  onEvent: (event: EngineEvent) => void = () => {},
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const finished = (error: Error | null, events: EngineEvent[]): void => {
      const refused = events?.find((event) => event.error !== undefined)?.error;
      if (error === null && refused === undefined) resolve();
      else
        reject(new RigError('machine', refused ?? String(error?.message), { definite: false, cause: error }));
    };
    docker.modem.followProgress(stream, finished, onEvent);
  });
}

/** The id and labels of an image, or undefined when the engine has none of this name. */
export async function inspectImage(
  docker: Docker,
  name: string,
): Promise<{ readonly id: string; readonly labels: Readonly<Record<string, string>> } | undefined> {
  try {
    const image = await docker.getImage(name).inspect();
    return { id: image.Id, labels: image.Config?.Labels ?? {} };
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

export async function imageExists(docker: Docker, name: string): Promise<boolean> {
  return (await inspectImage(docker, name)) !== undefined;
}

/** True for an answer of the engine with one of these HTTP statuses. */
export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof Error && 'statusCode' in error && statuses.includes(Number(error.statusCode));
}
