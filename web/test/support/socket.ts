// A socket whose other end is the test.
import assert from "node:assert/strict";
import type { OpenSocket, Socket } from "../../src/live/index.js";

export type Json = { [field: string]: unknown };

export class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  readonly sent: Json[] = [];
  closedWith: number | undefined;
  /** What the other end does with a message. */
  onSend: (message: Json) => void = () => undefined;
  onClosed: () => void = () => undefined;

  send(text: string): void {
    const message = JSON.parse(text) as Json;
    this.sent.push(message);
    this.onSend(message);
  }

  close(code?: number): void {
    this.closedWith = code;
    this.onClosed();
  }

  /** The server says something. */
  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The server says hello. */
  hello(more: Json = {}): void {
    const limits = { message_bytes_max: 32_768, topics_max: 1_000 };
    this.says({ type: "hello", session: "1", epoch: "e1", position: "0", ping_interval_seconds: 25, limits, ...more });
  }

  /** The socket closes. */
  closes(code: number): void {
    this.onclose?.({ code });
  }

  /** The last request of a kind; fails the test if there is none. */
  last(op: string): Json {
    const found = this.sent.filter((message) => message["op"] === op).at(-1);
    assert.ok(found, `no ${op} was sent, only ${JSON.stringify(this.sent)}`);
    return found;
  }

  /** Requests of a kind. */
  count(op: string): number {
    return this.sent.filter((message) => message["op"] === op).length;
  }

  /** Answers the last request of a kind. */
  answers(op: string, answer: Json): void {
    this.says({ id: this.last(op)["id"], ...answer });
  }
}

/** Every socket the client opens, the newest last. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];
  readonly open: OpenSocket = () => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  };

  get socket(): FakeSocket {
    const newest = this.sockets.at(-1);
    assert.ok(newest, "no socket was opened");
    return newest;
  }
}
