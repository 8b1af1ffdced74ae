/** Who shows notifications: pages of this engine, in a browser or in the desktop program. */

import type { LiveNotification } from '../../../shared/api/live.ts';

/** Pages that can show notifications now. */
export class Pages {
  readonly #pages = new Set<(notification: LiveNotification) => void>();
  /** A page came: what waited for one need not wait any longer. */
  onFirst: () => void = () => undefined;

  get open(): number {
    return this.#pages.size;
  }

  watch(show: (notification: LiveNotification) => void): () => void {
    // Two pages may hand in the same function.
    const page = (notification: LiveNotification): void => show(notification);
    this.#pages.add(page);
    if (this.#pages.size === 1) this.onFirst();
    return () => this.#pages.delete(page);
  }

  show(notification: LiveNotification): void {
    for (const page of this.#pages) page(notification);
  }
}
