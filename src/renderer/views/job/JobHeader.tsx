import { useDisclosure } from '@mantine/hooks';
import { Button } from '@mantine/core';
import { Link } from 'wouter';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { scopeKind } from '../../../shared/model/scope.ts';
import { measuredBy } from '../../../shared/profiles/measured-by.ts';
import { Copy } from '../../components/Copy.tsx';
import { Icon } from '../../components/Icon.tsx';
import { RunState } from '../../components/RunState.tsx';
import { formatDateTime } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';
import { useConnection } from '../../state/connection.ts';
import { isLive } from '../../data/runs.ts';
import { Elapsed } from '../jobs/columns.tsx';
import { ProfileBar, ProfileBarSpace } from '../profiles/run/ProfileBar.tsx';
import { PinRun } from './PinRun.tsx';

interface Fact {
  readonly name: string;
  readonly text: string;
}

/** Everything the description says; what nobody said is left out. */
function factsOf(run: Run, profile: Profile | null): Fact[] {
  const facts: Fact[] = [
    { name: 'Job id', text: run.jobid },
    { name: 'Command', text: run.command },
    { name: 'Size', text: run.size > 0 ? String(run.size) : '' },
    { name: 'Node list', text: run.nodelist },
    { name: 'Nodes seen', text: run.nodes.join(' ') },
    { name: 'Partition', text: run.partition },
    { name: 'Cluster', text: run.cluster },
    { name: 'Directory', text: run.run_dir },
    { name: 'Start', text: run.start_time > 0 ? new Date(run.start_time).toISOString() : '' },
    { name: 'End', text: run.end_time > 0 ? new Date(run.end_time).toISOString() : '' },
    { name: 'Run id', text: run.id },
    { name: 'Measured by', text: measuredBy(profile?.versions) },
  ];
  return facts.filter((fact) => fact.text !== '');
}

interface JobHeaderProps {
  readonly run: Run;
  /** Which processes failed, in words. */
  readonly exits: string | null;
  /** Null: it is not here. */
  readonly profile: Profile | null;
}

/** What runs, since when, and on request the whole description. */
export function JobHeader({ run, exits, profile }: JobHeaderProps) {
  const [open, { toggle }] = useDisclosure(false);
  // In memory nothing can be kept, and of what targets tell only windows of time.
  const stored = useConnection((s) => s.status?.store.kind === 'sqlite');
  return (
    <header className="v-jobhead">
      <div className="v-toolbar">
        <nav aria-label="Breadcrumb">
          <Link href="/ui/jobs" className="v-link">
            Jobs
          </Link>{' '}
          <span aria-hidden="true">/</span>
        </nav>
        <h1>
          <bdi>{run.jobid}</bdi>
        </h1>
        <span>
          <RunState state={run.state} />
          {exits === null ? null : (
            <>
              , <b data-testid="exits">{exits}</b>
            </>
          )}
        </span>
        <span>
          <span className="v-muted">elapsed</span>{' '}
          <b data-testid="elapsed">
            <Elapsed run={run} />
          </b>
        </span>
        <span>
          <span className="v-muted">size</span> <b>{formatCount(run.size)}</b>
        </span>
        <span>
          <span className="v-muted">start</span> <b>{formatDateTime(run.start_time)}</b>
        </span>
        <code className="v-ellipsis" title={run.command.slice(0, 2000)}>
          <bdi>{run.command.slice(0, 400)}</bdi>
        </code>
        <div className="v-acts">
          {stored && scopeKind(run.scope) === 'run' ? <PinRun run={run.id} jobid={run.jobid} /> : null}
          <Button
            size="compact-xs"
            variant="subtle"
            aria-expanded={open}
            onClick={toggle}
            rightSection={<Icon name={open ? 'up' : 'down'} size={12} />}
          >
            Description
          </Button>
        </div>
      </div>
      {isLive(run) || scopeKind(run.scope) !== 'run' ? null : profile ? <ProfileBar run={run} /> : <ProfileBarSpace />}
      {open ? (
        <dl className="v-facts v-columns" aria-label="Description of the job">
          {factsOf(run, profile).map((fact) => (
            <div key={fact.name}>
              <dt>{fact.name}</dt>
              <dd>
                <bdi>{fact.text}</bdi> <Copy text={fact.text} name={fact.name.toLowerCase()} />
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </header>
  );
}
