import { describe, expect, it } from '@jest/globals';
import { type ServerSentEvent, serverSentEvents } from '../../../src/rig/sse.ts';

async function read(...chunks: readonly string[]): Promise<readonly ServerSentEvent[]> {
  async function* stream() {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(stream())) events.push(event);
  return events;
}

describe('server-sent events', () => {
  it('are read with their id, type and data', async () => {
    expect(await read('event: volume\ndata: {"a":1}\n\nid: 12\nevent: node\ndata: {}\n\n')).toEqual([
      { event: 'volume', data: '{"a":1}' },
      { id: '12', event: 'node', data: '{}' },
    ]);
  });

  it('may come in any pieces, with any line ends, even through the middle of a character', async () => {
    const text = Buffer.from('data: größer\r\ndata:zwei\r\n\r\n').toString('latin1');
    for (let cut = 1; cut < text.length; cut += 1) {
      expect(await read(text.slice(0, cut), text.slice(cut))).toEqual([
        { event: 'message', data: 'größer\nzwei' },
      ]);
    }
  });

  it('may be bookmarks, which have an id alone', async () => {
    expect(await read('retry: 5\nid: 7\n\n: nothing new\nid: 9\n\n')).toEqual([
      { id: '7', event: 'message' },
      { id: '9', event: 'message' },
    ]);
  });

  it('are not comments, nor what the stream broke off in', async () => {
    expect(await read(': hello\n\nretry: 5\n\ndata: whole\n\ndata: ha')).toEqual([
      { event: 'message', data: 'whole' },
    ]);
  });
});
