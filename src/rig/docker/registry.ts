// Does a registry answer? Asked without pulling anything.

import { RigError } from '../../base/errors.ts';
import { REGISTRY_IMAGE } from './bootstrap.ts';
import { connectEngine, type EngineOptions, withDeadline } from './engine.ts';

/** Short, for a diagnosis: pulling itself waits much longer. */
const ANSWER_TIMEOUT_MS = 1_500;

/** Resolves to what was found. Throws `unavailable` when the engine reaches no registry with the base image. */
export async function askRegistry(engine: EngineOptions): Promise<string> {
  const docker = await connectEngine(engine);
  try {
    await withDeadline(docker.getImage(REGISTRY_IMAGE).distribution(), ANSWER_TIMEOUT_MS);
    return `it has ${REGISTRY_IMAGE}`;
  } catch (error) {
    const why = RigError.from(error).message;
    throw new RigError('unavailable', `no registry tells of ${REGISTRY_IMAGE}: ${why}`, { cause: error });
  }
}
