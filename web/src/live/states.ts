// States by key, such as `totals` or `price:milk`: a pure reducer in which an older value never replaces a newer one.
import { isAfter } from "./position.js";
import type { Position } from "./wire.js";

/** The latest value of a key, and where in the log it was computed. */
export interface KeyedState {
  readonly position: Position;
  readonly value: unknown;
}

/** All states of a topic. */
export type States = ReadonlyMap<string, KeyedState>;

/** No states. */
export const NO_STATES: States = new Map();

/**
 * Takes a value. One older than what is known changes nothing and returns the same map. One of the same position replaces
 * it: presence, for one, changes without an event, and states arrive in the order they were sent.
 */
export function withState(states: States, key: string, position: Position, value: unknown): States {
  const known = states.get(key);
  if (known !== undefined && isAfter(known.position, position)) return states;
  return new Map(states).set(key, { position, value });
}

/**
 * All states of a topic from an answer. They replace everything known before: an answer is newer than whatever
 * was pushed before it, though its position, that of the topic's last event, may be lower than that of a state that prices moved.
 */
export function allStates(position: Position, values: { readonly [key: string]: unknown }): States {
  return new Map(Object.entries(values).map(([key, value]) => [key, { position, value }]));
}
