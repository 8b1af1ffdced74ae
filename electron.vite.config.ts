import { defineConfig } from 'electron-vite';

// The interface has its own build (vite.config.ts): a browser loads the same.
// CommonJS for Node 16 and Chromium 108: the oldest runtime that the desktop is tested with (Electron 22).
export default defineConfig({
  main: {
    publicDir: false,
    build: {
      target: 'node16',
      minify: true,
      // zod goes into the bundle: a packaged program has no node_modules for this part.
      externalizeDeps: false,
      rolldownOptions: {
        // The host is a program of its own, which main only launches.
        input: { main: 'src/main/main.ts', host: 'src/host/host.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
      },
    },
  },
  preload: {
    publicDir: false,
    build: {
      target: 'node16',
      minify: true,
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: 'src/preload/preload.ts' },
        // A sandboxed preload script is CommonJS.
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
});
