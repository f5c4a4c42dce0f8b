import { describe, expect, it } from '@jest/globals';
import { type ExportRule, exportRulesSchema, sameRules } from '../../../src/model/export.ts';
import {
  clientsOf,
  renderExport,
  rulesOf,
  type ServedClients,
  type ServerClient,
  spelledRules,
} from '../../../src/nfs/ganesha-config.ts';

const ID = 'v00000000000000ab';
const served = (clients: readonly ServerClient[], foreign: readonly string[] = []): ServedClients => ({
  clients,
  foreign,
});
const rule = (
  host: string,
  access: 'rw' | 'ro' = 'rw',
  squash: ExportRule['squash'] = 'none',
): ExportRule => ({
  host,
  access,
  squash,
});
const render = (
  rules: readonly ExportRule[],
  more: { id?: string; exportId?: number; path?: string } = {},
): string =>
  renderExport({
    wanted: { id: more.id ?? ID, rules },
    exportId: more.exportId ?? 256,
    path: more.path ?? `/srv/exports/${ID}`,
  });
const clientLines = (rules: readonly ExportRule[]): readonly string[] =>
  render(rules)
    .split('\n')
    .filter((line) => line.includes('CLIENT'))
    .map((line) => line.trim());

describe('the configuration of an export', () => {
  it('is whole', () => {
    expect(render([rule('10.0.0.1', 'ro', 'all')])).toBe(
      [
        '# rules: [{"host":"10.0.0.1","access":"ro","squash":"all"}]',
        'EXPORT {',
        '    Export_Id = 256;',
        `    Path = /srv/exports/${ID};`,
        `    Pseudo = /${ID};`,
        '    Access_Type = None;',
        '    Squash = All_Squash;',
        '    Anonymous_Uid = 65534;',
        '    Anonymous_Gid = 65534;',
        '    SecType = sys;',
        '    Protocols = 4;',
        '    Transports = TCP;',
        '    FSAL { Name = VFS; }',
        '    CLIENT { Clients = 10.0.0.1/32; Access_Type = RO; Squash = All_Squash; }',
        '}',
        '',
      ].join('\n'),
    );
  });

  it('names the narrowest block first, whatever the order, because the first match decides', () => {
    const rules = [rule('10.0.0.0/8'), rule('10.1.2.3', 'ro'), rule('10.1.0.0/16', 'rw', 'root')];
    const hosts = (lines: readonly string[]): readonly (string | undefined)[] =>
      lines.map((line) => /Clients = ([^;]+);/.exec(line)?.[1]);
    expect(hosts(clientLines(rules))).toEqual(['10.1.2.3/32', '10.1.0.0/16', '10.0.0.0/8']);
    expect(clientLines(rules.toReversed())).toEqual(clientLines(rules));
  });

  it('is refused for two spellings of one host', () => {
    expect(() => render([rule('10.0.0.1'), rule('10.0.0.1/32', 'ro')])).toThrow('must name each host once');
  });

  it('spells hosts so that ganesha reads no more and no less', () => {
    const [everybody4, everybody6] = [clientLines([rule('0.0.0.0/0')]), clientLines([rule('::/0')])];
    expect(everybody4.map((line) => line.split(';')[0])).toEqual([
      'CLIENT { Clients = 0.0.0.0/1',
      'CLIENT { Clients = 128.0.0.0/1',
    ]);
    expect(everybody6).toHaveLength(2);
    // A bare 0.0.0.0 would be everybody, and ::1/128 nobody.
    expect(clientLines([rule('0.0.0.0')])[0]).toContain('Clients = 0.0.0.0/32;');
    expect(clientLines([rule('::1/128')])[0]).toContain('Clients = 0:0:0:0:0:0:0:1;');
  });

  it('is refused for a block that ganesha would drop', () => {
    expect(() => render([rule('fd00::/120')])).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it.each([
    [{ id: 'v1; }' }, 'invalid'],
    [{ exportId: 0 }, 'internal'],
    [{ exportId: 65_536 }, 'internal'],
    [{ path: '/srv/exports/a; }' }, 'internal'],
    [{ path: '/srv/ex ports' }, 'internal'],
  ])('is refused for %j', (more, code) => {
    expect(() => render([rule('10.0.0.1')], more)).toThrow(expect.objectContaining({ code }));
  });

  it.each(['10.0.0.1; } EXPORT {', '*', '@group', '10.0.0.1\n', '# x'])(
    'is refused for the host %j',
    (host) => {
      expect(() => render([rule(host)])).toThrow(expect.objectContaining({ code: 'invalid' }));
    },
  );
});

describe('what the server holds, as rules', () => {
  const spelled = [rule('0.0.0.0/0', 'ro'), rule('::ffff:10.0.0.1'), rule('fd00:0::1/8', 'rw', 'all')];

  it('has the spelling of the file', () => {
    expect(rulesOf(served(clientsOf(spelled)), spelledRules(render(spelled)))).toEqual(spelled);
  });

  it('differ from any that can be wanted, even from none, when a foreign client is served', () => {
    for (const wanted of [[], spelled]) {
      const rules = rulesOf(served(clientsOf(wanted), ['* with options 96']), wanted);
      expect(sameRules(rules, wanted)).toBe(false);
      expect(exportRulesSchema.safeParse(rules).success).toBe(false);
    }
  });

  it('is the truth all the same: the file was written, but the server does not hold it', () => {
    const held = clientsOf([rule('10.0.0.1')]);
    expect(rulesOf(served(held), [rule('10.0.0.1', 'ro'), rule('10.0.0.2')])).toEqual([rule('10.0.0.1')]);
    expect(rulesOf(served([]), spelled)).toEqual([]);
    expect(rulesOf(served(clientsOf(spelled).slice(1)), [])).toHaveLength(3);
  });

  it.each(['', '# rules: [{"host":', '# rules: [{"host":"*","access":"rw"}]', 'EXPORT {'])(
    'takes no spelling from %j',
    (file) => {
      expect(spelledRules(file)).toEqual([]);
    },
  );
});
