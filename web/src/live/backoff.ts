// How long to wait before the next attempt: exponential with full jitter, so that clients that lost the same server do not
// come back in step.

/** What a back-off is made of. */
export interface BackoffOptions {
  /** The first wait is a random part of this, in milliseconds; 500 if not given. */
  baseMs?: number;
  /** No wait is longer than this, in milliseconds; 30,000 if not given. */
  capMs?: number;
  /** A connection that held so long counts as stable: the next wait is a first one again. 10,000 if not given. */
  stableMs?: number;
  /** From 0 to below 1; `Math.random` if not given. */
  random?: () => number;
}

/** Doublings beyond this change nothing, and 2^1024 is no number. */
const DOUBLINGS_MAX = 30;

/** Counts failed attempts and says how long to wait before the next. */
export class Backoff {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #stableMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: BackoffOptions = {}) {
    this.#baseMs = options.baseMs ?? 500;
    this.#capMs = options.capMs ?? 30_000;
    this.#stableMs = options.stableMs ?? 10_000;
    this.#random = options.random ?? Math.random;
  }

  /** Attempts since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds to wait before the next attempt: a random part of `min(cap, base * 2^attempts)`. Counts the attempt. */
  next(): number {
    const widthMs = Math.min(this.#capMs, this.#baseMs * 2 ** Math.min(this.#attempts, DOUBLINGS_MAX));
    this.#attempts += 1;
    return this.#random() * widthMs;
  }

  /** Notes how long a connection held; a stable one makes the next wait a first one again. */
  held(ms: number): void {
    if (ms >= this.#stableMs) this.reset();
  }

  /** The next wait is a first one again. */
  reset(): void {
    this.#attempts = 0;
  }
}
