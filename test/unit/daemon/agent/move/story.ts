// How every story of a move begins and ends: a volume with files on node a, and
// all of it on another node.

import { expect } from '@jest/globals';
import { createScene, type Scene } from './support.ts';

export const FILES = { 'etc/motd': 'hello', 'var/log': 'x'.repeat(4000) };

/** Of the running test. */
export let scene: Scene;

export async function begin(...names: readonly string[]): Promise<Scene> {
  scene = await createScene(names.length === 0 ? ['a', 'b'] : names);
  await scene.create('a', FILES);
  return scene;
}

export const isAt = (node: string) => async (): Promise<boolean> => {
  const volume = await scene.read();
  return volume?.state === 'ready' && volume.node === node;
};

/** The volume is there and whole, and nothing is left of it or of the move anywhere else. */
export async function settled(node: string, files: Readonly<Record<string, string>> = FILES): Promise<void> {
  await scene.until(`the volume on ${node}`, isAt(node));
  const others = ['a', 'b', 'c'].flatMap((name) => {
    try {
      return name === node ? [] : [scene.place(name)];
    } catch {
      return [];
    }
  });
  await scene.until(
    'the end of all remains',
    () =>
      others.every((other) => other.files() === undefined && other.copies().length === 0) &&
      scene.place(node).copies().length === 0,
  );
  expect(scene.place(node).files()).toEqual(files);
  expect(scene.exporting()).toEqual([node]);
}
