// A model of the server on a bad network: it keeps lists as events, answers over links that delay, repeat, reorder and break,
// and remembers what every command id stood for.
import assert from "node:assert/strict";
import { applied, type List, type ListEvent, type ListView, type OpenSocket } from "../../src/live/index.js";
import type { FakeClock } from "./clock.js";
import { listView } from "./given.js";
import { below, type Random } from "./random.js";
import { FakeSocket, type Json } from "./socket.js";

/** What may go wrong, each as a chance from 0 to 1. */
export interface Chaos {
  /** A link breaks with a message it carries. */
  breaks: number;
  repeats: number;
  reorders: number;
  /** A command is put off, or refused for a reason that passes. */
  putsOff: number;
}

export const CALM: Chaos = { breaks: 0, repeats: 0, reorders: 0, putsOff: 0 };

/** An event with all that the client uses of it. */
interface ModelEvent {
  type: string;
  data: object;
  position: string;
  previous: string | null;
  version: number;
  at: string;
  who: string;
  command_id: string | null;
}

interface Link {
  socket: FakeSocket;
  topics: Set<string>;
  outbox: Json[];
  up: boolean;
}

/** More missed events than this are answered with a snapshot. */
const RECOVERY_EVENTS_MAX = 12;
const DELAY_MS_MAX = 60;

export class ModelServer {
  chaos: Chaos = CALM;
  epoch = "e1";
  /** Every message of a command by its id, to see that an id never stands for two. */
  readonly seen = new Map<string, string>();
  readonly #events = new Map<string, ModelEvent[]>();
  readonly #outcomes = new Map<string, Json>();
  readonly #links = new Set<Link>();
  readonly #clock: FakeClock;
  readonly #random: Random;
  #position = 0;

