// Positions are opaque text; within one epoch they compare as whole numbers, which may be larger than a number can hold exactly.
import type { Position } from "./wire.js";

/** Whether `left` comes later than `right`. Throws for a text that is not a whole number. */
export function isAfter(left: Position, right: Position): boolean {
  return BigInt(left) > BigInt(right);
}

/** The later of two. */
export function later(left: Position, right: Position): Position {
  return isAfter(right, left) ? right : left;
}
