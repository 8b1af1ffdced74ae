/**
 * Line colours that colour-blind people can tell apart (after Okabe and Ito), darkened for white ground and lightened
 * for black. Lines after the third are dashed too, so that nothing depends on colour alone.
 */
export const LIGHT_LINES = ['#0072b2', '#c24d00', '#007a5a', '#a8578a', '#8a6a00', '#3c4a57'] as const;
export const DARK_LINES = ['#56b4e9', '#f0883e', '#2fc49a', '#e08fc0', '#e6c84a', '#b9c4cf'] as const;

export const LINE_DASHES: readonly (readonly number[])[] = [[], [], [], [6, 3], [2, 3], [8, 3, 2, 3]];

export type Scheme = 'light' | 'dark';

export const lineColour = (scheme: Scheme, index: number): string =>
  (scheme === 'dark' ? DARK_LINES : LIGHT_LINES)[index % LIGHT_LINES.length]!;

/** The same colour, mostly see-through, for the band between min and max. */
export const bandColour = (scheme: Scheme, index: number): string => `${lineColour(scheme, index)}2e`;

export interface Ink {
  readonly text: string;
  readonly grid: string;
}

export const chartInk = (scheme: Scheme): Ink =>
  scheme === 'dark' ? { text: '#a9b3bd', grid: '#ffffff14' } : { text: '#55606b', grid: '#00000012' };
