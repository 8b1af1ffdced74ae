import { createTheme } from '@mantine/core';
import type { CSSVariablesResolver, MantineColorsTuple } from '@mantine/core';

const vigie: MantineColorsTuple = [
  '#e9f4fb',
  '#d3e6f2',
  '#a6cce6',
  '#78b3da',
  '#56a0d1',
  '#3b90c7',
  '#1f7fbb',
  '#0f72b0',
  '#0b629a',
  '#075283',
];

export const theme = createTheme({
  primaryColor: 'vigie',
  primaryShade: { light: 8, dark: 7 },
  colors: { vigie },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  respectReducedMotion: true,
  cursorType: 'pointer',
});

/** Ground, text and lines of our own parts; Mantine's secondary text is too faint on both grounds. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--v-ground': '#f6f7f8',
    '--v-surface': '#ffffff',
    '--v-line': '#dde1e5',
    '--v-line-soft': '#eceff1',
    '--v-text': '#1b232b',
    '--v-muted': '#55606b',
    '--v-accent': '#0b629a',
    '--v-accent-soft': '#e3eff7',
    '--v-good': '#00734f',
    '--v-warn': '#8a5a00',
    '--v-bad': '#b3261e',
    '--v-bad-soft': '#fdeceb',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-text': '#1b232b',
    '--mantine-color-dimmed': '#55606b',
    '--mantine-color-placeholder': '#626d78',
    '--mantine-color-anchor': '#0b629a',
    '--mantine-color-error': '#b3261e',
  },
  dark: {
    '--v-ground': '#14181c',
    '--v-surface': '#1b2127',
    '--v-line': '#313942',
    '--v-line-soft': '#262d34',
    '--v-text': '#dfe5ea',
    '--v-muted': '#a3aeb8',
    '--v-accent': '#6fb5e6',
    '--v-accent-soft': '#1d3344',
    '--v-good': '#3ecf9f',
    '--v-warn': '#e9b44c',
    '--v-bad': '#ff8a80',
    '--v-bad-soft': '#3b2021',
    '--mantine-color-body': '#1b2127',
    '--mantine-color-text': '#dfe5ea',
    '--mantine-color-dimmed': '#a3aeb8',
    '--mantine-color-placeholder': '#95a1ac',
    '--mantine-color-anchor': '#6fb5e6',
    '--mantine-color-error': '#ff8a80',
  },
});
