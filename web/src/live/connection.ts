// One session: one WebSocket from its opening to its end. Requests become promises, pushes go to the handlers.
import type { Clock } from "./clock.js";
import { verdictOf, type Verdict } from "./close.js";
import { ConnectionLost, RequestRefused } from "./errors.js";
import { PendingRequests, type Replies, type Reply, type RequestBody, type Requests } from "./requests.js";
import { SUBPROTOCOL, type OpenSocket, type Socket } from "./socket.js";
import { TokenKeeper, type TokenSource } from "./token.js";
import type { Authenticate, Closing, EventPush, Hello, Revoked, StatePush } from "./types.js";
import type { ErrorBody } from "./wire.js";

/** What a session tells its owner. */
export interface ConnectionHandlers {
  /** The session is open and, where needed, authenticated. */
  hello(hello: Hello): void;
  push(push: EventPush | StatePush | Revoked): void;
  /** The server will close soon: start nothing new. */
  closing(closing: Closing): void;
  /** An error that belongs to no request, or an answer nobody could read. */
  problem(error: ErrorBody): void;
  /** Called exactly once, last. */
  ended(verdict: Verdict): void;
}

/** How long a session waits, in milliseconds. */
export interface Patience {
  /** From opening to hello; 15,000 if not given. */
  connectMs?: number;
  /** For an answer, or its next part; 15,000 if not given. */
  requestMs?: number;
  /** For an answer to a ping, before the session counts as lost; 10,000 if not given. */
  pongMs?: number;
}

export interface ConnectionOptions {
  url: string;
  openSocket: OpenSocket;
  clock: Clock;
  handlers: ConnectionHandlers;
  token?: TokenSource;
  patience?: Patience;
}

type Message = Hello | Authenticate | EventPush | StatePush | Revoked | Closing | Reply;

/** One session. It never comes back by itself: its owner opens another. */
export class Connection {
  readonly #handlers: ConnectionHandlers;
  readonly #clock: Clock;
  readonly #requests: PendingRequests;
  readonly #tokens: TokenKeeper;
  readonly #patience: Required<Patience>;
  #socket: Socket | undefined;
  #hello: Hello | undefined;
  #closing: Closing | undefined;
  #lastHeardMs: number;
  #pinging = false;
  #ended = false;
  #cancelWatch: () => void;

  /** Opens the socket at once. What opening throws is thrown. */
  constructor(options: ConnectionOptions) {
    this.#handlers = options.handlers;
    this.#clock = options.clock;
    this.#requests = new PendingRequests(options.clock);
    this.#patience = { connectMs: 15_000, requestMs: 15_000, pongMs: 10_000, ...options.patience };
    this.#tokens = new TokenKeeper(options.clock, options.token, (token) => this.refresh(token));
    this.#lastHeardMs = this.#clock.now();
    this.#cancelWatch = this.#clock.after(this.#patience.connectMs, () => this.#end(verdictOf(1006)));
    const socket = options.openSocket(options.url, SUBPROTOCOL);
    socket.onmessage = (event) => this.#heard(event.data);
    socket.onclose = (event) => this.#end(verdictOf(event.code, this.#closing));
    // An error is always followed by a close, which has the details.
    socket.onerror = () => undefined;
    this.#socket = socket;
  }

  /** The server's hello, once it came. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** Whether requests may be sent: hello came, and the server has not announced its end. */
  get isOpen(): boolean {
    return this.#hello !== undefined && this.#closing === undefined && !this.#ended;
  }

  /**
   * Sends a request. `onPart` gets every part of the answer, the last one too; the promise has the last one.
   *
   * Rejects with `RequestRefused` (also for a message larger than the server accepts, which is not sent), `RequestTimedOut`
   * or `ConnectionLost`; after the last two it is unknown whether it was executed.
   */
  async request<Op extends keyof Requests>(body: RequestBody<Op>, onPart?: (part: Replies[Op]) => void): Promise<Replies[Op]> {
    // A peer that does not answer may be gone: a ping finds out sooner than silence.
    return this.#requests.ask<Replies[Op]>(this.#patience.requestMs, (id) => this.#send({ id, ...body }), onPart, () => this.#ping());
  }

