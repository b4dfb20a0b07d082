// Where commands wait that the server has not answered yet. One entry for each, so that two pages of one browser do not
// overwrite each other's; a command that both send is applied once, because its id is the same.
import type { CommandRequest } from "./types.js";
import type { EntityKind } from "./wire.js";

/** A command on its way, with the id that makes it repeatable. */
export interface QueuedCommand {
  readonly commandId: string;
  readonly entity: EntityKind;
  readonly entityId: string;
  readonly command: CommandRequest["command"];
  readonly ifVersion?: number;
  /** The history in which that version was seen: in another one the server refuses the command. */
  readonly epoch?: string;
  /** Commands are sent in this order. */
  readonly order: number;
  /** Milliseconds since 1970. */
  readonly queuedAtMs: number;
}

/** Keeps commands over a restart. Methods may throw, as when a quota is used up; the queue then continues in memory and says so. */
export interface CommandStorage {
  /** All commands kept, in any order. */
  load(): readonly QueuedCommand[];
  put(command: QueuedCommand): void;
  remove(commandId: string): void;
}

/** Keeps commands as long as the page lives. */
export class MemoryStorage implements CommandStorage {
  readonly #commands = new Map<string, QueuedCommand>();

  load(): readonly QueuedCommand[] {
    return [...this.#commands.values()];
  }

  put(command: QueuedCommand): void {
    this.#commands.set(command.commandId, command);
  }

  remove(commandId: string): void {
    this.#commands.delete(commandId);
  }
}

/** The part of `localStorage` that is used. */
export interface WebStorage {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Keeps commands in `localStorage`, one entry each under `<prefix><command id>`. */
export class LocalStorage implements CommandStorage {
  readonly #storage: WebStorage;
  readonly #prefix: string;

  constructor(storage: WebStorage, prefix = "aisled.command.") {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  /** An unreadable entry is left in place and skipped. */
  load(): readonly QueuedCommand[] {
    const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index));
    return keys.filter((key) => key?.startsWith(this.#prefix)).flatMap((key) => parsed(this.#storage.getItem(key as string)));
  }

  put(command: QueuedCommand): void {
    this.#storage.setItem(this.#prefix + command.commandId, JSON.stringify(command));
  }

  remove(commandId: string): void {
    this.#storage.removeItem(this.#prefix + commandId);
  }
}

function parsed(text: string | null): QueuedCommand[] {
  try {
    const command = JSON.parse(text ?? "null") as Partial<QueuedCommand> | null;
    const whole = typeof command?.commandId === "string" && typeof command.entityId === "string" && typeof command.command?.op === "string";
    return whole ? [command as QueuedCommand] : [];
  } catch {
    return [];
  }
}
