// What is known of lists, kept over a restart of the page: without signal the list is there, and with signal only what was missed is
// asked for.
import type { TopicPlace } from "./feed.js";
import type { List } from "./list.js";
import type { States } from "./states.js";
import type { WebStorage } from "./storage.js";

/** A confirmed list with its states, and up to where they are known. */
export interface StoredList {
  readonly place: TopicPlace;
  readonly list: List;
  readonly states: States;
}

/** Keeps lists. Methods may throw, as when a quota is used up; the store then continues without it. */
export interface ListCache {
  load(id: string): StoredList | undefined;
  save(id: string, stored: StoredList): void;
  remove(id: string): void;
}

/** The shape of what is kept; another one is not read. */
const SHAPE = 1;

/** Keeps lists in `localStorage`, one entry each under `<prefix><list id>`. */
export class LocalListCache implements ListCache {
  readonly #storage: Pick<WebStorage, "getItem" | "setItem" | "removeItem">;
  readonly #prefix: string;

  constructor(storage: Pick<WebStorage, "getItem" | "setItem" | "removeItem">, prefix = "aisled.list.") {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  load(id: string): StoredList | undefined {
    const text = this.#storage.getItem(this.#prefix + id);
    const kept = text === null ? undefined : JSON.parse(text);
    if (kept?.shape !== SHAPE) return undefined;
    const { place, list, members, states } = kept;
    return { place, list: { ...list, members: new Map(members) }, states: new Map(states) };
  }

  save(id: string, { place, list, states }: StoredList): void {
    const kept = { shape: SHAPE, place, list, members: [...list.members], states: [...states] };
    this.#storage.setItem(this.#prefix + id, JSON.stringify(kept));
  }

  remove(id: string): void {
    this.#storage.removeItem(this.#prefix + id);
  }
}

/** One list's place in a cache. A cache that fails is not used again. */
export class ListKeeper {
  readonly #id: string;
  readonly #report: (error: unknown) => void;
  #cache: ListCache | undefined;
  #isPlanned = false;

  constructor(id: string, cache: ListCache | undefined, report: (error: unknown) => void) {
    this.#id = id;
    this.#cache = cache;
    this.#report = report;
  }

  /** What was kept, if anything. */
  load(): StoredList | undefined {
    return this.#guarded((cache) => cache.load(this.#id));
  }

  /** Saves at the end of this turn: once for all that happens in it, such as all the events of a long absence. */
  plan(what: () => StoredList | undefined): void {
    if (this.#isPlanned || this.#cache === undefined) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      const stored = what();
      if (stored !== undefined) this.#guarded((cache) => cache.save(this.#id, stored));
    });
  }

  /** Keeps nothing of the list any more. */
  remove(): void {
    this.#guarded((cache) => cache.remove(this.#id));
  }

  #guarded<T>(use: (cache: ListCache) => T): T | undefined {
    try {
      return this.#cache && use(this.#cache);
    } catch (error) {
      this.#cache = undefined;
      this.#report(error);
      return undefined;
    }
  }
}
