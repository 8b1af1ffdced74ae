import { Button, Group, Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { exactThreshold, ruleSentence } from '../../../../shared/alarms/sentence.ts';
import type { Rule } from '../../../../shared/api/alarms.ts';
import { parseMetric } from '../../../../shared/model/metric.ts';
import { describeFamily } from '../../../../shared/model/naming.ts';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { engineNow } from '../../../state/connection.ts';
import { useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs, Refusal } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';
import { formFromPlot } from './fromPlot.ts';
import { MessagePreview } from './MessagePreview.tsx';
import { begins, firstClear, firstThreshold, axisRange, plotData } from './plotData.ts';
import { PreviewBar } from './PreviewBar.tsx';
import { BEYOND, formOf, numberText, parseNumber, readRule } from './ruleForm.ts';
import type { RuleForm } from './ruleForm.ts';
import { RuleFields } from './RuleFields.tsx';
import { routesFor, toldBy } from './tell.ts';
import type { Told } from './tell.ts';
import { Tell } from './Tell.tsx';
import { ThresholdPlot } from './ThresholdPlot.tsx';
import { useOrigin } from './useOrigin.ts';
import { usePreview } from './usePreview.ts';

/** A rule, new or there already: what it watches is seen, its thresholds are dragged, its words are always true. */
export function RuleEditor({ id }: { readonly id: string | null }) {
  const engine = useEngine();
  const [params] = useUrlQuery();
  const from = id ?? params.get('copy');
  const { data, error, refetch } = useQuery({
    enabled: from !== null,
    queryKey: [engine.base, 'alarms', 'rule', from],
    queryFn: ({ signal }) => engine.api.alarms.rule(from ?? '', signal),
    staleTime: Infinity,
    gcTime: 0,
  });
  const origin = useOrigin(from === null ? params.get('scope') : null);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if ((from !== null && !data) || origin === undefined) {
    return (
      <div className="v-skeletons" role="status" aria-label="Loading the rule">
        <Skeleton height={28} width={320} />
        <Skeleton height={300} />
      </div>
    );
  }
  const copied = data && id === null ? { ...formOf(data), name: `${data.name} (copy)` } : null;
  const start = copied ?? (data ? formOf(data) : formFromPlot(params, origin.place));
  return <Editor key={from ?? 'new'} rule={id === null ? null : (data ?? null)} start={start} origin={origin} />;
}

interface EditorProps {
  /** Null: a new one. */
  readonly rule: Rule | null;
  readonly start: RuleForm;
  readonly origin: { readonly place: { readonly scope: string } | null; readonly began: number };
}

const DAY = '86400000';
/** The preview is asked for again after so long, ms: before there is anything, and then. */
const FIRST_MS = 2000;
const NEXT_MS = 10_000;
/** Of a plot that is shorter, every second is seen, ms. */
const SHORT_MS = 120_000;
/** Times that the plot is drawn closer to where there is something. */
const MOST_LOOKS = 3;
/** Shortest plot, ms. */
const LEAST_MS = 30_000;

function Editor({ rule, start, origin }: EditorProps) {
  const engine = useEngine();
  const forget = useForget();
  const [, navigate] = useLocation();
  const { refusal, known } = useMayControl();
  const may = known && refusal === null;
  const [form, setForm] = useState(start);
  const [length, setLength] = useState<string>(DAY);
  const [only, setOnly] = useState(origin.place !== null);
  const [now, setNow] = useState(engineNow);
  /** Where what there is begins, if that is only the end of what was asked for. */
  const [began, setBegan] = useState<{ readonly at: number; readonly looks: number } | null>(null);
  useTitle(rule ? rule.name : 'New rule');
  const change = (part: Partial<RuleForm>): void => {
    save.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  const read = useMemo(() => readRule(form), [form]);
  const { settings, errors, missing } = read;
  const askable = settings && form.metric.trim() !== '' && form.where !== 'merge' && errors.metric === undefined;
  const span = useMemo(() => {
    const least = Math.max(now - Number(length), origin.began > 0 ? origin.began - 10_000 : 0, began?.at ?? 0);
    return { from: Math.min(least, now - LEAST_MS), to: now };
  }, [now, length, origin.began, began]);
  const asked = useMemo(() => (askable ? inputOf(form) : null), [askable, form]);
  const preview = usePreview({ rule: asked, ...span, scopes: only && origin.place ? [origin.place.scope] : null });
  const data = useMemo(() => plotData(preview.answer?.series ?? []), [preview.answer]);
  // What only the engine can tell of a field stands beside it, too.
  const refused = /^(metric|measure\.to): (.*)$/s.exec(preview.error ?? '');
  const beside = refused ? { ...errors, [refused[1] === 'metric' ? 'metric' : 'to']: refused[2] } : errors;

  const raise = form.measure === 'absent' ? null : parseNumber(form.raise);
  const clear = form.measure === 'absent' ? null : parseNumber(form.clear);
  // Little of the range has anything in it: the plot begins where that begins, found more exactly with each look.
  const isShown = preview.span?.from === span.from && preview.progress === null;
  const first = isShown && (began?.looks ?? 0) < MOST_LOOKS ? begins(data) : null;
  // A plot is never shorter than this: there is nothing more to look at.
  const begin = first !== null && Math.min(first, now - LEAST_MS) > span.from ? first : null;
  useEffect(() => {
    if (begin !== null) setBegan({ at: begin, looks: (began?.looks ?? 0) + 1 });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- when an answer says so
  }, [begin]);
  // The first look at the values gives a threshold to drag.
  const range = preview.answer?.range ?? null;
  useEffect(() => {
    if (form.raise !== '' || form.measure === 'absent' || range === null || begin !== null) return;
    setForm((old) => (old.raise === '' ? { ...old, raise: numberText(firstThreshold(range, old.op)) } : old));
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- when values come, not while one types
  }, [range, begin]);

  // What has just begun has values in a moment; after that the plot follows the time, the longer it is the more slowly.
  const wide = span.to - span.from;
  const every = !askable ? null : range === null || wide < SHORT_MS ? FIRST_MS : Math.max(NEXT_MS, wide / 1000);
  // Never before an answer is here: one that takes longer than that would never come.
  const isAsking = preview.progress !== null;
  useEffect(() => {
    if (every === null || isAsking) return undefined;
    const timer = setTimeout(() => setNow(engineNow()), every);
    return () => clearTimeout(timer);
  }, [every, isAsking, now]);

  const { data: channels } = useQuery({
    queryKey: [engine.base, 'alarms', 'channels'],
    queryFn: ({ signal }) => engine.api.channels.list(signal),
  });
  const { data: routes } = useQuery({
    queryKey: [engine.base, 'alarms', 'routes'],
    queryFn: ({ signal }) => engine.api.channels.routes(signal),
  });
  /** Undefined: not touched. */
  const [chosen, setChosen] = useState<Told | undefined>(undefined);
  const told = chosen === undefined ? toldBy(routes?.routes ?? [], rule?.name ?? '') : chosen;

  const save = useMutation({
    async mutationFn() {
      if (read.request === null) return null;
      const saved = rule
        ? await engine.api.alarms.patchRule(rule.id, read.request)
        : await engine.api.alarms.addRule(read.request);
      if (routes && channels) {
        const before = rule?.name ?? null;
        const next = routesFor(routes.routes, channels.channels, { before, name: saved.name, told });
        if (next) await engine.api.channels.setRoutes(next);
      }
      return saved;
    },
    async onSuccess(saved) {
      await forget();
      if (!saved) return;
      notifications.show({ message: rule ? `Saved: ${saved.name}` : `It watches now: ${saved.name}` });
      leave();
    },
  });
  const leave = (): void => navigate('/ui/alarms/rules');
  const changed = form !== start || chosen !== undefined;
  const unit = form.measure === 'ratio' || form.metric === '' ? '1' : unitOf(form.metric);
  const words = (value: number): string => (settings ? exactThreshold(settings, value) : String(value));
  const axis = axisRange(data, raise, clear);
  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>{rule ? <bdi>{rule.name}</bdi> : 'New rule'}</h1>
        <AlarmTabs />
        <div className="v-spacer" />
        <Group gap="xs">
          {changed && rule ? (
            <Button
              size="xs"
              variant="default"
              onClick={() => {
                setChosen(undefined);
                change(start);
              }}
            >
              Undo changes
            </Button>
          ) : null}
          <Button size="xs" variant="default" onClick={leave}>
            Cancel
          </Button>
          <Button
            type="submit"
            form="rule-editor"
            size="xs"
            disabled={!may || read.request === null || (rule !== null && !changed)}
            loading={save.isPending}
            title={
              missing.length > 0
                ? `Still missing: ${missing.map((field) => NAMES[field] ?? field).join(', ')}`
                : undefined
            }
          >
            {rule ? 'Save' : 'Set alarm'}
          </Button>
        </Group>
      </div>
      <Refusal text={refusal} />
      <form
        id="rule-editor"
        className="v-editor"
        aria-label={rule ? 'Edit the rule' : 'New rule'}
        onSubmit={(event) => {
          event.preventDefault();
          if (read.request && may && !save.isPending) save.mutate();
        }}
      >
        <section className="v-editor-plot" aria-label="What it compares">
          <p className="v-sentence" aria-live="polite" data-testid="sentence">
            {settings && form.metric.trim() !== '' ? (
              Math.abs(settings.raise) === BEYOND ? (
                'Drag the line to where it is to fire.'
              ) : (
                <bdi>{ruleSentence(settings)}</bdi>
              )
            ) : form.metric.trim() === '' ? (
              'Name a metric, or open a plot and choose “Set alarm” there.'
            ) : (
              'Something is not right yet: it stands at its field.'
            )}
          </p>
          {form.where === 'merge' ? (
            <p className="v-muted v-none">
              Sums are not stored: there is nothing to look back at. The rule works all the same.
            </p>
          ) : askable ? (
            <>
              <ThresholdPlot
                label={`${form.metric} over time`}
                data={data}
                span={span}
                unit={unit}
                perSecond={form.measure === 'rate'}
                op={form.op}
                raise={raise}
                clear={form.op === '=' || form.op === '!=' ? null : clear}
                text={words}
                may={may}
                onRaise={(value) => change({ raise: numberText(value), ...follow(form, raise, value) })}
                onClear={(value) => change({ clear: numberText(value) })}
              />
              <PreviewBar
                preview={refused ? { ...preview, error: null, answer: null } : preview}
                length={length}
                onLength={(next) => {
                  setBegan(null);
                  setLength(next);
                }}
                only={origin.place ? { value: only, onChange: setOnly } : null}
                set={raise !== null || form.measure === 'absent'}
              />
              {form.measure === 'absent' || form.op === '=' || form.op === '!=' || raise === null ? null : (
                <Group gap="xs">
                  {form.clear === '' ? (
                    <Button
                      size="compact-xs"
                      variant="default"
                      disabled={!may}
                      onClick={() => change({ clear: numberText(firstClear(raise, form.op, axis)) })}
                    >
                      End at another line
                    </Button>
                  ) : (
                    <Button size="compact-xs" variant="default" disabled={!may} onClick={() => change({ clear: '' })}>
                      End where it begins
                    </Button>
                  )}
                  <span className="v-muted">Two lines keep an alarm from going on and off while a value trembles.</span>
                </Group>
              )}
            </>
          ) : (
            <p className="v-muted v-none">
              {form.metric.trim() === ''
                ? 'What it compares is drawn here as soon as there is a metric.'
                : 'What it compares is drawn here as soon as the fields are right.'}
            </p>
          )}
        </section>
        <section className="v-editor-fields" aria-label="The rule">
          <RuleFields form={form} errors={beside} may={may} onChange={change} />
          {settings ? <MessagePreview rule={settings} answer={preview.answer} /> : null}
          <Tell
            channels={channels?.channels}
            routed={(routes?.routes.length ?? 0) > 0}
            told={told}
            may={may}
            onChange={setChosen}
          />
          {save.error ? (
            <p role="alert" className="v-bad-text">
              {save.error.message}
            </p>
          ) : null}
        </section>
      </form>
    </div>
  );
}

const NAMES: Partial<Record<keyof RuleForm, string>> = { raise: 'the threshold', to: 'the metric to divide by' };

/** The form as it is asked for, whatever else of it is missing. */
function inputOf(form: RuleForm) {
  const { request } = readRule({
    ...form,
    name: 'preview',
    raise: form.raise.trim() === '' ? numberText(form.op.startsWith('<') ? -BEYOND : BEYOND) : form.raise,
    // Words do not change what fires.
    description: '',
    labels: '',
    link: '',
  });
  return request;
}

/** An end on the wrong side of where it begins goes along. */
function follow(form: RuleForm, before: number | null, next: number): Partial<RuleForm> {
  const clear = parseNumber(form.clear);
  if (clear === null || before === null) return {};
  const below = form.op === '<' || form.op === '<=';
  const wrong = below ? clear < next : clear > next;
  return wrong ? { clear: numberText(next) } : {};
}

const unitOf = (metric: string) => describeFamily(parseMetric(metric).family).unit;
