import { latePart } from '../../../components/latePart.tsx';

/** The comparison with its charts. */
export const CompareView = latePart('the comparison', async () => (await import('./Comparison.tsx')).Comparison);
