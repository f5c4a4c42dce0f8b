import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import type { Link } from '../../../src/rig/deployment.ts';
import { createLinks } from '../../../src/rig/docker/links.ts';
import type { Network, Sidecars } from '../../../src/rig/docker/sidecars.ts';

const drop = (from: string, to: string): Link => ({ from, to, effect: { does: 'drop' } });

/** Members that only remember what they were told. */
function cluster(names: readonly string[]) {
  const networks = new Map<string, Network>(
    names.map((name, index) => [name, { id: `${name} 1`, address: `10.0.0.${index + 1}` }]),
  );
  const commands: string[] = [];
  const filters = new Map<string, string>();
  let failing = false;
  let ending: string | undefined;
  let answer: (member: string) => string = () => '';
  const sidecars: Sidecars = {
    network: async (member) => networks.get(member),
    ready: async (member) => {
      if (member === ending) throw new RigError('unavailable', `${member} ended`);
    },
    run: async (member, command) => {
      if (command[1] !== '/opt/cobalt/apply.sh') {
        commands.push(`${member}: ${command.slice(2).join(' ')}`);
        return answer(member);
      }
      commands.push(`${member}: apply`);
      filters.set(member, command[2] ?? '');
      if (failing) throw new Error('half-way');
      return '';
    },
    runAlone: async () => 'drop\nlimit\ntun\n',
    end: async () => undefined,
  };
  return {
    links: createLinks({ sidecars, members: () => names }),
    networks,
    commands,
    drops: (member: string) =>
      [...(filters.get(member) ?? '').matchAll(/-s (\S+) -j DROP/g)].map((match) => match[1]),
    ends: (member: string) => {
      ending = member;
    },
    fails: (given: boolean) => {
      failing = given;
    },
    answers: (given: typeof answer) => {
      answer = given;
    },
  };
}

describe('links of containers', () => {
  it('are put in force where they bite, and nowhere else', async () => {
    const { links, commands, drops } = cluster(['a', 'b', 'c']);
    await links.set('x', [drop('a', 'b')]);
    expect(commands).toEqual(['b: apply']);
    expect(drops('b')).toEqual(['10.0.0.1']);
  });

  it('end with their key, and leave those of others', async () => {
    const { links, drops } = cluster(['a', 'b', 'c']);
    await Promise.all([links.set('x', [drop('a', 'b')]), links.set('y', [drop('c', 'b'), drop('a', 'b')])]);
    expect(drops('b')).toEqual(['10.0.0.1', '10.0.0.3']);
    await links.set('x', []);
    expect(drops('b')).toEqual(['10.0.0.1', '10.0.0.3']);
    await links.set('y', []);
    expect(drops('b')).toEqual([]);
    expect([...links.inForce().keys()]).toEqual([]);
  });

  it('are in force again in the new network of a member that was started, and know its new address', async () => {
    const { links, networks, commands, drops } = cluster(['a', 'b', 'c']);
    await links.set('x', [drop('a', 'b'), drop('b', 'a')]);
    networks.set('b', { id: 'b 2', address: '10.0.0.9' });
    commands.length = 0;
    await links.refresh();
    expect(commands.toSorted()).toEqual(['a: apply', 'b: apply']);
    expect([drops('a'), drops('b')]).toEqual([['10.0.0.9'], ['10.0.0.1']]);
    commands.length = 0;
    await links.refresh();
    expect(commands).toEqual([]);
  });

  it('end what was put in force half-way', async () => {
    const { links, drops, fails } = cluster(['a', 'b']);
    fails(true);
    await expect(links.set('x', [drop('a', 'b')])).rejects.toThrow('half-way');
    expect(drops('b')).toEqual(['10.0.0.1']);
    fails(false);
    await links.set('x', []);
    expect(drops('b')).toEqual([]);
  });

  it('wait for a member that does not run', async () => {
    const { links, networks, drops } = cluster(['a', 'b']);
    networks.delete('b');
    await links.set('x', [drop('a', 'b')]);
    expect(drops('b')).toEqual([]);
    networks.set('b', { id: 'b 2', address: '10.0.0.2' });
    await links.refresh();
    expect(drops('b')).toEqual(['10.0.0.1']);
  });

  it('tell what came of datagrams at their receivers, and leave out whom nobody can look at', async () => {
    const { links, networks, commands, answers } = cluster(['a', 'b', 'c']);
    networks.delete('c');
    answers((member) => (member === 'b' ? '10.0.0.1 100:101.5 101:103\n' : ''));
    const paths = [
      { from: 'a', to: 'b' },
      { from: 'a', to: 'c' },
    ];
    expect(await links.send(paths, { count: 3, bytes: 64, withinMs: 200 })).toEqual([
      { from: 'a', to: 'b', sent: 3, tookMs: [1.5, 2], spanMs: 1.5 },
    ]);
    expect(commands).toEqual(['a: send p1 3 64 10.0.0.2', 'b: heard p1 3 200 10.0.0.1']);
  });

  it('leave out who ends while somebody wants to look at it', async () => {
    const { links, ends, answers } = cluster(['a', 'b', 'c']);
    ends('b');
    answers(() => '10.0.0.3 open 0.250\n');
    const paths = ['b', 'c'].map((to) => ({ from: 'a', to }));
    expect(await links.connect(paths, 300)).toMatchObject([{ from: 'a', to: 'c' }]);
  });

  it('tell what became of connections', async () => {
    const { links, answers } = cluster(['a', 'b']);
    answers(() => '10.0.0.2 refused 0.250\n');
    expect(await links.connect([{ from: 'a', to: 'b' }], 300)).toEqual([
      { from: 'a', to: 'b', outcome: 'refused', tookMs: 0.25 },
    ]);
  });

  it('say what the kernel lacks', async () => {
    const { links } = cluster([]);
    expect(await links.missing('delay')).toBeUndefined();
    expect(await links.missing('reset')).toContain('REJECT');
  });
});
