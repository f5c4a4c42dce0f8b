// Where the project is: images are built from there, and compose files lie there.

import { dirname } from 'node:path';

export const ROOT_FOLDER = dirname(dirname(import.meta.dirname));
