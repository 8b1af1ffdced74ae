import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileSd } from '../../../../../src/engine/targets/discovery/file-sd.ts';
import { parsePrometheusDuration } from '../../../../../src/engine/targets/discovery/groups.ts';
import {
  prometheusConfig,
  readPrometheusConfig,
} from '../../../../../src/engine/targets/discovery/prometheus-config.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';

const CONFIG = `
global: {scrape_interval: 15s, evaluation_interval: 1m}
rule_files: [x.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['n1:9100', 'n2:9100']
        labels: {rack: a, __metrics_path__: /probe, __param_module: icmp}
  - job_name: secure
    scheme: https
    metrics_path: /m
    scrape_interval: 1m30s
    scrape_timeout: 5s
    params: {collect: [a, b]}
    basic_auth: {username: u, password_file: pw}
    tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
    honor_labels: true
    relabel_configs: [{source_labels: [x], action: drop}]
    static_configs: [{targets: ['s:443']}]
  - job_name: files
    authorization: {credentials_file: token}
    file_sd_configs: [{files: ['sd-*.json']}]
  - job_name: sigv
    authorization: {type: Sigv4, credentials: x}
    static_configs: [{targets: ['left:1']}]
`;

describe('a Prometheus configuration', () => {
  test('its targets with what they are asked with, and notes for the rest', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'prometheus.yml'), CONFIG);
    writeFileSync(join(folder, 'pw'), 'hidden\n');
    writeFileSync(join(folder, 'sd-1.json'), '[{"targets":["f1:1"],"labels":{"a":1}}]');
    writeFileSync(join(folder, 'sd-2.json'), '[{"targets":["f2:1"]}]');
    const found = await prometheusConfig(join(folder, 'prometheus.yml')).look(new AbortController().signal);
    const none = { kind: 'none' };
    const node = { type: 'prometheus', period: 15_000, timeout: 10_000, auth: none, tls: {} };
    expect(found!.targets).toEqual([
      { ...node, url: 'http://n1:9100/probe?module=icmp', labels: { job: 'node', rack: 'a' } },
      { ...node, url: 'http://n2:9100/probe?module=icmp', labels: { job: 'node', rack: 'a' } },
      {
        ...{ url: 'https://s:443/m?collect=a&collect=b', type: 'prometheus', period: 90_000, timeout: 5000 },
        ...{ labels: { job: 'secure' }, auth: { kind: 'basic', username: 'u', password: 'hidden' } },
        tls: { ca_file: join(folder, 'ca.pem') },
      },
      ...[
        { host: 'f1', labels: { job: 'files', a: '1' } },
        { host: 'f2', labels: { job: 'files' } },
      ].map(({ host, labels }) => ({
        ...node,
        url: `http://${host}:1/metrics`,
        labels,
        auth: { kind: 'bearer_file', path: join(folder, 'token') },
      })),
    ]);
    expect(found!.notes).toEqual([
      'job secure: honor_labels is left out',
      'job secure: relabel_configs is left out',
      'job secure: insecure_skip_verify is left out: pin the certificate',
      'job sigv: left out: authorization of the type Sigv4 is not known here',
    ]);
  });

  test('text that somebody sent has no files read for it', async () => {
    const found = await readPrometheusConfig(CONFIG, null);
    expect(found.targets.map(({ url }) => url)).toEqual([
      'http://n1:9100/probe?module=icmp',
      'http://n2:9100/probe?module=icmp',
    ]);
    expect(found.notes.filter((note) => note.includes('file'))).toHaveLength(2);
  });

  test.each(['scrape_configs: 7', '[]', 'scrape_configs: [{job_name: a, static_configs: [{targets: 3}]}]'])(
    '%s is none',
    async (text) => {
      await expect(readPrometheusConfig(text, null)).rejects.toThrow('this is no Prometheus configuration');
    },
  );

  test.each([
    ['15s', 15_000],
    ['1m30s', 90_000],
    ['1w', 604_800_000],
    ['', null],
    ['15', null],
    ['x1s', null],
  ])('the duration %s', (text, ms) => {
    expect(parsePrometheusDuration(text)).toBe(ms);
  });
});

describe('files of file_sd', () => {
  test('are read again when they change, only then; a broken one leaves what was', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a.yaml');
    const { signal } = new AbortController();
    writeFileSync(file, '- targets: [n1:1]\n  labels: {rack: a}\n');
    const discovery = fileSd(join(folder, '*.yaml'), { period: 1000 });
    expect((await discovery.look(signal))!.targets).toEqual([
      { url: 'http://n1:1/metrics', type: 'prometheus', period: 1000, labels: { rack: 'a' } },
    ]);
    expect(await discovery.look(signal)).toBeNull();
    writeFileSync(file, '- targets: [n1:1, ');
    await expect(discovery.look(signal)).rejects.toThrow(file);
    await expect(discovery.look(signal)).rejects.toThrow(file);
    writeFileSync(file, '- targets: ["n[1-2]:1"]\n');
    writeFileSync(join(folder, 'b.yaml'), '[{"targets": ["https://m/x"], "labels": {"bad-name": "x"}}]');
    const after = (await discovery.look(signal))!;
    expect(after.targets.map(({ url }) => url)).toEqual(['http://n1:1/metrics', 'http://n2:1/metrics']);
    expect(after.notes).toHaveLength(1);
  });
});
