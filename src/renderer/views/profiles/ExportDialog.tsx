import { Button, Checkbox, Progress, Radio, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useMemo, useState } from 'react';
import { EXPORT_FORMATS, ExportFormat, ExportResolution } from '../../../shared/api/exports.ts';
import type { ExportEstimate, ExportState, NewExport } from '../../../shared/api/exports.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { followLink } from '../../components/download.ts';
import type { ExportAsked } from '../../data/exportsApi.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { CHOICES } from './choices.ts';
import { runsText } from './words.ts';
import './profiles.css';

interface ExportDialogProps {
  readonly runs: readonly string[];
  /** What the runs are called where there is one. */
  readonly name: string | null;
  readonly close: () => void;
}

const RESOLUTIONS: Readonly<Record<ExportResolution, string>> = {
  raw: 'Every stored sample',
  '1m': 'One value a minute',
  '1h': 'One value an hour',
};
/** The engine knows which is the finest that has all of the time. */
const FINEST = 'finest';
const POLL_MS = 500;

/** Makes a file of some runs for other programs: what it is to hold, how much that is, how far it has come. */
export function ExportDialog({ runs, name, close }: ExportDialogProps) {
  const engine = useEngine();
  const [format, setFormat] = useState<ExportFormat>('html');
  const [resolution, setResolution] = useState<string>(FINEST);
  const [ranks, setRanks] = useState(true);
  const [nodes, setNodes] = useState(false);
  const [begun, setBegun] = useState<NewExport | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const samples = EXPORT_FORMATS[format].of === 'samples';
  const asked = useMemo((): ExportAsked => {
    const chosen = ExportResolution.safeParse(resolution);
    if (!samples) return { format, run: runs };
    return { format, run: runs, ranks, nodes, ...(chosen.success ? { resolution: chosen.data } : {}) };
  }, [format, samples, runs, resolution, ranks, nodes]);
  const estimate = useQuery({
    queryKey: [engine.base, 'export-estimate', asked],
    queryFn: ({ signal }) => engine.api.exports.estimate(asked, signal),
    enabled: begun === null,
    staleTime: 30_000,
    gcTime: 30_000,
  });
  const begin = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const made = await engine.api.exports.begin(asked);
      followLink(`${engine.base}${made.path}`, made.name);
      setBegun(made);
    } catch (failure) {
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    setBusy(false);
  };
  const what = name === null ? runsText(runs.length, formatCount(runs.length)) : name;
  return (
    <Dialog title={`Export ${what}`} close={close} size="xl">
      {begun ? (
        <Running begun={begun} again={() => setBegun(null)} close={close} />
      ) : (
        <form
          className="v-fields"
          onSubmit={(event) => {
            event.preventDefault();
            void begin();
          }}
        >
          <Formats value={format} onChange={setFormat} />
          <div className="v-export-options">
            <Select
              size="xs"
              label="Resolution"
              disabled={!samples}
              allowDeselect={false}
              {...CHOICES}
              value={resolution}
              onChange={(value) => setResolution(value ?? FINEST)}
              data={[
                { value: FINEST, label: 'The finest that has all of the time' },
                ...ExportResolution.options.map((value) => ({ value, label: RESOLUTIONS[value] })),
              ]}
            />
            <Checkbox
              size="xs"
              label="Each rank by itself"
              disabled={!samples}
              checked={samples && ranks}
              onChange={(event) => setRanks(event.currentTarget.checked)}
            />
            <Checkbox
              size="xs"
              label="The nodes, as long as each run lasted"
              disabled={!samples}
              checked={samples && nodes}
              onChange={(event) => setNodes(event.currentTarget.checked)}
            />
          </div>
          <div className="v-probe" role="status" data-testid="export-estimate">
            {estimate.data ? (
              <Estimate estimate={estimate.data} samples={samples} />
            ) : estimate.error ? (
              <span className="v-bad-text">{estimate.error.message}</span>
            ) : (
              <span className="v-muted">Looking at how much that is…</span>
            )}
          </div>
          {error === null ? null : (
            <p role="alert" className="v-bad-text">
              {error}
            </p>
          )}
          <div className="v-ends">
            <Button size="xs" variant="default" onClick={close}>
              Cancel
            </Button>
            <Button size="xs" type="submit" loading={busy}>
              Export
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Formats({
  value,
  onChange,
}: {
  readonly value: ExportFormat;
  readonly onChange: (value: ExportFormat) => void;
}) {
  return (
    <Radio.Group
      label="Format"
      size="xs"
      value={value}
      onChange={(chosen) => {
        const format = ExportFormat.safeParse(chosen);
        if (format.success) onChange(format.data);
      }}
    >
      <div className="v-formats">
        {(Object.keys(EXPORT_FORMATS) as ExportFormat[]).map((format) => (
          <Radio
            key={format}
            size="xs"
            value={format}
            label={EXPORT_FORMATS[format].title}
            description={EXPORT_FORMATS[format].use}
          />
        ))}
      </div>
    </Radio.Group>
  );
}

function Estimate({ estimate, samples }: { readonly estimate: ExportEstimate; readonly samples: boolean }) {
  const { runs, scopes, series, bytes, resolution, notes } = estimate;
  const parts = [
    runsText(runs, formatCount(runs)),
    ...(samples ? [`${formatCount(scopes)} ${scopes === 1 ? 'scope' : 'scopes'}`] : []),
    ...(samples || series > 0 ? [`${formatCount(series)} series`] : []),
    ...(samples ? [`about ${formatValue(estimate.samples, '1')} values`] : []),
    ...(samples && resolution !== null ? [RESOLUTIONS[resolution].toLowerCase()] : []),
  ];
  return (
    <>
      <span>
        About <b>{formatValue(bytes, 'B')}</b>: {parts.join(', ')}.
      </span>
      {notes.map((note) => (
        <span key={note} className="v-muted">
          {note}
        </span>
      ))}
    </>
  );
}

interface RunningProps {
  readonly begun: NewExport;
  readonly again: () => void;
  readonly close: () => void;
}

/** How far an export has come. The browser writes the file; closing the dialog leaves it at that. */
function Running({ begun, again, close }: RunningProps) {
  const engine = useEngine();
  const label = useId();
  const { data: state, error } = useQuery({
    queryKey: [engine.base, 'export', begun.id],
    queryFn: ({ signal }) => engine.api.exports.state(begun.id, signal),
    refetchInterval: ({ state: { data } }) => (data && isOver(data) ? false : POLL_MS),
    gcTime: 0,
  });
  const [cancelling, setCancelling] = useState(false);
  useEffect(() => setCancelling(false), [begun]);
  const over = state !== undefined && isOver(state);
  const part = state && state.total > 0 ? Math.min(1, state.done / state.total) : 0;
  return (
    <div className="v-fields">
      <p id={label}>
        <bdi>{begun.name}</bdi>
      </p>
      <Progress.Root size="lg">
        <Progress.Section
          value={state?.state === 'done' ? 100 : part * 100}
          animated={!over}
          {...(state?.state === 'failed' ? { color: 'red' } : {})}
          aria-labelledby={label}
        />
      </Progress.Root>
      <p role="status" data-testid="export-state">
        {state ? stateText(state) : error ? error.message : 'Beginning…'}
      </p>
      <div className="v-ends">
        {over ? (
          <>
            <Button size="xs" variant="default" onClick={again}>
              {state.state === 'done' ? 'Another format' : 'Back'}
            </Button>
            <Button size="xs" onClick={close} data-autofocus>
              Close
            </Button>
          </>
        ) : (
          <>
            <Button
              size="xs"
              variant="default"
              loading={cancelling}
              onClick={() => {
                setCancelling(true);
                // That it is over, or never was, is what was wanted.
                void engine.api.exports.cancel(begun.id).catch(() => undefined);
              }}
            >
              Cancel the export
            </Button>
            <Button size="xs" variant="default" onClick={close}>
              Close; it goes on
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

const isOver = ({ state }: ExportState): boolean => state === 'done' || state === 'cancelled' || state === 'failed';

function stateText({ state, done, total, bytes, error }: ExportState): string {
  const size = formatValue(bytes, 'B');
  switch (state) {
    case 'waiting':
      return 'Waiting for the browser to take it: it may ask where to put the file.';
    case 'running':
      return `${size} so far${total > 0 ? `, ${Math.min(99, Math.floor((done / total) * 100))} %` : ''}.`;
    case 'done':
      return `Done: ${size}.`;
    case 'cancelled':
      return 'Cancelled. Nothing of it is kept.';
    case 'failed':
      return `It did not work: ${error ?? 'the engine gave no reason'}`;
  }
}
