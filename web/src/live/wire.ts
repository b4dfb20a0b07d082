// Names for parts of the messages, taken from the messages themselves: however the server's document splits its schemas, these stay valid.
import type { CommandRequest, Done, ErrorReply, EventPush, Hello, ListView, Subscribed, SubscribeRequest } from "./types.js";

/** A place in the log: opaque text; compare only as a whole number of the same epoch. */
export type Position = Hello["position"];
/** What went wrong. */
export type ErrorBody = Omit<ErrorReply, "type" | "id">;
/** One topic of a subscription. */
export type TopicRequest = SubscribeRequest["topics"][number];
/** Which deals are wanted. */
export type DealFilter = NonNullable<TopicRequest["filter"]>;
/** One topic of the answer to a subscription. */
export type TopicAnswer = Subscribed["topics"][number];
/** An event as clients see it. */
export type RecordedEvent = EventPush["event"];
/** An event of a topic's history. */
export type MissedEvent = Pick<EventPush, "position" | "previous" | "event">;
/** What a command is for. */
export type EntityKind = CommandRequest["entity"];
/** What became of a command. */
export type Outcome = Done["outcome"];
/** What somebody may do with a list. */
export type Role = ListView["members"][number]["role"];
/** Exact decimal text with a unit. */
export type Quantity = ListView["items"][number]["quantity"];
/** Exact decimal text with a currency. */
export type Money = NonNullable<ListView["budget"]>;