  /** Brings a new token before the old one expires. Rejects as `request` does. */
  async refresh(token: string): Promise<Replies["refresh"]> {
    return this.request<"refresh">({ op: "refresh", token });
  }

  /** Ends the session from this side; the handlers are called at once. */
  close(): void {
    this.#end({ code: 1000, name: "normal", comeBack: false });
  }

  #send(message: { id: number }): void {
    if (this.#ended || this.#socket === undefined) throw new ConnectionLost("the session is over");
    const text = JSON.stringify(message);
    const bytesMax = this.#hello?.limits.message_bytes_max ?? Infinity;
    // Sending it would end the session (1009) each time.
    if (text.length > bytesMax || new TextEncoder().encode(text).length > bytesMax) {
      throw new RequestRefused({ code: "message_too_large", detail: `the server takes messages of ${bytesMax} bytes`, temporary: false });
    }
    try {
      this.#socket.send(text);
    } catch (error) {
      throw new ConnectionLost(`the socket does not send: ${String(error)}`);
    }
  }

  #heard(data: unknown): void {
    if (this.#ended) return;
    this.#lastHeardMs = this.#clock.now();
    let message: Message;
    try {
      message = JSON.parse(String(data)) as Message;
    } catch (error) {
      this.#handlers.problem({ code: "malformed_message", detail: `the server sent no JSON: ${String(error)}`, temporary: false });
      return;
    }
    this.#take(message);
  }

  /** Kinds of messages that this client does not know are left alone: a newer server may have them. */
  #take(message: Message): void {
    switch (message.type) {
      case "event":
      case "state":
      case "revoked":
        return this.#handlers.push(message);
      case "hello":
        return this.#greeted(message);
      case "authenticate":
        return void this.#authenticate();
      case "closing":
        this.#closing = message;
        return this.#handlers.closing(message);
      case "refreshed":
        this.#tokens.accepted(message);
        return void this.#requests.answer(message);
      case "error":
        if (!this.#requests.answer(message)) this.#handlers.problem(message);
        return;
      case "subscribed":
      case "unsubscribed":
      case "done":
      case "pong":
        return void this.#requests.answer(message);
    }
  }

  #greeted(hello: Hello): void {
    this.#hello = hello;
    this.#watch(hello.ping_interval_seconds * 1000);
    this.#handlers.hello(hello);
  }

  async #authenticate(): Promise<void> {
    if (!this.#tokens.hasSource) return this.#end(verdictOf(4001));
    try {
      await this.#tokens.bring();
    } catch (error) {
      // A refused token is refused again. Where it could not even be fetched, or the session is lost, another try may work.
      if (error instanceof RequestRefused && !error.temporary) this.#end(verdictOf(4001));
      else this.#end(verdictOf(1006));
    }
  }

  /** Browsers do not show the server's own pings, so silence is answered with one of ours. */
  #watch(intervalMs: number): void {
    this.#cancelWatch();
    const silentMs = this.#clock.now() - this.#lastHeardMs;
    this.#cancelWatch = this.#clock.after(Math.max(intervalMs - silentMs, 1), () => {
      if (this.#clock.now() - this.#lastHeardMs >= intervalMs) this.#ping();
      this.#watch(intervalMs);
    });
  }

  #ping(): void {
    if (this.#pinging || this.#ended || this.#hello === undefined) return;
    this.#pinging = true;
    const askedMs = this.#clock.now();
    const lostIfSilent = (): void => {
      if (this.#lastHeardMs <= askedMs) this.#end(verdictOf(1006));
    };
    this.#requests
      .ask(this.#patience.pongMs, (id) => this.#send({ id, op: "ping" } as { id: number }), undefined, lostIfSilent)
      .catch(() => undefined)
      .finally(() => (this.#pinging = false));
  }

  #end(verdict: Verdict): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWatch();
    this.#tokens.stop();
    const socket = this.#socket;
    if (socket !== undefined) {
      // A dead peer never answers the close, so nothing more is expected of this socket.
      socket.onmessage = socket.onclose = null;
      try {
        socket.close(1000);
      } catch {
        // It was closed already.
      }
    }
    this.#requests.lose(`the session ended: ${verdict.name}`);
    this.#handlers.ended(verdict);
  }
}
