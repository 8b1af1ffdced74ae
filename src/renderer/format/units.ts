import type { Unit } from '../../shared/model/naming.ts';

/** What stands for a value that is not known. */
export const NO_VALUE = '–';

const DECIMAL: readonly (readonly [factor: number, prefix: string])[] = [
  [1e18, 'E'],
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const BINARY: readonly (readonly [factor: number, prefix: string])[] = [
  [2 ** 60, 'Ei'],
  [2 ** 50, 'Pi'],
  [2 ** 40, 'Ti'],
  [2 ** 30, 'Gi'],
  [2 ** 20, 'Mi'],
  [2 ** 10, 'Ki'],
];

/** Three significant digits without an exponent: 0.0312, 3.12, 31.2, 312. */
export function threeDigits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return String(Math.round(value));
  if (size >= 9.995) return trimZeros(value.toFixed(1));
  if (size >= 0.9995) return trimZeros(value.toFixed(2));
  if (size < 1e-4) return value.toExponential(1);
  return trimZeros(value.toPrecision(3));
}

const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

function scaled(
  value: number,
  steps: readonly (readonly [number, string])[],
  top: number,
): [text: string, prefix: string] {
  const size = Math.abs(value);
  for (let i = 0; i < steps.length; i++) {
    const [factor, prefix] = steps[i]!;
    // Rounding must not print 1000 k where 1 M is meant.
    if (size >= factor * (1 - 0.5 / top)) return [threeDigits(value / factor), prefix];
  }
  return [threeDigits(value), ''];
}

function seconds(value: number): [text: string, unit: string] {
  const size = Math.abs(value);
  if (size === 0) return ['0', 's'];
  if (size < 0.9995e-6) return [threeDigits(value * 1e9), 'ns'];
  if (size < 0.9995e-3) return [threeDigits(value * 1e6), 'µs'];
  if (size < 0.9995) return [threeDigits(value * 1e3), 'ms'];
  if (size < 600) return [threeDigits(value), 's'];
  if (size < 36_000) return [threeDigits(value / 60), 'min'];
  if (size < 864_000) return [threeDigits(value / 3600), 'h'];
  return [threeDigits(value / 86_400), 'd'];
}

/** Seconds per second are a share of time, a plain number; only what would need an exponent gets smaller units. */
function timeShare(value: number): [text: string, unit: string] {
  const size = Math.abs(value);
  return size === 0 || size >= 1e-4 ? [threeDigits(value), 's'] : seconds(value);
}

/**
 * A value with its unit, for people: `3.2 GiB`, `41 µs`, `12.3 k`. With `perSecond` the value is a rate: `12.3 k/s`.
 * Not finite or missing: a dash.
 */
export function formatValue(value: number | null | undefined, unit: Unit, perSecond = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NO_VALUE;
  const rate = perSecond ? '/s' : '';
  switch (unit) {
    case 'B': {
      const [text, prefix] = scaled(value, BINARY, 1024);
      return `${text} ${prefix}B${rate}`;
    }
    case 's': {
      const [text, name] = perSecond ? timeShare(value) : seconds(value);
      return `${text} ${name}${rate}`;
    }
    case '%':
      return `${threeDigits(value)} %${rate}`;
    case 'ratio':
      return `${threeDigits(value)}${rate}`;
    case '°C':
      return `${threeDigits(value)} °C${rate}`;
    case 'Hz': {
      const [text, prefix] = scaled(value, DECIMAL, 1000);
      return `${text} ${prefix}Hz${rate}`;
    }
    case 'W':
    case 'J': {
      const [text, prefix] = scaled(value, DECIMAL, 1000);
      // A joule per second is a watt.
      return unit === 'J' && perSecond ? `${text} ${prefix}W` : `${text} ${prefix}${unit}${rate}`;
    }
    case 'B/s': {
      const [text, prefix] = scaled(value, BINARY, 1024);
      return `${text} ${prefix}B/s${rate}`;
    }
    case '1/s': {
      const [text, prefix] = scaled(value, DECIMAL, 1000);
      return `${text} ${prefix}/s${rate}`;
    }
    case '1': {
      const [text, prefix] = scaled(value, DECIMAL, 1000);
      const tail = `${prefix}${rate}`;
      return tail === '' ? text : `${text} ${tail}`;
    }
  }
}

/** A mark of a value axis. It leaves out the `/s` that the heading has. */
export function formatAxisValue(value: number, unit: Unit, perSecond: boolean): string {
  switch (unit) {
    case 'B/s':
      return formatValue(value, 'B');
    case '1/s':
      return formatValue(value, '1');
    case 's': {
      if (!perSecond) return formatValue(value, 's');
      const [text, name] = timeShare(value);
      return name === 's' ? text : `${text} ${name}`;
    }
    default:
      return formatValue(value, unit);
  }
}

/** The unit alone, for headings: `B/s`, `s`, `calls/s` where the quantity names what is counted. */
export function unitName(unit: Unit, quantity: string, perSecond: boolean): string {
  const rate = perSecond ? '/s' : '';
  if (unit === 'J' && perSecond) return 'W';
  if (unit === '1')
    return quantity === 'value' || quantity === 'count' ? (perSecond ? '1/s' : '') : `${quantity}${rate}`;
  return unit === 'ratio' ? `ratio${rate}` : `${unit}${rate}`;
}

/** A whole number with thin group separators: 12 345. */
export function formatCount(value: number): string {
  return Number.isFinite(value)
    ? Math.round(value)
        .toString()
        .replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f')
    : NO_VALUE;
}
