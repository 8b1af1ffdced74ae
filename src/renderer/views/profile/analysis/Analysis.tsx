import type { Profile } from '../../../../shared/api/profiles.ts';
import { LazyPart } from '../LazyPart.tsx';

/** What a finished run's numbers say, with its charts, which come with the first look at it. */
export function Analysis(props: { readonly profile: Profile }) {
  return <LazyPart name="analysis" label="Loading the analysis" load={load} props={props} />;
}

const load = async () => (await import('./AnalysisTab.tsx')).AnalysisTab;
