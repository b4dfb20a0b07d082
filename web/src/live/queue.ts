// Commands that must not get lost: kept until the server has answered, sent one after another in the order they were given, and
// repeated under the same id after a lost connection, so that each is applied once. One at a time, because a command that is
// put off must not be overtaken by one that builds on it.
import { Backoff, type BackoffOptions } from "./backoff.js";
import type { Clock } from "./clock.js";
import { ConnectionLost, RequestRefused } from "./errors.js";
import { Listeners } from "./listeners.js";
import { newCommandId } from "./ids.js";
import { MemoryStorage, type CommandStorage, type QueuedCommand } from "./storage.js";
import type { Done } from "./types.js";
import type { Outcome, Position } from "./wire.js";

/** What became of a command in the end. */
export type FinalOutcome =
  | { readonly state: Outcome; readonly version: number; readonly position: Position; readonly item?: string; readonly repeated: boolean }
  | { readonly state: "refused"; readonly code: string; readonly detail: string; readonly pointer?: string };

/** A command and where it stands. `saved`: it survives a restart of the page. */
export interface CommandEntry {
  readonly command: QueuedCommand;
  readonly outcome: { readonly state: "waiting"; readonly attempts: number; readonly saved: boolean } | FinalOutcome;
}

/** A command that was given to the queue. */
export interface Ticket {
  readonly commandId: string;
  /** Never rejects. */
  readonly outcome: Promise<FinalOutcome>;
}

/** Sends a command now. Rejects as `Connection.request` does. */
export type SendCommand = (command: QueuedCommand) => Promise<Done>;

export interface QueueOptions {
  clock: Clock;
  storage?: CommandStorage;
  /** Waiting commands; 1,000 if not given. One more is refused with `queue_full`: what waits is never dropped for it. */
  commandsMax?: number;
  /** For temporary errors that do not say when to try again. */
  backoff?: BackoffOptions;
  newId?: () => string;
  onError?: (error: unknown) => void;
}

/** Finished commands whose outcome is remembered; the oldest are forgotten first. */
const FINISHED_MAX = 1_000;

type Settle = (outcome: FinalOutcome) => void;

/** The queue. It sends while it is `online`. */
export class CommandQueue {
  readonly #clock: Clock;
  readonly #storage: CommandStorage;
  readonly #commandsMax: number;
  readonly #backoff: Backoff;
  readonly #newId: () => string;
  readonly #report: (error: unknown) => void;
  readonly #changes: Listeners<CommandEntry>;
  readonly #waiting = new Map<string, { command: QueuedCommand; attempts: number; saved: boolean; settle: Settle }>();
  readonly #finished = new Map<string, CommandEntry>();
  #send: SendCommand | undefined;
  #sending = false;
  #cancelRest: (() => void) | undefined;
  #lastOrder = 0;

  /** Takes up what the storage kept. */
  constructor(options: QueueOptions) {
    this.#clock = options.clock;
    this.#storage = options.storage ?? new MemoryStorage();
    this.#commandsMax = options.commandsMax ?? 1_000;
    this.#backoff = new Backoff(options.backoff);
    this.#newId = options.newId ?? newCommandId;
    this.#report = options.onError ?? console.error;
    this.#changes = new Listeners(this.#report);
    const kept = this.#guarded(() => [...this.#storage.load()]) ?? [];
    for (const command of kept.sort((left, right) => left.order - right.order)) {
      this.#waiting.set(command.commandId, { command, attempts: 0, saved: true, settle: () => undefined });
      this.#lastOrder = Math.max(this.#lastOrder, command.order);
    }
  }

