/** Tabs of a job whose code and charts come with the first look at one. */

import { latePart } from '../../components/latePart.tsx';

export const Mpi = latePart('MPI', async () => (await import('./mpi/MpiTab.tsx')).MpiTab);
export const Io = latePart('I/O', async () => (await import('./io/IoTab.tsx')).IoTab);
export const Heatmap = latePart(
  'the heatmap',
  async () => (await import('../profile/heatmap/HeatmapTab.tsx')).HeatmapTab,
);
export const Analysis = latePart(
  'the analysis',
  async () => (await import('../profile/analysis/AnalysisTab.tsx')).AnalysisTab,
);
