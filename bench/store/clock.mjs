/**
 * The store's clock, for a process that feeds it hours within seconds: what the store seals and keeps goes by it. Loaded
 * by `--import`, so that the store's threads have it too; the environment is what they share.
 */

const real = Date.now;

Date.now = () => Number(process.env['VIGIE_BENCH_NOW'] ?? real());
