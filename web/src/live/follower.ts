// Follows topics over whatever session there is: asks for all that are wanted in few requests, asks again where something is
// missing, and after a reconnect continues each topic from its position.
import { Backoff, type BackoffOptions } from "./backoff.js";
import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { ConnectionLost, RequestRefused } from "./errors.js";
import { Feed, type TopicListener, type TopicOptions, type TopicPlace } from "./feed.js";
import type { EventPush, Hello, Revoked, StatePush, Subscribed } from "./types.js";
import type { ErrorBody, TopicRequest } from "./wire.js";

/** One subscription names at most this many topics, and takes at most half of the largest message. */
const TOPICS_PER_REQUEST_MAX = 200;

/** All followed topics of a client. */
export class Follower {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #report: (error: unknown) => void;
  readonly #feeds = new Map<string, Feed>();
  #session: { connection: Connection; hello: Hello } | undefined;
  readonly #retries = new Set<() => void>();
  #asked = 0;
  #flushPlanned = false;

  constructor(options: { clock: Clock; backoff: BackoffOptions; onError: (error: unknown) => void }) {
    this.#clock = options.clock;
    this.#backoff = new Backoff(options.backoff);
    this.#report = options.onError;
  }

  /** Follows a topic. Returns what ends it; the last listener to go unsubscribes. */
  follow(topic: string, listener: TopicListener, options: TopicOptions, from?: TopicPlace): () => void {
    const feed = this.#feeds.get(topic) ?? new Feed(topic, options, this.#report);
    this.#feeds.set(topic, feed);
    feed.options = options;
    const box = { listener };
    feed.listeners.add(box);
    // A new listener among others needs everything, not only what comes from now on.
    feed.goOnFrom(feed.listeners.size === 1 ? from : undefined);
    this.#want(feed);
    return () => {
      if (feed.listeners.delete(box) && feed.listeners.size === 0) this.#leave(feed);
    };
  }

  /** Restarts a topic from a snapshot. */
  restart(topic: string): void {
    const feed = this.#feeds.get(topic);
    if (feed === undefined) return;
    feed.goOnFrom(undefined);
    this.#want(feed);
  }

  /** Asks again for a topic that was refused for good. */
  retryRefused(topic: string): void {
    const feed = this.#feeds.get(topic);
    if (feed?.phase === "refused") this.#want(feed);
  }

  /** A session is open: every topic is asked for. What was revoked stays so until somebody follows it again. */
  online(connection: Connection, hello: Hello): void {
    this.#session = { connection, hello };
    for (const feed of this.#feeds.values()) {
      if (feed.phase !== "revoked") this.#want(feed);
    }
  }

  /** The session is over; the next one asks for everything anyway. */
  offline(): void {
    this.#session = undefined;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
  }

  /** Takes a push. */
  pushed(push: EventPush | StatePush | Revoked): void {
    if (push.type === "revoked") return this.#revoked(push);
    const feed = this.#feeds.get(push.topic);
    if (feed === undefined || feed.phase === "refused" || feed.phase === "revoked") return;
    if (push.type === "state") return feed.stated(push);
    // While an answer is under way, it will hold whatever is missing.
    if (!feed.pushed(push) && feed.phase === "followed") this.#want(feed);
  }

  #revoked({ topics, code }: Revoked): void {
    for (const topic of topics) {
      const feed = this.#feeds.get(topic);
      if (feed === undefined) continue;
      feed.phase = "revoked";
      feed.goOnFrom(undefined);
      feed.tell((listener) => listener.revoked?.(code));
    }
  }

  #leave(feed: Feed): void {
    this.#feeds.delete(feed.topic);
    // Without a session, or where the answer fails, there is nothing to leave.
    this.#session?.connection.request<"unsubscribe">({ op: "unsubscribe", topics: [feed.topic] }).catch(() => undefined);
  }

  /** Topics that are wanted in one turn are asked for together. */
  #want(feed: Feed): void {
    feed.phase = "wanted";
    if (this.#flushPlanned || this.#session === undefined) return;
    this.#flushPlanned = true;
    queueMicrotask(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#session === undefined) return;
    const { epoch, limits } = this.#session.hello;
    const wanted = [...this.#feeds.values()].filter((feed) => feed.phase === "wanted");
    const requests = wanted.map((feed) => ({ feed, request: feed.request(epoch) }));
    for (const batch of batches(requests, limits.message_bytes_max / 2)) this.#ask(batch);
  }

  #ask(batch: readonly { feed: Feed; request: TopicRequest }[]): void {
    if (this.#session === undefined) return;
    const { connection, hello } = this.#session;
    const number = (this.#asked += 1);
    for (const { feed } of batch) Object.assign(feed, { phase: "asked", asking: number });
    const mine = (): Feed[] => batch.map(({ feed }) => feed).filter((feed) => feed.phase === "asked" && feed.asking === number);
    const topics = batch.map(({ request }) => request);
    connection
      .request<"subscribe">({ op: "subscribe", epoch: hello.epoch, topics }, (part) => this.#answered(part, number, hello.epoch))
      .then(() => {
        this.#backoff.reset();
        for (const feed of mine()) this.#refused(feed, { code: "unanswered", detail: "the server left the topic out", temporary: true });
      })
      .catch((error: unknown) => {
        if (error instanceof ConnectionLost) return;
        const refusal = error instanceof RequestRefused ? bodyOf(error) : { code: "timed_out", detail: String(error), temporary: true };
        for (const feed of mine()) this.#refused(feed, refusal);
      });
  }

  #answered(part: Subscribed, number: number, epoch: string): void {
    for (const answer of part.topics) {
      const feed = this.#feeds.get(answer.topic);
      // Asked again meanwhile: that answer counts, this one may be of other options.
      if (feed === undefined || feed.phase !== "asked" || feed.asking !== number) continue;
      if ("error" in answer) this.#refused(feed, answer.error);
      else feed.answered(answer, epoch);
    }
  }

  #refused(feed: Feed, error: ErrorBody): void {
    feed.phase = error.temporary ? "resting" : "refused";
    feed.tell((listener) => listener.refused?.(error));
    if (!error.temporary || this.#session === undefined) return;
    const cancel = this.#clock.after(error.retry_after_ms ?? this.#backoff.next(), () => {
      this.#retries.delete(cancel);
      if (feed.phase === "resting" && this.#feeds.get(feed.topic) === feed) this.#want(feed);
    });
    this.#retries.add(cancel);
  }
}

function bodyOf(error: RequestRefused): ErrorBody {
  const body: ErrorBody = { code: error.code, detail: error.message, temporary: error.temporary };
  return error.retryAfterMs === undefined ? body : { ...body, retry_after_ms: error.retryAfterMs };
}

/** Cuts topics into groups whose requests are small enough. Topics, filters and positions are mostly ASCII; the half that is left covers the rest. */
function* batches<T extends { request: TopicRequest }>(all: readonly T[], bytesMax: number): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const one of all) {
    const more = JSON.stringify(one.request).length;
    if (batch.length > 0 && (bytes + more > bytesMax || batch.length >= TOPICS_PER_REQUEST_MAX)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(one);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}
