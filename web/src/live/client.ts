// The live client: one session at a time, opened again after every loss; topics continue where they stopped, commands wait in
// the queue meanwhile.
import { Backoff, type BackoffOptions } from "./backoff.js";
import { systemClock, type Clock } from "./clock.js";
import { verdictOf, type Verdict } from "./close.js";
import { Connection, type ConnectionHandlers, type Patience } from "./connection.js";
import { Follower } from "./follower.js";
import type { TopicListener, TopicOptions, TopicPlace } from "./feed.js";
import { Listeners } from "./listeners.js";
import { CommandQueue, type SendCommand, type Ticket } from "./queue.js";
import { openPlatformSocket, type OpenSocket } from "./socket.js";
import type { CommandStorage, QueuedCommand } from "./storage.js";
import type { TokenSource } from "./token.js";
import type { CommandRequest } from "./types.js";
import type { EntityKind } from "./wire.js";

/** How the client stands to the server. */
export type Status =
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "open"; readonly epoch: string; readonly session: string }
  /** It comes back by itself; `untilMs` is when, in milliseconds since 1970. */
  | { readonly state: "waiting"; readonly untilMs: number; readonly verdict: Verdict }
  /** It does not come back by itself: call `connect` when the cause is gone, such as with a new token. */
  | { readonly state: "closed"; readonly verdict: Verdict };

export interface ClientOptions {
  /** Such as `wss://example.org/api/v1/live`. */
  url: string;
  /** Needed where the platform has no `WebSocket`, or to send an `Authorization` header. */
  openSocket?: OpenSocket;
  /** Asked for a token when the server wants one. */
  token?: TokenSource;
  /** Where commands wait; in memory if not given. */
  storage?: CommandStorage;
  /** Commands that may wait; 1,000 if not given. */
  commandsMax?: number;
  patience?: Patience;
  backoff?: BackoffOptions;
  clock?: Clock;
  /** From 0 to below 1; `Math.random` if not given. */
  random?: () => number;
  newId?: () => string;
  /** Gets what listeners throw and what goes wrong outside of any call; `console.error` if not given. */
  onError?: (error: unknown) => void;
}

/** The client. Nothing is sent before `connect`. */
export class LiveClient {
  /** The commands and their outcomes. */
  readonly queue: CommandQueue;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #report: (error: unknown) => void;
  readonly #follower: Follower;
  readonly #statuses: Listeners<Status>;
  #status: Status = { state: "idle" };
  #connection: Connection | undefined;
  #openedMs: number | undefined;
  /** Of the last session: what the caller saw is of this history. */
  #epoch: string | undefined;
  #cancelRetry: () => void = () => undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#report = options.onError ?? console.error;
    const shared = { clock: this.#clock, backoff: { random: this.#random, ...options.backoff }, onError: this.#report };
    const { storage, commandsMax, newId } = options;
    this.#backoff = new Backoff(shared.backoff);
    this.queue = new CommandQueue({ ...shared, ...present({ storage, commandsMax, newId }) });
    this.#follower = new Follower(shared);
    this.#statuses = new Listeners(this.#report);
    // What was refused because its subject did not exist may be followed once a command has made it.
    this.queue.onChange(({ command, outcome }) => {
      if (outcome.state === "applied") this.#follower.retryRefused(`${command.entity}:${command.entityId}`);
    });
  }

  get status(): Status {
    return this.#status;
  }

  /** Hears of every change of the status. Returns what ends it. */
  onStatus(listener: (status: Status) => void): () => void {
    return this.#statuses.add(listener);
  }

  /** Opens a session, now, if there is none. */
  connect(): void {
    if (this.#connection !== undefined) return;
    this.#cancelRetry();
    this.#say({ state: "connecting" });
    const { url, token, patience, openSocket = openPlatformSocket } = this.#options;
    try {
      const handlers = this.#handlers();
      this.#connection = new Connection({ url, openSocket, clock: this.#clock, handlers, ...present({ token, patience }) });
    } catch (error) {
      this.#report(error);
      this.#ended(verdictOf(1006));
    }
  }

  /** Cuts a wait short, such as when the page hears that the network is back. A client that stays away still does. */
  wake(): void {
    if (this.#status.state === "waiting") this.connect();
  }

  /** Ends the session and stays away. Commands continue waiting, topics stay wanted. */
  close(): void {
    this.#cancelRetry();
    if (this.#connection !== undefined) this.#connection.close();
    else this.#say({ state: "closed", verdict: { code: 1000, name: "normal", comeBack: false } });
  }

  /**
   * Follows a topic until the returned function is called. Topics may be followed while there is no session.
   *
   * A topic has one set of options, the last one given. Another listener of a topic that is followed already makes it start
   * again, for every listener. With `from`, what the listener knows already is continued instead, where the server can.
   */
  follow(topic: string, listener: TopicListener, options: TopicOptions = {}, from?: TopicPlace): () => void {
    return this.#follower.follow(topic, listener, options, from);
  }

  /** Reads a topic again from a snapshot, for a listener that lost track. */
  restart(topic: string): void {
    this.#follower.restart(topic);
  }

  /** Queues a command; it is sent at once if there is a session. Every command gets an outcome, sooner or later. */
  command(entity: EntityKind, entityId: string, command: CommandRequest["command"], ifVersion?: number): Ticket {
    const epoch = ifVersion === undefined ? undefined : this.#epoch;
    return this.queue.add({ entity, entityId, command, ...present({ ifVersion, epoch }) });
  }

  /** Brings a new token to a session that is open. Rejects as a request does. */
  async refresh(token: string): Promise<void> {
    await this.#connection?.refresh(token);
  }

  #handlers(): ConnectionHandlers {
    return {
      hello: (hello) => {
        const connection = this.#connection;
        if (connection === undefined) return;
        this.#openedMs = this.#clock.now();
        this.#epoch = hello.epoch;
        this.#say({ state: "open", epoch: hello.epoch, session: hello.session });
        this.#follower.online(connection, hello);
        this.queue.online(sendOver(connection));
      },
      push: (push) => this.#follower.pushed(push),
      closing: () => this.queue.offline(),
      problem: (error) => this.#report(error),
      ended: (verdict) => this.#ended(verdict),
    };
  }

  #ended(verdict: Verdict): void {
    this.#connection = undefined;
    this.queue.offline();
    this.#follower.offline();
    if (this.#openedMs !== undefined) this.#backoff.held(this.#clock.now() - this.#openedMs);
    this.#openedMs = undefined;
    if (!verdict.comeBack) return this.#say({ state: "closed", verdict });
    const waitMs = verdict.comeBackWithinMs === undefined ? this.#backoff.next() : this.#random() * verdict.comeBackWithinMs;
    this.#cancelRetry = this.#clock.after(waitMs, () => this.connect());
    this.#say({ state: "waiting", untilMs: this.#clock.now() + waitMs, verdict });
  }

  #say(status: Status): void {
    this.#status = status;
    this.#statuses.tell(status);
  }
}

function sendOver(connection: Connection): SendCommand {
  return ({ entity, entityId: entity_id, commandId: command_id, command, ifVersion: if_version, epoch }: QueuedCommand) =>
    connection.request<"command">({ op: "command", entity, entity_id, command, command_id, ...present({ if_version, epoch }) });
}

/** The fields that have a value: an optional field is left out rather than undefined. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
