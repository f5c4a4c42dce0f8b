// junit.xml for continuous integration: a suite a scenario, a case a check. What
// is unknown is an error there, what is invalid a failure.

import type { Verdict } from '../history.ts';
import { commandOf, type ScenarioResult } from './verdict.ts';

/** The text of junit.xml. The time of a scenario is given to its suite; its checks take none worth telling. */
export function junit(results: readonly ScenarioResult[]): string {
  const suites = results.map((result) => {
    const { scenario } = result;
    const verdicts = casesOf(result);
    const tally = (verdict: Verdict['verdict']): number =>
      verdicts.filter((candidate) => candidate.verdict === verdict).length;
    const attributes = {
      name: scenario,
      tests: verdicts.length,
      failures: tally('invalid'),
      errors: tally('unknown'),
      time: (result.elapsedMs / 1000).toFixed(3),
    };
    return [
      `  <testsuite${attributesText(attributes)}>`,
      '    <properties>',
      `      <property${attributesText({ name: 'seed', value: result.seed })}/>`,
      `      <property${attributesText({ name: 'folder', value: result.folder })}/>`,
      `      <property${attributesText({ name: 'command', value: commandOf(result) })}/>`,
      '    </properties>',
      ...verdicts.map((verdict) => testCase(scenario, verdict)),
      '  </testsuite>',
    ].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="cobalt-rig">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

/** A run of which no check was asked is not valid, and must not look so for having nothing to fail. */
const casesOf = ({ verdicts, verdict }: ScenarioResult): readonly Verdict[] =>
  verdicts.length > 0 ? verdicts : [{ check: 'verdict', verdict, reason: 'no check was asked for' }];

function testCase(scenario: string, { check, verdict, reason, counterExample }: Verdict): string {
  const head = `    <testcase${attributesText({ classname: scenario, name: check })}`;
  if (verdict === 'valid') return `${head}/>`;
  const element = verdict === 'invalid' ? 'failure' : 'error';
  const text = escapeXml((counterExample ?? []).join('\n'));
  return `${head}>\n      <${element}${attributesText({ message: reason })}>${text}</${element}>\n    </testcase>`;
}

const attributesText = (attributes: Readonly<Record<string, string | number>>): string =>
  Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');

// XML 1.0 (2.2) has no way at all to write most control characters, lone surrogates or U+FFFE and U+FFFF.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are exactly the ones to replace.
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(UNWRITABLE, '\ufffd')
    .replace(/[&<>"'\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}
