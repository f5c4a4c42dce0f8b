// A volume as the API shows it.

import type { z } from 'zod';
import type { volumeView } from '../daemon/api/schemas.ts';

export type VolumeView = z.output<typeof volumeView>;
