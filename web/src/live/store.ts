// One list as a page shows it: the confirmed list with the commands on their way on top, its totals, prices and who is there.
import { ListKeeper, type ListCache, type StoredList } from "./cache.js";
import type { LiveClient } from "./client.js";
import type { TopicListener, TopicPlace, TopicStart } from "./feed.js";
import { applied, listOf, type List } from "./list.js";
import { asListEvent } from "./list-events.js";
import { Listeners } from "./listeners.js";
import { withPending, type ListCommand } from "./pending.js";
import { later } from "./position.js";
import type { CommandEntry, Ticket } from "./queue.js";
import { NO_STATES, allStates, withState, type States } from "./states.js";
import type { QueuedCommand } from "./storage.js";
import type { ListView, Present, PriceState, TotalsView } from "./types.js";
import type { ErrorBody, Position, RecordedEvent } from "./wire.js";

/** What a page shows of a list. A new object whenever something changed, so that `===` shows it. */
export interface ListSnapshot {
  /** With the commands on their way; undefined until the list is known, or one of them makes it. */
  readonly list: List | undefined;
  /** As the server has confirmed it. */
  readonly confirmed: List | undefined;
  readonly totals: TotalsView | undefined;
  /** By product. */
  readonly prices: ReadonlyMap<string, PriceState>;
  readonly presence: Present | undefined;
  /** Commands that are not part of the confirmed list yet, in their order. */
  readonly pending: readonly QueuedCommand[];
  /** Why the list is not followed, such as `not_found`; undefined while it is. */
  readonly trouble: { readonly code: string; readonly detail: string } | undefined;
}

/** What the store asks of a client; `LiveClient` is one. */
export type ListClient = Pick<LiveClient, "follow" | "restart" | "command" | "queue">;

/** A command on its way; with `atVersion` it is done, and shows in the confirmed list from that version on. */
interface Pending {
  readonly command: QueuedCommand;
  readonly atVersion?: number;
}

export interface ListStoreOptions {
  /** Whom pending changes are ascribed to. */
  who?: string;
  /** Keeps the list over a restart, so that it is there without signal; not kept if not given. */
  cache?: ListCache;
  onError?: (error: unknown) => void;
}

const PRICE = "price:";

/** The store of one list. Follows it until `close`. */
export class ListStore {
  readonly id: string;
  readonly #client: ListClient;
  readonly #who: string;
  readonly #keeper: ListKeeper;
  readonly #changes: Listeners<ListSnapshot>;
  readonly #leave: readonly (() => void)[];
  #confirmed: List | undefined;
  #states: States = NO_STATES;
  #pending: readonly Pending[];
  #trouble: ListSnapshot["trouble"];
  /** Up to where the confirmed list is known. */
  #place: TopicPlace | undefined;
  #snapshot: ListSnapshot | undefined;

