// What the client knows of one topic it follows: up to where, in which epoch, and whether something is missing. Pure bookkeeping:
// it sends nothing itself.
import { isAfter, later } from "./position.js";
import type { EventPush, StatePush } from "./types.js";
import type { DealFilter, ErrorBody, MissedEvent, Position, RecordedEvent, TopicAnswer, TopicRequest } from "./wire.js";

/** Options of a topic. */
export interface TopicOptions {
  /** At most this many states a second of each key, from 0.01 to 1000; the last value always arrives. */
  maxRate?: number;
  /** For `deals:<store>` only. */
  filter?: DealFilter;
}

/** Up to where something is known. */
export interface TopicPlace {
  position: Position;
  epoch: string;
}

/** Everything a topic holds at a position. */
export interface TopicStart extends TopicPlace {
  snapshot: unknown;
  states: { readonly [key: string]: unknown };
}

/** Hears what happens in a topic. Every method is optional; what one throws is reported and stops nothing. */
export interface TopicListener {
  /** Throw away what you had: this is everything. Events that happened while it was read follow as `event`. */
  start?(start: TopicStart): void;
  /** After a lost connection: nothing was missed, and these are all current states. The missed events follow as `event`. */
  resumed?(position: Position, states: { readonly [key: string]: unknown }): void;
  /** Each event once, in log order. */
  event?(event: RecordedEvent, position: Position): void;
  /** The latest value of a key. It may be of an older position than what is known; keep the newer one. */
  state?(key: string, value: unknown, position: Position): void;
  /** The topic cannot be followed; if the error is temporary, the client tries again by itself. */
  refused?(error: ErrorBody): void;
  /** The right to follow the topic was taken away: nothing comes any more. */
  revoked?(code: string): void;
}

/** Where a topic stands: to be asked for, asked for, followed, asked for again later, refused for this session, or revoked. */
export type Phase = "wanted" | "asked" | "followed" | "resting" | "refused" | "revoked";

/** One followed topic. */
export class Feed {
  readonly topic: string;
  /** Boxed, so that the same listener may be given twice. */
  readonly listeners = new Set<{ readonly listener: TopicListener }>();
  options: TopicOptions;
  phase: Phase = "wanted";
  /** Asking that was overtaken by another is recognised by its number. */
  asking = 0;
  #position: Position | undefined;
  #epoch: string | undefined;
  readonly #report: (error: unknown) => void;

  constructor(topic: string, options: TopicOptions, report: (error: unknown) => void) {
    this.topic = topic;
    this.options = options;
    this.#report = report;
  }

  /** The position of the last event known. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** How to request it in an epoch: after the known position, if that is of this epoch. */
  request(epoch: string): TopicRequest {
    const request: TopicRequest = { topic: this.topic };
    if (this.#position !== undefined && this.#epoch === epoch) request.since = this.#position;
    if (this.options.maxRate !== undefined) request.max_rate = this.options.maxRate;
    if (this.options.filter !== undefined) request.filter = this.options.filter;
    return request;
  }

  /** Continues from a place; without one, the next answer is a snapshot. */
  goOnFrom(place: TopicPlace | undefined): void {
    this.#position = place?.position;
    this.#epoch = place?.epoch;
  }

  /** Takes the answer to a subscription that was asked for in an epoch. */
  answered(answer: Exclude<TopicAnswer, { error: ErrorBody }>, epoch: string): void {
    this.phase = "followed";
    const states = answer.states ?? {};
    if (answer.recovered) {
      // The states come with the last part, and so does the word to the listeners; until then more of this topic is on its way.
      if (answer.partial === true) this.phase = "asked";
      else this.tell((listener) => listener.resumed?.(answer.position, states));
      this.#catchUp(answer.events);
      // Also where nothing was missed, so that the next time begins here.
      this.#position = this.#position === undefined ? answer.position : later(this.#position, answer.position);
      return;
    }
    this.#position = answer.position;
    this.#epoch = epoch;
    this.tell((listener) => listener.start?.({ position: answer.position, epoch, snapshot: answer.snapshot, states }));
    this.#catchUp(answer.events ?? []);
  }

  /** Takes a pushed event. Returns false if one before it is missing: ask again. Events known already change nothing. */
  pushed(push: EventPush): boolean {
    // Before the first answer nothing is known, and that answer will hold it.
    if (this.#position === undefined) return true;
    if (push.previous != null && isAfter(push.previous, this.#position)) return false;
    this.#catchUp([push]);
    return true;
  }

  /** Takes a pushed state. */
  stated(push: StatePush): void {
    if (this.#position === undefined) return;
    this.tell((listener) => listener.state?.(push.key, push.value, push.position));
  }

  /** Tells every listener. */
  tell(what: (listener: TopicListener) => void): void {
    for (const { listener } of [...this.listeners]) {
      try {
        what(listener);
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #catchUp(events: readonly MissedEvent[]): void {
    for (const { position, event } of events) {
      if (this.#position !== undefined && !isAfter(position, this.#position)) continue;
      this.#position = position;
      this.tell((listener) => listener.event?.(event, position));
    }
  }
}
