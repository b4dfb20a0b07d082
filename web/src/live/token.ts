// Sends the token when the server asks, and a new one before the old one expires.
import type { Clock } from "./clock.js";
import type { Refreshed } from "./types.js";

/** Returns a token that is valid now; asked once a session and before each expiry. */
export type TokenSource = () => string | Promise<string>;

/** A new token is brought so long before the old one expires, or after half its time if that is shorter. */
const REFRESH_BEFORE_MS = 60_000;

/** The tokens of one session. */
export class TokenKeeper {
  readonly #clock: Clock;
  readonly #source: TokenSource | undefined;
  readonly #send: (token: string) => Promise<unknown>;
  #expiresMs = 0;
  #cancelTimer: () => void = () => undefined;

  constructor(clock: Clock, source: TokenSource | undefined, send: (token: string) => Promise<unknown>) {
    this.#clock = clock;
    this.#source = source;
    this.#send = send;
  }

  get hasSource(): boolean {
    return this.#source !== undefined;
  }

  /** Fetches a token and sends it. Rejects with what either rejects with. */
  async bring(): Promise<void> {
    if (this.#source === undefined) return;
    await this.#send(await this.#source());
  }

  /** The server took a token: plans when to bring the next. */
  accepted(refreshed: Refreshed): void {
    this.#cancelTimer();
    const expiresMs = Date.parse(refreshed.expires_at ?? "");
    // A source that returns the same token would be asked repeatedly.
    if (Number.isNaN(expiresMs) || expiresMs <= this.#expiresMs || !this.hasSource) return;
    this.#expiresMs = expiresMs;
    const leftMs = Math.max(expiresMs - this.#clock.now(), 0);
    // If it fails, the server ends the session at the expiry and says so.
    this.#cancelTimer = this.#clock.after(leftMs - Math.min(REFRESH_BEFORE_MS, leftMs / 2), () => void this.bring().catch(() => undefined));
  }

  /** Plans nothing more. */
  stop(): void {
    this.#cancelTimer();
  }
}
