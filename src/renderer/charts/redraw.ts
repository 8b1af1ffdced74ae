/** Something that draws itself from the samples. */
export interface Drawable {
  /** On the screen at the moment. */
  visible: boolean;
  /** What it shows is older than the samples. */
  stale: boolean;
  draw(): void;
}

/** One pass per animation frame redraws what is stale and visible; everything else waits until it is seen. */
export class RedrawLoop {
  readonly #items = new Set<Drawable>();
  readonly #request: (call: () => void) => void;
  #asked = false;

  constructor(request: (call: () => void) => void = (call) => void requestAnimationFrame(call)) {
    this.#request = request;
  }

  add(item: Drawable): () => void {
    this.#items.add(item);
    item.stale = true;
    this.#ask();
    return () => this.#items.delete(item);
  }

  /** All items, or those for which `which` holds, are to be drawn again. */
  invalidate(which?: (item: Drawable) => boolean): void {
    for (const item of this.#items) if (!which || which(item)) item.stale = true;
    this.#ask();
  }

  show(item: Drawable, visible: boolean): void {
    item.visible = visible;
    if (visible && item.stale) this.#ask();
  }

  #ask(): void {
    if (this.#asked) return;
    this.#asked = true;
    this.#request(() => {
      this.#asked = false;
      this.drawNow();
    });
  }

  /** Marks all and draws what is visible at once; for callers that are inside an animation frame already. */
  readonly tick = (): void => {
    for (const item of this.#items) item.stale = true;
    this.drawNow();
  };

  drawNow(): void {
    for (const item of this.#items) {
      if (!item.visible || !item.stale) continue;
      item.stale = false;
      item.draw();
    }
  }
}
