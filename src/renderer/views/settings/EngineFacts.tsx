import type { Status } from '../../../shared/api/status.ts';
import { Copy } from '../../components/Copy.tsx';
import { Fact } from '../../components/Fact.tsx';
import { formatDateTime, formatElapsed } from '../../format/time.ts';
import { formatCount, formatValue } from '../../format/units.ts';
import { Card } from '../../components/Card.tsx';

function Path({ text, name }: { readonly text: string; readonly name: string }) {
  return (
    <span className="v-path">
      <code>{text}</code>
      <Copy text={text} name={name} />
    </span>
  );
}

/** What the engine is and where it is reached. All of it is set when it starts. */
export function EngineFacts({ status }: { readonly status: Status }) {
  const { engine, version, time, period } = status;
  return (
    <Card title="Engine" aside={<span className="v-muted">set by the options that it was started with</span>}>
      <dl className="v-facts">
        <Fact name="Version">{version}</Fact>
        <Fact name="Identity">
          <code>{engine.id}</code>, start {engine.epoch}
        </Fact>
        <Fact name="Host and process">
          <bdi>{engine.host}</bdi>, pid {engine.pid}
        </Fact>
        <Fact name="Running for">
          {formatElapsed(time - engine.started)} (since {formatDateTime(engine.started)})
        </Fact>
        <Fact name="Period">{period}</Fact>
        <Fact name="Listens on">
          {engine.url === null ? 'its own socket only' : <Path text={engine.url} name="the address" />}
        </Fact>
        <Fact name="Socket">
          <Path text={engine.socket} name="the socket’s path" />
        </Fact>
        <Fact name="Socket of the old proxy">
          {engine.legacy_socket === null ? 'none' : <Path text={engine.legacy_socket} name="the old proxy’s socket" />}
        </Fact>
        <Fact name="Data">
          {engine.data === null ? (
            'in memory only: nothing is left when the engine stops'
          ) : (
            <Path text={engine.data} name="the data directory" />
          )}
        </Fact>
        <Fact name="Token file">
          <Path text={engine.token_file} name="the token file’s path" />
        </Fact>
        <Fact name="Old proxy’s routes">
          {engine.compat ? 'open without a token to programs on this machine (--compat)' : 'need the token'}
        </Fact>
      </dl>
    </Card>
  );
}

const LIMITS: Readonly<Record<keyof Status['limits'], readonly [name: string, unit: 'B' | '1']>> = {
  series: ['Live series', '1'],
  rank_values: ['Values of ranks', '1'],
  runs: ['Open runs', '1'],
  connections: ['Connections of programs', '1'],
  http_connections: ['HTTP connections', '1'],
  unfinished_messages: ['Unfinished messages', 'B'],
  unread_responses: ['Answers not yet read', 'B'],
  memory: ['Memory', 'B'],
};

/** How much of what can become too much is used now. */
export function Limits({ status }: { readonly status: Status }) {
  return (
    <Card title="Limits" aside={<span className="v-muted">--max-series, and limits: in the configuration file</span>}>
      {status.memory_full ? (
        <p role="alert" className="v-bad-text">
          The memory’s limit is reached: no new series and runs are taken until there is room again.
        </p>
      ) : null}
      <div className="v-plain-scroll">
        <table className="v-plain" aria-label="Limits">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="v-num">
                Used
              </th>
              <th scope="col" className="v-num">
                Limit
              </th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(LIMITS).map(([key, [name, unit]]) => {
              const { used, limit } = status.limits[key as keyof Status['limits']];
              const share = Math.min(1, limit > 0 ? used / limit : 0);
              const show = (value: number): string => (unit === 'B' ? formatValue(value, 'B') : formatCount(value));
              return (
                <tr key={key}>
                  <th scope="row">{name}</th>
                  <td className="v-num">{show(used)}</td>
                  <td className="v-num">{show(limit)}</td>
                  <td className="v-wide">
                    <span className="v-bar" title={`${Math.round(share * 100)} %`}>
                      <span style={{ width: `${share * 100}%` }} />
                    </span>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
