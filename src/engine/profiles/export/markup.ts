/** HTML out of data: what is put into a template is text, whatever it looks like, unless it came out of a template. */

export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters are no part of HTML; a lone surrogate is no character. */
const escape = (text: string): string =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- exactly these
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
    .replace(/[&<>"']/g, (c) => ESCAPES[c]!);

type Part = Markup | string | number | null | readonly (Markup | string | number)[];

const textOf = (part: Part): string => {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escape(String(part));
};

export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  // As they stand in the source they are indented.
  const plain = strings.map((text) => text.replace(/\n +/g, '\n'));
  return new Markup(plain.map((text, i) => text + (i < parts.length ? textOf(parts[i]!) : '')).join(''));
}

/** Not a page that can do anything: no script, and nothing is loaded from anywhere. */
export const REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export const REPORT_STYLE = new Markup(`
:root { color-scheme: light dark; --back: #fff; --fore: #1a1d21; --dim: #5c636b; --line: #d5d9de; --bar: #b9d4f5;
  --s0: #1f6fd6; --s1: #c2410c; --s2: #15803d; --s3: #7e22ce; --s4: #a16207; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --fore: #e6e8ea; --dim: #9aa2ab; --line: #353b42;
  --bar: #24456e; --s0: #6fb0ff; --s1: #ff9d6b; --s2: #6bd58f; --s3: #cfa0ff; --s4: #e3c15a; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 68rem; background: var(--back); color: var(--fore);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .3rem 0; } .dim, figcaption, th { color: var(--dim); }
table { border-collapse: collapse; margin: .4rem 0; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
th { font-weight: 500; } .n { text-align: right; white-space: nowrap; } .bar { display: block; height: .5rem; background: var(--bar); }
figure { margin: .8rem 0; } svg { width: 100%; height: auto; } svg text { fill: var(--dim); font-size: 11px; }
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 1.5; }
${[0, 1, 2, 3, 4].map((i) => `.s${i} { stroke: var(--s${i}); } b.s${i} { color: var(--s${i}); }`).join('\n')}
@media print { body { max-width: none; } details { display: none; } }
`);
