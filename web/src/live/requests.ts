// The requests of one session that wait for their answer, by id.
import type { Clock } from "./clock.js";
import { ConnectionLost, RequestRefused, RequestTimedOut } from "./errors.js";
import type {
  CommandRequest,
  Done,
  ErrorReply,
  PingRequest,
  Pong,
  Refreshed,
  RefreshRequest,
  Subscribed,
  SubscribeRequest,
  Unsubscribed,
  UnsubscribeRequest,
} from "./types.js";

/** Every request by its `op`. */
export interface Requests {
  subscribe: SubscribeRequest;
  unsubscribe: UnsubscribeRequest;
  command: CommandRequest;
  ping: PingRequest;
  refresh: RefreshRequest;
}

/** What each request is answered with, if not with an error. */
export interface Replies {
  subscribe: Subscribed;
  unsubscribe: Unsubscribed;
  command: Done;
  ping: Pong;
  refresh: Refreshed;
}

/** A request before it has its id. */
export type RequestBody<Op extends keyof Requests> = Omit<Requests[Op], "id">;

/** Any answer to a request. */
export type Reply = Replies[keyof Replies] | ErrorReply;

interface Waiting {
  part: (reply: Reply) => void;
  resolve: (reply: Reply) => void;
  reject: (error: Error) => void;
  cancelTimer: () => void;
}

/** Assigns ids and matches answers to requests. An answer in parts resolves with its last one. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for the answer to a new request; `send` gets its id and may throw. Every part of the answer restarts the timeout.
   *
   * Rejects with `RequestRefused`, `RequestTimedOut`, `ConnectionLost`, or what `send` throws.
   */
  ask<R extends Reply>(timeoutMs: number, send: (id: number) => void, onPart?: (part: R) => void, onTimeout?: () => void): Promise<R> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<R>((resolve, reject) => {
      const expire = (): void => {
        this.#waiting.delete(id);
        reject(new RequestTimedOut(`no answer within ${timeoutMs} ms`));
        onTimeout?.();
      };
      const waiting: Waiting = {
        part: (reply) => {
          waiting.cancelTimer();
          waiting.cancelTimer = this.#clock.after(timeoutMs, expire);
          onPart?.(reply as R);
        },
        resolve: (reply) => {
          onPart?.(reply as R);
          resolve(reply as R);
        },
        reject,
        cancelTimer: () => undefined,
      };
      this.#waiting.set(id, waiting);
      waiting.cancelTimer = this.#clock.after(timeoutMs, expire);
      try {
        send(id);
      } catch (error) {
        this.#waiting.delete(id);
        waiting.cancelTimer();
        throw error;
      }
    });
  }

  /** Takes an answer. Returns false if nobody waits for it, as after a timeout. */
  answer(reply: Reply): boolean {
    const waiting = this.#waiting.get(reply.id as number);
    if (waiting === undefined) return false;
    if (reply.type === "subscribed" && reply.more) {
      waiting.part(reply);
      return true;
    }
    this.#waiting.delete(reply.id as number);
    waiting.cancelTimer();
    if (reply.type === "error") waiting.reject(new RequestRefused(reply));
    else waiting.resolve(reply);
    return true;
  }

  /** The session is over: everyone who waits is notified. */
  lose(why: string): void {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of lost) {
      waiting.cancelTimer();
      waiting.reject(new ConnectionLost(why));
    }
  }
}
