import { Button, FileButton, Progress } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { ImportState } from '../../../../shared/api/profiles.ts';
import { Command } from '../../../components/Copy.tsx';
import { Dialog } from '../../../components/Dialog.tsx';
import { formatCount, formatValue } from '../../../format/units.ts';
import { useEngine } from '../../../state/engine.ts';

/** How one file goes. */
interface FileImport {
  readonly name: string;
  readonly bytes: number;
  readonly phase: 'waiting' | 'sending' | 'reading' | 'over' | 'refused';
  readonly state: ImportState | null;
  readonly why: string | null;
}

const POLL_MS = 400;
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason instanceof Error ? signal.reason : new Error('given up'));
    });
  });

/** Brings in runs out of files, one after the other, and says what became of each. */
export function ImportDialog({ close }: { readonly close: () => void }) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [files, setFiles] = useState<readonly FileImport[]>([]);
  const [busy, setBusy] = useState(false);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const put = (at: number, part: Partial<FileImport>): void =>
    setFiles((all) => all.map((one, i) => (i === at ? { ...one, ...part } : one)));
  const take = async (chosen: readonly File[]): Promise<void> => {
    if (chosen.length === 0) return;
    const controller = new AbortController();
    abort.current = controller;
    const { signal } = controller;
    setBusy(true);
    setFiles(chosen.map(({ name, size }) => ({ name, bytes: size, phase: 'waiting', state: null, why: null })));
    for (const [at, file] of chosen.entries()) {
      try {
        put(at, { phase: 'sending' });
        let state = await engine.api.profiles.importFile(file, signal);
        while (state.state === 'running') {
          put(at, { phase: 'reading', state });
          await sleep(POLL_MS, signal);
          state = await engine.api.profiles.importState(signal);
        }
        put(at, { phase: 'over', state });
      } catch (error) {
        if (signal.aborted) return;
        put(at, { phase: 'refused', why: error instanceof Error ? error.message : String(error) });
      }
    }
    setBusy(false);
    void queries.invalidateQueries({ queryKey: [engine.base, 'profiles'] });
    void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
    void engine.runs.load();
  };

  return (
    <Dialog title="Import profiles" close={close} size="lg">
      <div className="v-fields">
        <p>
          Files of the ADMIRE metric proxy (profiles and traces), and the database of another Vigie engine (
          <code>vigie.sqlite</code>). Runs that are here already stay as they are.
        </p>
        <div className="v-toolbar v-flush">
          <FileButton multiple onChange={(chosen) => void take(chosen)}>
            {(props) => (
              <Button size="xs" loading={busy} data-autofocus {...props}>
                Choose files
              </Button>
            )}
          </FileButton>
          <span className="v-muted">or a whole folder, at a terminal:</span>
        </div>
        <Command name="the import command" text="./bin/vigie import ~/.proxyprofiles" />
        {files.length === 0 ? null : (
          <ul className="v-imports" aria-label="Files" data-testid="imports">
            {files.map((file, at) => (
              <li key={`${at} ${file.name}`}>
                <FileState file={file} />
              </li>
            ))}
          </ul>
        )}
        <div className="v-ends">
          <Button size="xs" variant="default" onClick={close}>
            {busy ? 'Close; what was sent goes on' : 'Close'}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function FileState({ file }: { readonly file: FileImport }) {
  const { name, bytes, state, phase } = file;
  const part = state?.total ? state.done / state.total : null;
  return (
    <>
      <div className="v-toolbar v-flush">
        <bdi className="v-ellipsis">{name}</bdi>
        <span className="v-muted">{formatValue(bytes, 'B')}</span>
        <span role="status" className={isBad(file) ? 'v-bad-text' : ''}>
          {fileText(file)}
        </span>
      </div>
      {phase === 'reading' && part !== null ? (
        <Progress.Root size="sm">
          <Progress.Section value={100 * part} aria-label={`Import of ${name}`} />
        </Progress.Root>
      ) : null}
      {state === null ? null : <Reports state={state} />}
    </>
  );
}

const isBad = ({ phase, state }: FileImport): boolean =>
  phase === 'refused' || state?.state === 'failed' || (state?.failed ?? 0) > 0;

function fileText({ phase, state, why }: FileImport): string {
  switch (phase) {
    case 'waiting':
      return 'waits';
    case 'sending':
      return 'is being sent';
    case 'refused':
      return why ?? 'refused';
    case 'reading':
      return `${formatCount(state?.done ?? 0)}${state?.total ? ` of ${formatCount(state.total)}` : ''} read`;
    case 'over': {
      if (!state) return '';
      if (state.state === 'failed') return state.reason ?? 'could not be read';
      const parts = [
        [state.imported, 'imported'],
        [state.known, 'here already'],
        [state.failed, 'could not be taken'],
      ] as const;
      const words = parts.filter(([count]) => count > 0).map(([count, text]) => `${formatCount(count)} ${text}`);
      return words.length === 0 ? 'has no runs' : words.join(', ');
    }
  }
}

/** What became of each run, the bad ones first. */
function Reports({ state }: { readonly state: ImportState }) {
  const reports = [...state.reports].sort((a, b) => Number(b.outcome === 'failed') - Number(a.outcome === 'failed'));
  if (reports.length === 0) return null;
  return (
    <ul className="v-reports" tabIndex={0} aria-label="Runs of the file">
      {reports.map(({ files, jobid, run, outcome, notes }) => (
        <li key={files.join(' ')}>
          {run === null ? (
            <bdi>{jobid ?? files.join(', ')}</bdi>
          ) : (
            <Link href={`/ui/jobs/${encodeURIComponent(run)}`} className="v-link">
              <bdi>{jobid ?? run}</bdi>
            </Link>
          )}{' '}
          <span className={outcome === 'failed' ? 'v-bad-text' : 'v-muted'}>
            {outcome === 'known' ? 'here already' : outcome}
            {notes.length > 0 ? `: ${notes.join('; ')}` : ''}
          </span>
        </li>
      ))}
    </ul>
  );
}
