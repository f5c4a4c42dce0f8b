import { describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../src/base/command.ts';

describe('a command', () => {
  it('answers with what it printed', async () => {
    expect(await runCommand({ file: 'printf', args: ['%s', '$HOME; `id`'] })).toBe('$HOME; `id`');
  });

  it('fails with its last words', async () => {
    const command = runCommand({ file: 'ls', args: ['/nowhere'] });
    await expect(command).rejects.toMatchObject({
      code: 'io',
      definite: false,
      message: expect.stringMatching(/^ls \/nowhere: .*No such file or directory$/),
    });
  });

  it('is not waited for beyond its deadline', async () => {
    const command = runCommand({ file: 'sleep', args: ['60'], timeoutMs: 20 });
    await expect(command).rejects.toMatchObject({ code: 'timeout', definite: false });
  });

  it('says when it is not installed', async () => {
    const command = runCommand({ file: 'no-such-command-here', args: [] });
    await expect(command).rejects.toMatchObject({ code: 'unsupported' });
  });
});