  /** Commands without an outcome, in the order they will be sent. */
  get waiting(): readonly CommandEntry[] {
    return [...this.#waiting.keys()].flatMap((id) => this.entry(id) ?? []);
  }

  /** Where a command stands; undefined if it is unknown or forgotten. */
  entry(commandId: string): CommandEntry | undefined {
    const waiting = this.#waiting.get(commandId);
    if (waiting === undefined) return this.#finished.get(commandId);
    const { command, attempts, saved } = waiting;
    return { command, outcome: { state: "waiting", attempts, saved } };
  }

  /** Hears of every command that is added, tried or finished. Returns what ends it. */
  onChange(listener: (entry: CommandEntry) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Adds a command and sends it as soon as those before it have their outcome. */
  add(wanted: Omit<QueuedCommand, "commandId" | "order" | "queuedAtMs">): Ticket {
    const queuedAtMs = this.#clock.now();
    this.#lastOrder = Math.max(this.#lastOrder + 1, queuedAtMs);
    const command: QueuedCommand = { ...wanted, commandId: this.#newId(), order: this.#lastOrder, queuedAtMs };
    if (this.#waiting.size >= this.#commandsMax) {
      const detail = `${this.#commandsMax} commands wait already: try again when some of them have been sent`;
      const outcome: FinalOutcome = { state: "refused", code: "queue_full", detail };
      this.#remember({ command, outcome });
      return { commandId: command.commandId, outcome: Promise.resolve(outcome) };
    }
    const saved = this.#guarded(() => (this.#storage.put(command), true)) ?? false;
    const outcome = new Promise<FinalOutcome>((settle) => {
      this.#waiting.set(command.commandId, { command, attempts: 0, saved, settle });
    });
    this.#told(command.commandId);
    this.#pump();
    return { commandId: command.commandId, outcome };
  }

  /** Starts to send. */
  online(send: SendCommand): void {
    this.#send = send;
    this.#pump();
  }

  /** Stops to send; an answer that is still under way counts. */
  offline(): void {
    this.#send = undefined;
    this.#cancelRest?.();
    this.#cancelRest = undefined;
  }

  #pump(): void {
    const send = this.#send;
    const [next] = this.#waiting.values();
    if (send === undefined || next === undefined || this.#sending || this.#cancelRest !== undefined) return;
    this.#sending = true;
    next.attempts += 1;
    this.#told(next.command.commandId);
    send(next.command)
      .then(
        (done) => this.#finish(next.command, outcomeOf(done)),
        (error: unknown) => this.#failed(next.command, error, send),
      )
      .catch(this.#report)
      .finally(() => {
        this.#sending = false;
        this.#pump();
      });
  }

  #failed(command: QueuedCommand, error: unknown, send: SendCommand): void {
    if (error instanceof RequestRefused && !error.temporary) {
      const { code, message: detail, pointer } = error;
      return this.#finish(command, { state: "refused", code, detail, ...(pointer === undefined ? {} : { pointer }) });
    }
    // That sender is no longer usable; a new one may exist already, and tries at once.
    if (error instanceof ConnectionLost && this.#send === send) this.#send = undefined;
    if (error instanceof ConnectionLost || this.#send !== send) return;
    const afterMs = error instanceof RequestRefused ? error.retryAfterMs : undefined;
    this.#cancelRest = this.#clock.after(afterMs ?? this.#backoff.next(), () => {
      this.#cancelRest = undefined;
      this.#pump();
    });
  }

  #finish(command: QueuedCommand, outcome: FinalOutcome): void {
    const waiting = this.#waiting.get(command.commandId);
    if (waiting === undefined) return;
    this.#backoff.reset();
    this.#waiting.delete(command.commandId);
    // Where it cannot be removed it is sent again after a restart, and answered with this outcome.
    this.#guarded(() => this.#storage.remove(command.commandId));
    this.#remember({ command, outcome });
    waiting.settle(outcome);
  }

  #remember(entry: CommandEntry): void {
    this.#finished.set(entry.command.commandId, entry);
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > FINISHED_MAX && oldest !== undefined) this.#finished.delete(oldest);
    this.#changes.tell(entry);
  }

  #told(commandId: string): void {
    const entry = this.entry(commandId);
    if (entry !== undefined) this.#changes.tell(entry);
  }

  #guarded<T>(use: () => T): T | undefined {
    try {
      return use();
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }
}

function outcomeOf(done: Done): FinalOutcome {
  const { outcome: state, version, position, item, repeated = false } = done;
  return { state, version, position, repeated, ...(item == null ? {} : { item }) };
}
