import type { Profile } from '../../../../shared/api/profiles.ts';
import { LazyPart } from '../LazyPart.tsx';

/** Ranks over time, with its drawing, which comes with the first look at it. */
export function Heatmap(props: { readonly profile: Profile }) {
  return <LazyPart name="heatmap" label="Loading the heatmap" load={load} props={props} />;
}

const load = async () => (await import('./HeatmapTab.tsx')).HeatmapTab;
