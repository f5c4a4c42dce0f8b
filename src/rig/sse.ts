// Server-sent events, read as the HTML standard says (9.2.6, "Interpreting an
// event stream"): lines of `field: value`, and an empty line after each event.

/** One event, or a bookmark: an id alone, from which to resume. */
export interface ServerSentEvent {
  /** What `id:` of this very event said; a later one without it goes on from the last that had. */
  readonly id?: string;
  /** `message` when the stream names none. */
  readonly event: string;
  /** The text of all its data lines; undefined for a bookmark. */
  readonly data?: string;
}

/** The events of a stream, as they come. What follows the last empty line is no event. */
export async function* serverSentEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let fields: string[] = [];
  for await (const line of linesOf(stream)) {
    if (line !== '') {
      fields.push(line);
      continue;
    }
    const event = eventOf(fields);
    fields = [];
    if (event !== undefined) yield event;
  }
}

/** Whole lines, as they come. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    // A lone CR at the end may be the half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Undefined for what has neither data nor an id: comments, and a `retry:` alone. */
function eventOf(lines: readonly string[]): ServerSentEvent | undefined {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id' && !value.includes('\0')) id = value;
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
  }
  if (data.length === 0 && id === undefined) return undefined;
  return {
    ...(id !== undefined && { id }),
    event,
    ...(data.length > 0 && { data: data.join('\n') }),
  };
}
