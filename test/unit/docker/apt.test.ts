import { describe, expect, it } from '@jest/globals';
import { parseDistribution, pickMirror } from '../../../src/rig/docker/apt.ts';

describe('parseDistribution', () => {
  it.each([
    ['PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n', ['debian']],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', ['linuxmint', 'ubuntu', 'debian']],
    ["ID='fedora'\n", ['fedora']],
    ['', []],
  ])('reads ID and ID_LIKE of %j', (text, ids) => {
    expect(parseDistribution(text)).toEqual(ids);
  });
});

describe('pickMirror', () => {
  it("takes Debian's main archive, not its security archive or somebody else's", () => {
    const targets = [
      'Example|Tools|main|https://tools.example/apt/',
      'Debian|Debian-Security|main|http://mirror.example/debian-security/',
      'Debian|Debian|contrib|http://mirror.example/contrib/',
      'Debian|Debian|main|http://mirror.example/debian/',
    ].join('\n');
    expect(pickMirror(targets)).toBe('http://mirror.example/debian/');
  });

  it('finds none where apt knows Ubuntu only', () => {
    expect(pickMirror('Ubuntu|Ubuntu|main|http://mirror.example/ubuntu/\n')).toBeUndefined();
  });
});
