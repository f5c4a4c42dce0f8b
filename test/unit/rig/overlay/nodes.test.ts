import { describe, expect, it } from '@jest/globals';
import { parseEndpoints, parseNodesPage, placed, textOf } from '../../../../src/rig/overlay/nodes.ts';

const node = (name: string, more: object = {}) => ({
  name,
  address: `${name}.test`,
  roles: ['api', 'agent'],
  alive: true,
  ...more,
});

describe('parseEndpoints', () => {
  it('takes names, addresses and several of them', () => {
    const text = 'node1:8080, 10.0.0.2:80,[fd00::2]:8081,a_b.example:1';
    const endpoints = parseEndpoints(text);
    expect(endpoints.map(textOf)).toEqual(['node1:8080', '10.0.0.2:80', '[fd00::2]:8081', 'a_b.example:1']);
  });

  it.each([
    '',
    'node1',
    'node1:',
    'node1:0',
    'node1:65536',
    ':80',
    'a b:80',
    'fd00::2:80',
    '[node1]:80',
    'a:80,,b:80',
  ])('refuses %p', (text) => {
    expect(() => parseEndpoints(text)).toThrow('where it listens');
  });
});

describe('parseNodesPage', () => {
  it('has the nodes with an API, and those that are away, which may have one', () => {
    const nodes = [
      node('a'),
      node('b', { roles: ['agent'] }),
      node('c', { address: null, roles: [], alive: false }),
      node('d', { address: '10.0.0.4', labels: { later: 'field' } }),
    ];
    expect(parseNodesPage({ nodes, next: 'd' })).toEqual({
      nodes: [
        { name: 'a', host: 'a.test' },
        { name: 'c', host: null },
        { name: 'd', host: '10.0.0.4' },
      ],
      refused: 0,
      next: 'd',
    });
  });

  it.each([
    { name: 'a;show info' },
    { name: 'a\nshutdown' },
    { name: 'A' },
    { address: 'b:1 check\nadd server' },
    { address: '' },
    { address: 'x'.repeat(254) },
    { address: '-a' },
    { roles: 'api' },
  ])('leaves out what could mean something else: %p', (more) => {
    const nodes = [node('good'), node('bad', more)];
    expect(parseNodesPage({ nodes, next: null })).toMatchObject({ nodes: [{ name: 'good' }], refused: 1 });
  });

  it.each([undefined, [], {}, { nodes: [] }, { nodes: {}, next: null }, { nodes: [], next: 'a&b' }])(
    'is no page: %p',
    (json) => {
      expect(() => parseNodesPage(json)).toThrow('no list of nodes');
    },
  );
});

describe('placed', () => {
  const before = placed(
    [],
    [
      { name: 'a', host: 'a.test' },
      { name: 'b', host: 'b.test' },
    ],
    80,
  );

  it('forgets who is not listed, keeps who is away where it was, and finds who is new', () => {
    const list = [
      { name: 'b', host: null },
      { name: 'c', host: 'c.test' },
      { name: 'd', host: null },
    ];
    expect(placed(before, list, 80)).toEqual([
      { name: 'b', host: 'b.test', port: 80 },
      { name: 'c', host: 'c.test', port: 80 },
    ]);
  });

  it('takes an empty list for no news', () => {
    expect(placed(before, [], 80)).toEqual(before);
  });
});
