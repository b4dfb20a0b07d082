// The public surface of the live client.
export { Backoff, type BackoffOptions } from "./backoff.js";
export { LiveClient, type ClientOptions, type Status } from "./client.js";
export { systemClock, type Clock } from "./clock.js";
export { verdictOf, type Verdict } from "./close.js";
export { Connection, type ConnectionHandlers, type ConnectionOptions, type Patience } from "./connection.js";
export { ConnectionLost, RequestRefused, RequestTimedOut } from "./errors.js";
export type { TopicListener, TopicOptions, TopicPlace, TopicStart } from "./feed.js";
export { newCommandId } from "./ids.js";
export { LocalListCache, type ListCache, type StoredList } from "./cache.js";
export { applied, listOf, type Applied, type List, type ListItem } from "./list.js";
export { asListEvent, type ListEvent, type ListEventData } from "./list-events.js";
export { withPending, type ListCommand } from "./pending.js";
export { isAfter, later } from "./position.js";
export { sum } from "./quantity.js";
export { CommandQueue, type CommandEntry, type FinalOutcome, type QueueOptions, type Ticket } from "./queue.js";
export { openPlatformSocket, SUBPROTOCOL, type OpenSocket, type Socket } from "./socket.js";
export { allStates, withState, NO_STATES, type KeyedState, type States } from "./states.js";
export { LocalStorage, MemoryStorage, type CommandStorage, type QueuedCommand, type WebStorage } from "./storage.js";
export { ListStore, type ListClient, type ListSnapshot, type ListStoreOptions } from "./store.js";
export type { TokenSource } from "./token.js";
export type * from "./types.js";
export type {
  DealFilter,
  EntityKind,
  ErrorBody,
  MissedEvent,
  Money,
  Outcome,
  Position,
  Quantity,
  RecordedEvent,
  Role,
  TopicAnswer,
  TopicRequest,
} from "./wire.js";
