// A clock that tests move by hand: nobody sleeps.
import type { Clock } from "../../src/live/index.js";

/** Lets everything that is ready run: promises and what they start. No time passes on any clock. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #timers: { dueMs: number; callback: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(ms, 0), callback };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Timers that have not rung. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on, ringing what comes due in its order, and lets all that follows from it run. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#timers.filter((timer) => timer.dueMs <= endMs).sort((left, right) => left.dueMs - right.dueMs)[0];
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.callback();
      await settle();
    }
    this.#nowMs = endMs;
  }
}
