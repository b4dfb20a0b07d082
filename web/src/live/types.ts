// The wire types of the live protocol `aisled.v1+json`. Written by hand until docs/asyncapi.json exists; then
// `npm run types` generates this file from it under the same names.

/** A place in the log: opaque text; compare only as a whole number of the same epoch. */
export type Position = string;

/** A client's own name of a request. */
export type RequestId = number | string;

/** The server's first message of a session. */
export interface Hello {
  type: "hello";
  session: string;
  /** Positions of another epoch mean nothing. */
  epoch: string;
  position: Position;
  ping_interval_seconds: number;
  lifetime_seconds?: number;
  compression?: boolean;
  limits: HelloLimits;
}

/** The limits of the server. */
export interface HelloLimits {
  message_bytes_max: number;
  topics_max: number;
  [name: string]: unknown;
}

/** Asks a session without a token for one. */
export interface Authenticate {
  type: "authenticate";
  within_seconds: number;
}

/** The token was taken. */
export interface Refreshed {
  type: "refreshed";
  id: RequestId;
  who: string;
  /** RFC 3339; null if it never expires. */
  expires_at: string | null;
}

/** An event as clients see it. */
export interface RecordedEvent {
  type: string;
  position?: Position;
  stream?: string;
  version?: number;
  previous?: Position | null;
  /** RFC 3339. */
  at?: string;
  who?: string;
  command_id?: string | null;
  shape?: number;
  data?: unknown;
  [name: string]: unknown;
}

/** An event of a topic's history. */
export interface MissedEvent {
  position: Position;
  previous: Position | null;
  event: RecordedEvent;
}

/** What went wrong. */
export interface ErrorBody {
  code: string;
  detail: string;
  temporary: boolean;
  pointer?: string;
  retry_after_ms?: number;
}

/** The client's position continues without a gap. */
export interface TopicRecovered {
  topic: string;
  recovered: true;
  position: Position;
  events: readonly MissedEvent[];
  states?: { [key: string]: unknown };
}

/** Everything as it is at `position`; `events` happened while it was read. */
export interface TopicSnapshot {
  topic: string;
  recovered: false;
  position: Position;
  snapshot: unknown;
  events?: readonly MissedEvent[];
  states?: { [key: string]: unknown };
}

/** A topic that cannot be followed. */
export interface TopicRefused {
  topic: string;
  error: ErrorBody;
}

/** One topic of the answer to a subscription. */
export type TopicAnswer = TopicRecovered | TopicSnapshot | TopicRefused;

/** The answer to a subscription, or a part of it. */
export interface Subscribed {
  type: "subscribed";
  id: RequestId;
  more: boolean;
  topics: readonly TopicAnswer[];
}

/** A push of an event: never merged, never dropped, in log order. */
export interface EventPush {
  type: "event";
  topic: string;
  position: Position;
  previous: Position | null;
  event: RecordedEvent;
}

/** A push of a state: the latest value of a key. */
export interface StatePush {
  type: "state";
  topic: string;
  key: string;
  position: Position;
  value: unknown;
}

/** What became of a command. */
export type Outcome = "applied" | "merged" | "unchanged";

/** The answer to a command. */
export interface Done {
  type: "done";
  id: RequestId;
  entity_id: string;
  outcome: Outcome;
  version: number;
  position: Position;
  item?: string;
  repeated?: boolean;
  totals?: TotalsView;
}

/** A request that failed. */
export interface ErrorReply extends ErrorBody {
  type: "error";
  id: RequestId | null;
}

/** The answer to a ping. */
export interface Pong {
  type: "pong";
  id: RequestId;
  position: Position;
}

/** The topics that were left. */
export interface Unsubscribed {
  type: "unsubscribed";
  id: RequestId;
  topics: readonly string[];
}

/** Topics that this principal may no longer follow. */
export interface Revoked {
  type: "revoked";
  topics: readonly string[];
  code: string;
}

/** The server is about to close the session. */
export interface Closing {
  type: "closing";
  code: number;
  reason: string;
  within_ms: number;
  come_back_within_ms?: number;
}

/** Which deals are wanted. */
export interface DealFilter {
  category?: string;
  min_saving_percent?: number;
  honest?: boolean;
}

/** One topic of a subscription. */
export interface TopicRequest {
  topic: string;
  since?: Position;
  max_rate?: number;
  filter?: DealFilter;
}

export interface SubscribeRequest {
  id: RequestId;
  op: "subscribe";
  topics: readonly TopicRequest[];
  epoch?: string;
}

export interface UnsubscribeRequest {
  id: RequestId;
  op: "unsubscribe";
  topics: readonly string[];
}

/** What a command is for. */
export type EntityKind = "list" | "product" | "order" | "household" | "store";

export interface CommandRequest {
  id: RequestId;
  op: "command";
  entity: EntityKind;
  entity_id: string;
  command: { op: string; [field: string]: unknown };
  command_id?: string;
  if_version?: number;
}

export interface PingRequest {
  id: RequestId;
  op: "ping";
}

export interface RefreshRequest {
  id: RequestId;
  op: "refresh";
  token: string;
}

/** Exact decimal text with a unit. */
export interface Quantity {
  amount: string;
  unit: string;
}

/** Exact decimal text with a currency. */
export interface Money {
  amount: string;
  currency: string;
}

/** A price per unit. */
export interface UnitPrice {
  amount: string;
  currency: string;
  per: string;
}

export type Role = "owner" | "editor" | "viewer";

export interface MemberView {
  member: string;
  role: Role;
}

/** One item of a list. */
export interface ItemView {
  id: string;
  name: string;
  product: string | null;
  specification: string | null;
  quantity: Quantity;
  note: string | null;
  checked: boolean;
  added_by: string;
  added_at: string;
  checked_by?: string;
  checked_at?: string;
  /** Items are shown by rank, then id. */
  rank?: number;
}

/** A list with its items in their order and its totals. */
export interface ListView {
  id: string;
  version: number;
  position: Position;
  name: string;
  archived: boolean;
  household: string | null;
  store: string | null;
  budget: Money | null;
  members: readonly MemberView[];
  items: readonly ItemView[];
  last_order: string | null;
  created_at: string;
  totals: TotalsView;
}

/** What a list costs at one store. */
export interface StoreTotal {
  store: string;
  estimated: Money;
  in_cart: Money;
  to_get: Money;
  savings: Money;
  unpriced_items: number;
  oldest_price_at: string | null;
}

/** What a list costs at its store, and at others side by side. */
export interface TotalsView {
  store: string | null;
  store_chosen: boolean;
  currency: string | null;
  estimated: Money | null;
  in_cart: Money | null;
  to_get: Money | null;
  savings: Money | null;
  items: number;
  checked_items: number;
  unpriced_items: number;
  unpriced: { no_product: number; no_price: number; unit_mismatch: number };
  oldest_price_at: string | null;
  stores?: readonly StoreTotal[];
}

/** The price a total was computed with. */
export interface UsedPrice {
  price: UnitPrice;
  kind: "shelf" | "promo" | "member" | "clearance";
  reference?: UnitPrice;
  observed_at: string;
  position: Position;
  source: string;
}

/** The price of a product that holds at a store; null where none is known. */
export interface PriceState {
  product: string;
  store: string | null;
  price: UsedPrice | null;
}

/** Who has a list open. */
export interface Presence {
  present: readonly { who: string; sessions: number }[];
  more: number;
}
