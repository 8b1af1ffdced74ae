/** Names of metrics as people type them at `vigie client`: several in one word, labels with or without their quotes. */

import { parseMetric } from '../shared/model/metric.ts';

/** A name as it was typed, and the key of the metric that is meant. */
export interface WantedName {
  readonly typed: string;
  readonly key: string;
}

/** The parts between commas; those between labels, and within a label's value, separate nothing. */
function split(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let braces = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\' && quoted) i++;
    else if (c === '"' && braces > 0) quoted = !quoted;
    else if (quoted) continue;
    else if (c === '{') braces++;
    else if (c === '}') braces = Math.max(0, braces - 1);
    else if (c === ',' && braces === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** A shell takes the quotes away from `calls{name="read"}`. */
function keyOf(name: string): string {
  const { key, labels } = parseMetric(name);
  const brace = name.indexOf('{');
  if (labels.length > 0 || brace <= 0 || name.includes('"')) return key;
  const quoted = name.slice(brace).replaceAll(/([{,]\s*[A-Za-z_]\w*)=([^,{}]*)/g, '$1="$2"');
  const guess = parseMetric(name.slice(0, brace) + quoted);
  return guess.labels.length > 0 ? guess.key : key;
}

/** `a,b{x="1",y="2"}` are two names. Each metric once, in the order given; empty ones are left out. */
export function parseNames(text: string): WantedName[] {
  const byKey = new Map<string, WantedName>();
  for (const part of split(text)) {
    const typed = part.trim();
    const wanted = { typed, key: keyOf(typed) };
    if (typed !== '' && !byKey.has(wanted.key)) byKey.set(wanted.key, wanted);
  }
  return [...byKey.values()];
}
