import { Status } from '../../../shared/api/status.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

export function registerStatus(app: App, engine: EngineContext): void {
  const schema = { summary: 'State of the engine', response: { 200: Status } };
  app.get('/status', { schema }, async () => engine.status());
}
