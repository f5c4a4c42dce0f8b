// Values for fast-check from the JSON schemas of the API's description: mostly
// such as a schema allows, and at any place, now and then, such as it doesn't.

import fc from 'fast-check';

export type Schema = Readonly<Record<string, unknown>>;

/** What has broken something somewhere: shells, paths, configurations, keys, numbers. */
export const NASTY_TEXT: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'a\u0000b',
  'a\nb',
  '\u001b[31m',
  '\u202egnp.exe',
  'ünïcödé',
  '\ud83d\udca5',
  '\ud800',
  '*',
  '"; EXPORT { Path = /; } #',
  '$(reboot)',
  '`id`',
  '; rm -rf /',
  "' OR 1=1 --",
  '%00',
  '%2e%2e%2f',
  '%s%n',
  '{{7*7}}',
  '__proto__',
  'constructor',
  'null',
  '0.0.0.0/0 }',
  '10.0.0.1;Squash=None',
  '::ffff:10.0.0.1%eth0',
  '999.1.1.1',
  '10.0.0.1/33',
  'http://169.254.169.254/latest',
  'file:///etc/passwd',
  'x'.repeat(64),
  'x'.repeat(5000),
];

const NASTY_VALUES: readonly unknown[] = [
  ...NASTY_TEXT,
  null,
  true,
  0,
  -0,
  -1,
  5e-324,
  1 / 65,
  0.1 + 0.2,
  2 ** 20 + 1,
  2 ** 53,
  Number.MAX_VALUE,
  [],
  [[]],
  {},
  { a: { b: [] } },
];

/** `share`: how often, in a hundred values, one is drawn that the schema doesn't ask for. */
export function arbitraryOf(
  root: Readonly<Record<string, Schema>>,
  schema: Schema,
  share = 8,
): fc.Arbitrary<unknown> {
  const meant = (part: Schema): fc.Arbitrary<unknown> => {
    const named =
      typeof part.$ref === 'string' ? root[part.$ref.replace('#/components/schemas/', '')] : undefined;
    if (named !== undefined) return any(named);
    const choices = (part.anyOf ?? part.oneOf) as readonly Schema[] | undefined;
    if (choices !== undefined) return fc.oneof(...choices.map(any));
    if (Array.isArray(part.enum)) return fc.constantFrom(...part.enum);
    if ('const' in part) return fc.constant(part.const);
    switch (part.type) {
      case 'object':
        return objectOf(part);
      case 'array':
        return fc.array(any(part.items as Schema), { maxLength: 5 });
      case 'string':
        return textOf(part);
      case 'integer':
        return fc.integer({ min: Number(part.minimum ?? -5), max: Number(part.maximum ?? 2 ** 31) });
      case 'number':
        return fc.double({
          min: Number(part.minimum ?? 0),
          max: Math.min(Number(part.maximum ?? 64), 64),
          noNaN: true,
        });
      case 'boolean':
        return fc.boolean();
      default:
        return fc.jsonValue();
    }
  };

  const any = (part: Schema): fc.Arbitrary<unknown> =>
    fc.oneof(
      { weight: 100 - share, arbitrary: meant(part) },
      { weight: share, arbitrary: fc.oneof(fc.constantFrom(...NASTY_VALUES), fc.jsonValue()) },
    );

  const objectOf = (part: Schema): fc.Arbitrary<unknown> => {
    const properties = (part.properties ?? {}) as Readonly<Record<string, Schema>>;
    const required = fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, any(one)])),
      {
        requiredKeys: [...((part.required ?? []) as string[])],
      },
    );
    const names = part.propertyNames as Schema | undefined;
    const extra = names === undefined ? fc.constantFrom(...NASTY_TEXT) : textOf(names);
    const value =
      typeof part.additionalProperties === 'object'
        ? any(part.additionalProperties as Schema)
        : fc.jsonValue();
    const more = fc.dictionary(extra, value, { maxKeys: 3 });
    // Where more is allowed, or now and then.
    const extras = fc.oneof(
      { weight: 100 - share, arbitrary: names === undefined ? fc.constant({}) : more },
      { weight: share, arbitrary: more },
    );
    return fc.tuple(required, extras).map(([own, others]) => ({ ...others, ...own }));
  };

  return any(schema);
}

function textOf(part: Schema): fc.Arbitrary<string> {
  if (typeof part.pattern === 'string' && part.format === undefined)
    return fc.stringMatching(new RegExp(part.pattern));
  switch (part.format) {
    case 'ipv4':
      return fc.ipV4();
    case 'ipv6':
      return fc.ipV6();
    case 'cidrv4':
      return fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, bits]) => `${ip}/${bits}`);
    case 'cidrv6':
      return fc.tuple(fc.ipV6(), fc.nat(128)).map(([ip, bits]) => `${ip}/${bits}`);
    case 'uri':
      return fc.webUrl();
    default:
      return fc.string({
        unit: 'binary',
        minLength: Number(part.minLength ?? 0),
        maxLength: Number(part.maxLength ?? 20),
      });
  }
}
