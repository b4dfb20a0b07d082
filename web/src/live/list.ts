// A list as the server has confirmed it: a pure reducer from a snapshot and events to what a page shows.
import type { ListEvent } from "./list-events.js";
import type { ListView } from "./types.js";
import type { Money, Quantity, Role } from "./wire.js";

/** One line of a list. */
export interface ListItem {
  readonly id: string;
  readonly name: string;
  readonly product: string | null;
  readonly specification: string | null;
  readonly quantity: Quantity;
  readonly note: string | null;
  readonly addedBy: string;
  readonly addedAt: string;
  /** Who ticked it and when; null if it is not ticked. */
  readonly checked: { readonly by: string; readonly at: string } | null;
  /** Items are shown by rank, then id. */
  readonly rank: number;
  /** A command on this item is on its way; the confirmed list has none of these. */
  readonly pending?: true;
}

/** A list without its totals, which are a state of their own. */
export interface List {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  readonly archived: boolean;
  readonly household: string | null;
  readonly store: string | null;
  readonly budget: Money | null;
  readonly members: ReadonlyMap<string, Role>;
  /** In the order they are shown. */
  readonly items: readonly ListItem[];
  readonly lastOrder: string | null;
  readonly createdAt: string;
}

/** Between neighbours that were never moved, as the server spaces them. */
const RANK_GAP = 2 ** 24;

/** Reads a list's snapshot. */
export function listOf(view: ListView): List {
  const { id, version, name, archived, created_at: createdAt } = view;
  const items = view.items.map((item) => ({
    id: item.id,
    name: item.name,
    product: item.product ?? null,
    specification: item.specification ?? null,
    quantity: item.quantity,
    note: item.note ?? null,
    addedBy: item.added_by,
    addedAt: item.added_at,
    checked: item.checked ? { by: item.checked_by ?? "", at: item.checked_at ?? "" } : null,
    rank: item.rank,
  }));
  const members = new Map(view.members.map(({ member, role }) => [member, role]));
  const [household, store, budget, lastOrder] = [view.household ?? null, view.store ?? null, view.budget ?? null, view.last_order ?? null];
  return { id, version, name, archived, household, store, budget, members, items, lastOrder, createdAt };
}

/** What an event makes of a list: changed, the same because it was known already, or unknowable without a snapshot. */
export type Applied = { readonly kind: "applied"; readonly list: List } | { readonly kind: "known" } | { readonly kind: "lost" };

/** Applies an event exactly once, in order: one at or below the list's version is known, one that skips a version is lost. */
export function applied(list: List | undefined, id: string, event: ListEvent): Applied {
  const version = list?.version ?? 0;
  if (event.version <= version) return { kind: "known" };
  if (event.version > version + 1) return { kind: "lost" };
  if (event.type === "list.created") return { kind: "applied", list: created(id, event) };
  if (list === undefined) return { kind: "lost" };
  return { kind: "applied", list: { ...evolved(list, event), version: event.version } };
}

function created(id: string, event: ListEvent & { type: "list.created" }): List {
  const { at, who, version, data } = event;
  const members = new Map<string, Role>([[who, "owner"]]);
  return { id, version, ...data, archived: false, budget: null, members, items: [], lastOrder: null, createdAt: at };
}

function evolved(list: List, event: ListEvent): List {
  switch (event.type) {
    case "list.created":
      return list;
    case "list.renamed":
      return { ...list, name: event.data.name };
    case "list.store_chosen":
      return { ...list, store: event.data.store };
    case "list.shared":
      return { ...list, members: new Map(list.members).set(event.data.member, event.data.role) };
    case "list.budget_set":
      return { ...list, budget: event.data.budget };
    case "list.archived":
      return { ...list, archived: true };
    case "list.revived":
      return { ...list, archived: false };
    case "list.item_added":
      return withItem(list, added(event));
    case "list.item_quantity_changed":
      return changed(list, event.data.item, (item) => ({ ...item, quantity: event.data.quantity }));
    case "list.item_details_changed":
      return changed(list, event.data.item, (item) => withDetails(item, event.data));
    case "list.item_matched":
      return changed(list, event.data.item, (item) => ({ ...item, product: event.data.product }));
    case "list.item_checked":
      return changed(list, event.data.item, (item) => ({ ...item, checked: { by: event.who, at: event.at } }));
    case "list.item_unchecked":
      return changed(list, event.data.item, (item) => ({ ...item, checked: null }));
    case "list.item_moved":
      return changed(list, event.data.item, (item) => ({ ...item, rank: event.data.rank }));
    case "list.item_removed":
      return without(list, [event.data.item]);
    case "list.checked_cleared":
      return without(list, event.data.items);
    case "list.checked_out":
      return { ...without(list, event.data.items), lastOrder: event.data.order };
    default:
      // An event that this client is too old for.
      return list;
  }
}

function added(event: ListEvent & { type: "list.item_added" }): ListItem {
  const { item: id, rank, ...texts } = event.data;
  return { id, ...texts, addedBy: event.who, addedAt: event.at, checked: null, rank };
}

/** The rank of a new item: after all others. */
export function lastRank(list: List): number {
  return list.items.reduce((highest, item) => Math.max(highest, item.rank + RANK_GAP), 0);
}

/** Null leaves a text as it is, an empty one clears it. */
export function withDetails(
  item: ListItem,
  details: { name?: string | null; specification?: string | null; note?: string | null },
): ListItem {
  const replaced = (text: string | null, by: string | null | undefined): string | null => (by == null ? text : by || null);
  const { name, specification, note } = details;
  return { ...item, name: name ?? item.name, specification: replaced(item.specification, specification), note: replaced(item.note, note) };
}

/** The list with an item in its place, in place of one with its id. */
export function withItem(list: List, item: ListItem): List {
  const items = [...list.items.filter(({ id }) => id !== item.id), item];
  return { ...list, items: items.sort(byPlace) };
}

/** The list with one item changed; the same list if it has no such item. */
export function changed(list: List, id: string, change: (item: ListItem) => ListItem): List {
  const item = list.items.find((candidate) => candidate.id === id);
  if (item === undefined) return list;
  const next = change(item);
  if (next.rank !== item.rank) return withItem(list, next);
  return { ...list, items: list.items.map((candidate) => (candidate === item ? next : candidate)) };
}

/** The list without some items. */
export function without(list: List, ids: readonly string[]): List {
  const gone = new Set(ids);
  return { ...list, items: list.items.filter(({ id }) => !gone.has(id)) };
}

/** By rank, then id; ids are ASCII, so text order is the server's order. */
function byPlace(left: ListItem, right: ListItem): number {
  return left.rank - right.rank || (left.id < right.id ? -1 : left.id > right.id ? 1 : 0);
}
