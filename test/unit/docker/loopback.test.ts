import { describe, expect, it } from '@jest/globals';
import { sharesLoopback } from '../../../src/rig/docker/loopback.ts';

describe("the engine's loopback", () => {
  it("is not that of a container on the engine's bridge, where no published port answers", () => {
    expect(sharesLoopback({ seesBridge: false, inContainer: true })).toBe(false);
  });

  it("is that of a container on the host's network, and of the engine's machine itself", () => {
    expect(sharesLoopback({ seesBridge: true, inContainer: true })).toBe('shared');
    expect(sharesLoopback({ seesBridge: true, inContainer: false })).toBe('shared');
  });

  it('is not judged outside of containers: desktops and rootless engines forward their ports', () => {
    expect(sharesLoopback({ seesBridge: false, inContainer: false })).toContain('not looked into');
    expect(sharesLoopback({ seesBridge: undefined, inContainer: true })).toContain('not looked into');
  });
});
