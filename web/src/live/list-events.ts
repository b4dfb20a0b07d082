// The events of a list. A stored event is a promise, so these shapes only ever grow.
import type { Money, Quantity, RecordedEvent, Role } from "./wire.js";

/** What each event of a list says, by its name. */
export interface ListEventData {
  "list.created": { name: string; household: string | null; store: string | null };
  "list.renamed": { name: string };
  "list.store_chosen": { store: string | null };
  "list.shared": { member: string; role: Role };
  "list.item_added": {
    item: string;
    name: string;
    product: string | null;
    specification: string | null;
    quantity: Quantity;
    note: string | null;
    rank: number;
  };
  /** `by` is null where the quantity was set; `quantity` is the result. */
  "list.item_quantity_changed": { item: string; by: Quantity | null; quantity: Quantity };
  /** Null leaves a text as it was, an empty one clears it. */
  "list.item_details_changed": { item: string; name: string | null; specification: string | null; note: string | null };
  "list.item_matched": { item: string; product: string | null };
  "list.item_checked": { item: string };
  "list.item_unchecked": { item: string };
  "list.item_moved": { item: string; rank: number };
  "list.item_removed": { item: string };
  "list.checked_cleared": { items: readonly string[] };
  "list.budget_set": { budget: Money | null };
  "list.archived": Record<string, never>;
  "list.revived": Record<string, never>;
  "list.checked_out": { order: string; items: readonly string[] };
}

interface Envelope {
  /** The list's version with this event; versions of a list are gapless. */
  version: number;
  at: string;
  who: string;
  /** Who really sent the command, acting for `who`; absent if nobody acts for another. */
  by?: string | null;
  command_id?: string | null;
}

/** An event of a list. */
export type ListEvent = { [Name in keyof ListEventData]: Envelope & { type: Name; data: ListEventData[Name] } }[keyof ListEventData];

/** Reads a recorded event as one of a list: undefined if it is of something else. Names of a newer server pass; the reducer skips them. */
export function asListEvent(event: RecordedEvent): ListEvent | undefined {
  const { type, version } = event as { type?: unknown; version?: unknown };
  const isOfList = typeof type === "string" && type.startsWith("list.") && typeof version === "number";
  return isOfList ? (event as unknown as ListEvent) : undefined;
}
