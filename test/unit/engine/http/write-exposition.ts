import { Body } from '../../../../src/engine/http/compat/body.ts';
import { ExpositionForm } from '../../../../src/engine/http/compat/exposition.ts';
import type { Sample } from '../../../../src/engine/live/merges.ts';
import { gaugeValue } from '../../../../src/shared/model/values.ts';

/** These samples as text. */
export function writeExposition(samples: readonly Sample[], open: boolean): string {
  const body = new Body(0);
  new ExpositionForm(samples, open).write(body, (i) => {
    const { gauge, counter } = samples[i]!;
    return gauge ? gaugeValue(gauge) : counter;
  });
  const text = body.bytes.toString();
  body.release();
  return text;
}
