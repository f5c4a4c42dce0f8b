// Puts a browser on a Debian-like machine, for the tests of report.html.

import { RigError } from '../../base/errors.ts';
import { aptCandidate, aptInstall, aptUpdate, canInstallPackages } from './apt.ts';

/** Of Debian, the smallest first. What Ubuntu has under such names only installs a snap. */
const PACKAGES = ['chromium-headless-shell', 'chromium'];

/** Throws `machine` where the rig must not install one, or there is none to be had. */
export async function installBrowser({
  onProgress,
}: {
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const next = 'install Chromium or Chrome, so that chromium or google-chrome is on the PATH';
  if (!(await canInstallPackages())) {
    throw new RigError('machine', 'no browser was found, and this is not root on Debian or Ubuntu', { next });
  }
  await aptUpdate();
  for (const name of PACKAGES) {
    if ((await aptCandidate(name)) === undefined) continue;
    onProgress(`installing ${name} with apt-get`);
    return aptInstall([name]);
  }
  throw new RigError('machine', `the machine's package mirror has none of ${PACKAGES.join(', ')}`, { next });
}