  constructor(clock: FakeClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  readonly open: OpenSocket = () => {
    const link: Link = { socket: new FakeSocket(), topics: new Set(), outbox: [], up: true };
    this.#links.add(link);
    link.socket.onSend = (message) => this.#after(() => this.#receive(link, message));
    link.socket.onClosed = () => this.#drop(link);
    this.#after(() => link.up && link.socket.hello({ epoch: this.epoch, ping_interval_seconds: 2 }));
    return link.socket;
  };

  /** The list as all its events in order make it. */
  fold(id: string): List {
    let list: List | undefined;
    for (const event of this.#events.get(id) ?? []) {
      const change = applied(list, id, event as unknown as ListEvent);
      assert.equal(change.kind, "applied");
      if (change.kind === "applied") list = change.list;
    }
    assert.ok(list);
    return list;
  }

  /** Something happens to a list. */
  record(id: string, type: string, data: object, who: string, commandId: string | null = null): ModelEvent {
    const events = this.#events.get(id) ?? [];
    this.#events.set(id, events);
    const previous = events.at(-1)?.position ?? null;
    const position = String((this.#position += 1 + below(this.#random, 3)));
    const at = new Date(this.#clock.now()).toISOString();
    const event: ModelEvent = { type, data, position, previous, version: events.length + 1, at, who, command_id: commandId };
    events.push(event);
    this.#publish(`list:${id}`, { type: "event", position, previous, event });
    this.#publish(`list:${id}`, { type: "state", key: "totals", position, value: this.totals(id) });
    return event;
  }

  /** A stand-in for totals: enough to see that the last one arrived. */
  totals(id: string): Json {
    return { items: this.fold(id).items.length, version: this.#events.get(id)?.length };
  }

  /** Every link breaks. */
  breakAll(code = 1006): void {
    for (const link of [...this.#links]) this.#break(link, code);
  }

  #after(what: () => void): void {
    this.#clock.after(below(this.#random, DELAY_MS_MAX), what);
  }

  #chance(of: number): boolean {
    return this.#random() < of;
  }

  #break(link: Link, code: number): void {
    this.#drop(link);
    link.socket.closes(code);
  }

  #drop(link: Link): void {
    link.up = false;
    this.#links.delete(link);
  }

  #publish(topic: string, push: Json): void {
    for (const link of this.#links) if (link.topics.has(topic)) this.#send(link, { ...push, topic });
  }

  /** Messages leave in order, except where the network reorders or repeats them. */
  #send(link: Link, message: Json): void {
    const isPush = message["id"] === undefined;
    const place = isPush && this.#chance(this.chaos.reorders) ? below(this.#random, link.outbox.length + 1) : link.outbox.length;
    // An answer must not be overtaken by pushes it opened the way for: that order is the protocol's, not the network's.
    const lastAnswer = link.outbox.findLastIndex((waiting) => waiting["id"] !== undefined);
    link.outbox.splice(Math.max(place, lastAnswer + 1), 0, message);
    if (isPush && this.#chance(this.chaos.repeats)) link.outbox.push(message);
    this.#after(() => this.#deliver(link));
    this.#after(() => this.#deliver(link));
  }

  #deliver(link: Link): void {
    if (!link.up) return;
    if (this.#chance(this.chaos.breaks)) return this.#break(link, below(this.#random, 2) === 0 ? 1006 : 3008);
    const message = link.outbox.shift();
    if (message !== undefined) link.socket.says(message);
  }

  #receive(link: Link, message: Json): void {
    // Before it arrived, or after it was carried out and before the answer: both happen.
    if (!link.up || this.#chance(this.chaos.breaks)) return link.up ? this.#break(link, 1006) : undefined;
    const { id, op } = message;
    if (op === "ping") return this.#send(link, { type: "pong", id, position: String(this.#position) });
    if (op === "subscribe") return this.#subscribe(link, message);
    if (op === "unsubscribe") {
      for (const topic of message["topics"] as string[]) link.topics.delete(topic);
      return this.#send(link, { type: "unsubscribed", id, topics: message["topics"] });
    }
    assert.equal(op, "command");
    this.#send(link, { id, ...this.#command(message) });
  }

  #subscribe(link: Link, { id, topics, epoch }: Json): void {
    const wanted = topics as { topic: string; since?: string }[];
    wanted.forEach(({ topic, since }, index) => {
      link.topics.add(topic);
      const answer = this.#start(topic.slice("list:".length), topic, epoch === this.epoch ? since : undefined);
      this.#send(link, { type: "subscribed", id, more: index < wanted.length - 1, topics: [answer] });
    });
  }

  #start(id: string, topic: string, since: string | undefined): Json {
    const events = this.#events.get(id);
    if (events === undefined) return { topic, error: { code: "not_found", detail: "no such list", temporary: false } };
    const position = events.at(-1)?.position ?? "0";
    const states = { totals: this.totals(id) };
    const missed = events.filter((event) => since === undefined || BigInt(event.position) > BigInt(since));
    if (since === undefined || missed.length > RECOVERY_EVENTS_MAX) {
      return { topic, recovered: false, position, snapshot: this.#view(this.fold(id)), states };
    }
    const told = missed.map((event) => ({ position: event.position, previous: event.previous, event }));
    return { topic, recovered: true, position, events: told, states };
  }

  #view(list: List): ListView {
    const items = list.items.map(({ addedBy: added_by, addedAt: added_at, checked, pending: _, ...rest }) => ({
      ...{ ...rest, added_by, added_at, checked: checked !== null },
      ...(checked === null ? {} : { checked_by: checked.by, checked_at: checked.at }),
    }));
    const members = [...list.members].map(([member, role]) => ({ member, role }));
    const { id, version, name, createdAt: created_at } = list;
    return listView({ id, version, name, created_at, members, items });
  }

  #command({ entity_id, command, command_id }: Json): Json {
    const [id, commandId, text] = [entity_id as string, command_id as string, JSON.stringify(command)];
    assert.equal(this.seen.get(commandId) ?? text, text, `id ${commandId} stands for two commands`);
    this.seen.set(commandId, text);
    const known = this.#outcomes.get(commandId);
    if (known !== undefined) return { ...known, repeated: true };
    if (this.#chance(this.chaos.putsOff)) return { type: "error", code: "overloaded", detail: "later", temporary: true, retry_after_ms: 20 };
    const outcome = this.#decide(id, command as { op: string; [field: string]: unknown }, commandId);
    // A refusal is not remembered: the same id may succeed later, as on the real server.
    if (outcome["type"] === "done") this.#outcomes.set(commandId, outcome);
    return outcome;
  }

  #decide(id: string, command: { op: string; [field: string]: unknown }, commandId: string): Json {
    const done = (outcome: string): Json => {
      const last = this.#events.get(id)?.at(-1);
      return { type: "done", entity_id: id, outcome, version: last?.version, position: last?.position };
    };
    const record = (type: string, data: object): Json => {
      this.record(id, type, data, "me", commandId);
      return done("applied");
    };
    if (command.op === "create") return record("list.created", { name: command["name"], household: null, store: null });
    const list = this.fold(id);
    const item = list.items.find((candidate) => candidate.id === command["item"]);
    const lastRank = Math.max(-1, ...list.items.map(({ rank }) => rank));
    switch (command.op) {
      case "add_item": {
        const { op: _, ...data } = command;
        return item ? done("unchanged") : record("list.item_added", { product: null, specification: null, note: null, ...data, rank: lastRank + 1 });
      }
      case "rename":
        return list.name === command["name"] ? done("unchanged") : record("list.renamed", { name: command["name"] });
    }
    if (item === undefined) return { type: "error", code: "item_not_found", detail: "no such item", temporary: false };
    switch (command.op) {
      case "check":
        return item.checked ? done("unchanged") : record("list.item_checked", { item: item.id });
      case "remove":
        return record("list.item_removed", { item: item.id });
      case "move":
        return record("list.item_moved", { item: item.id, rank: lastRank + 1 });
      default:
        assert.equal(command.op, "change_quantity");
        return record("list.item_quantity_changed", { item: item.id, by: null, quantity: { amount: String(Number(item.quantity.amount) + 1), unit: "each" } });
    }
  }
}
