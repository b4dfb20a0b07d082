// A set of callbacks.

/** Callbacks that receive the same values. What one throws is reported and keeps nothing from the others. */
export class Listeners<T> {
  readonly #listeners = new Set<(what: T) => void>();
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Adds a callback. Returns what removes it. */
  add(listener: (what: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells all. */
  tell(what: T): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(what);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
