import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import packageJson from './package.json' with { type: 'json' };

/** The page says which version it is: `vigie doctor` compares it with the engine's. */
const version: Plugin = {
  name: 'vigie-version',
  transformIndexHtml: () => [
    { tag: 'meta', attrs: { name: 'vigie-version', content: packageJson.version }, injectTo: 'head' },
  ],
};

// Assets are files of their own: the page's CSP allows neither inline scripts nor data: fonts.
// oxlint-disable-next-line import/no-default-export -- vite reads the default export
export default defineConfig({
  root: 'src/renderer',
  base: '/',
  plugins: [react(), version],
  build: {
    outDir: '../../dist/renderer',
    emptyOutDir: true,
    target: 'chrome108',
    cssTarget: 'chrome108',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 1500,
  },
});