  /** Shows at once what the cache has and the commands of this list that wait already. */
  constructor(client: ListClient, id: string, options: ListStoreOptions = {}) {
    this.id = id;
    this.#client = client;
    this.#who = options.who ?? "";
    const report = options.onError ?? console.error;
    this.#changes = new Listeners(report);
    this.#keeper = new ListKeeper(id, options.cache, report);
    this.#recall(this.#keeper.load());
    this.#pending = client.queue.waiting.map(({ command }) => ({ command })).filter(({ command }) => this.#isMine(command));
    const listener: TopicListener = {
      start: (start) => this.#update(() => this.#start(start)),
      resumed: (position, states) => this.#update(() => this.#resume(position, states)),
      event: (event, position) => this.#update(() => this.#take(event, position)),
      state: (key, value, position) => this.#update(() => (this.#states = withState(this.#states, key, position, value))),
      refused: (error) => this.#update(() => error.temporary || this.#refuse(error)),
      revoked: (code) => this.#update(() => this.#refuse({ code, detail: "you may not follow this list any more" })),
    };
    this.#leave = [
      client.queue.onChange((entry) => this.#commandChanged(entry)),
      client.follow(`list:${id}`, listener, {}, this.#place),
    ];
  }

  /** What there is to show now; the same object until something changes. */
  get snapshot(): ListSnapshot {
    this.#snapshot ??= this.#shown();
    return this.#snapshot;
  }

  /** Hears of every change. Returns what ends it. */
  subscribe(listener: (snapshot: ListSnapshot) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Changes the list: shown at once, sent when possible. The ticket has the outcome. */
  command(command: ListCommand, ifVersion?: number): Ticket {
    return this.#client.command("list", this.id, { ...command }, ifVersion);
  }

  /** Follows the list no longer. Commands on their way stay in the queue. */
  close(): void {
    for (const leave of this.#leave) leave();
  }

  #start({ snapshot, position, epoch, states }: TopicStart): void {
    const view = snapshot as ListView;
    this.#confirmed = listOf(view);
    this.#states = allStates(position, { totals: view.totals, ...states });
    this.#trouble = undefined;
    // A restored server may have lost what was done: its version may never be reached, or mean something else.
    if (this.#place?.epoch !== epoch) this.#pending = this.#pending.filter(({ atVersion }) => atVersion === undefined);
    this.#place = { position, epoch };
  }

  #resume(position: Position, states: { readonly [key: string]: unknown }): void {
    this.#states = allStates(position, states);
    this.#trouble = undefined;
    this.#reached(position);
  }

  #reached(position: Position): void {
    if (this.#place !== undefined) this.#place = { ...this.#place, position: later(this.#place.position, position) };
  }

  #take(recorded: RecordedEvent, position: Position): void {
    this.#reached(position);
    const event = asListEvent(recorded);
    if (event === undefined) return;
    const result = applied(this.#confirmed, this.id, event);
    if (result.kind === "lost") {
      this.#place = undefined;
      return this.#client.restart(`list:${this.id}`);
    }
    if (result.kind === "known") return;
    this.#confirmed = result.list;
    // Its own effect is in the list now; the outcome may come later.
    this.#pending = this.#pending.filter(({ command }) => command.commandId !== event.command_id);
  }

  /** Who may not follow a list has no business with a copy of it either. */
  #refuse({ code, detail }: Pick<ErrorBody, "code" | "detail">): void {
    this.#trouble = { code, detail };
    this.#keeper.remove();
  }

  #recall(stored: StoredList | undefined): void {
    if (stored === undefined) return;
    this.#confirmed = stored.list;
    this.#states = stored.states;
    this.#place = stored.place;
  }

  #stored(): StoredList | undefined {
    const [list, place, states] = [this.#confirmed, this.#place, this.#states];
    return list === undefined || place === undefined || this.#trouble !== undefined ? undefined : { list, place, states };
  }

  #commandChanged({ command, outcome }: CommandEntry): void {
    if (!this.#isMine(command)) return;
    const isKnown = this.#pending.some((pending) => pending.command.commandId === command.commandId);
    if (outcome.state === "waiting") {
      // Reported again with every attempt; its event may have come before its outcome.
      if (!isKnown && outcome.attempts === 0) this.#update(() => (this.#pending = [...this.#pending, { command }]));
      return;
    }
    if (!isKnown) return;
    const done = outcome.state === "refused" ? [] : [{ command, atVersion: outcome.version }];
    const settled = (pending: Pending): readonly Pending[] => (pending.command.commandId === command.commandId ? done : [pending]);
    this.#update(() => (this.#pending = this.#pending.flatMap(settled)));
  }

  #isMine(command: QueuedCommand): boolean {
    return command.entity === "list" && command.entityId === this.id;
  }

  #update(change: () => void): void {
    const before = [this.#confirmed, this.#states, this.#pending, this.#trouble];
    change();
    const version = this.#confirmed?.version ?? -1;
    if (this.#pending.some(({ atVersion }) => atVersion !== undefined && atVersion <= version)) {
      this.#pending = this.#pending.filter(({ atVersion }) => atVersion === undefined || atVersion > version);
    }
    const after = [this.#confirmed, this.#states, this.#pending, this.#trouble];
    if (after.every((part, index) => part === before[index])) return;
    this.#keeper.plan(() => this.#stored());
    this.#snapshot = undefined;
    this.#changes.tell(this.snapshot);
  }

  #shown(): ListSnapshot {
    const pending = this.#pending.map(({ command }) => command);
    const confirmed = this.#confirmed;
    const prices = [...this.#states].filter(([key]) => key.startsWith(PRICE));
    return {
      confirmed,
      list: withPending(confirmed, pending, this.#who),
      totals: this.#states.get("totals")?.value as TotalsView | undefined,
      prices: new Map(prices.map(([key, { value }]) => [key.slice(PRICE.length), value as PriceState])),
      presence: this.#states.get("presence")?.value as Present | undefined,
      pending,
      trouble: this.#trouble,
    };
  }
}
