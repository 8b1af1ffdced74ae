import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Assets are files of their own: the page's CSP allows neither inline scripts nor data: fonts.
// oxlint-disable-next-line import/no-default-export -- vite reads the default export
export default defineConfig({
  root: 'src/renderer',
  base: '/',
  plugins: [react()],
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
