// Time as the client sees it: passed in, so that tests move it by hand and never sleep.

/** Tells the time and rings once, later. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once after this many milliseconds. Returns a function that cancels it; cancelling twice is harmless. */
  after(ms: number, callback: () => void): () => void;
}

/** A timer of the platform fires at once when asked to wait longer than this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock of the platform. Waits longer than its timers can are made of several. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const due = Date.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (rest: number): void => {
      timer = setTimeout(() => (rest > TIMER_MS_MAX ? arm(due - Date.now()) : callback()), Math.min(rest, TIMER_MS_MAX));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};
