// What a list will look like once the commands on their way are through: a guess that is shown at once and dropped when the
// server's answer arrives. It need not be right, only plausible; it leaves unknown parts alone.
import { changed, lastRank, withDetails, withItem, without, type List, type ListItem } from "./list.js";
import { isPositive, sum } from "./quantity.js";
import type { QueuedCommand } from "./storage.js";
import type { Money, Quantity, Role } from "./wire.js";

/** The commands of a list; the same as over HTTP. */
export type ListCommand =
  | { op: "create"; name: string; household?: string | null; store?: string | null }
  | { op: "rename"; name: string }
  | { op: "choose_store"; store: string | null }
  | { op: "share"; member: string; role: Role }
  | {
      op: "add_item";
      item: string;
      name: string;
      quantity: Quantity;
      product?: string | null;
      specification?: string | null;
      note?: string | null;
    }
  | { op: "change_quantity"; item: string; by: Quantity }
  | { op: "set_quantity"; item: string; quantity: Quantity }
  | { op: "change_details"; item: string; name?: string | null; specification?: string | null; note?: string | null }
  | { op: "match"; item: string; product: string | null }
  | { op: "check"; item: string }
  | { op: "uncheck"; item: string }
  | { op: "move"; item: string; after: string | null }
  | { op: "remove"; item: string }
  | { op: "clear_checked" }
  | { op: "set_budget"; budget: Money | null }
  | { op: "archive" }
  | { op: "revive" }
  | { op: "check_out"; order: string };

/**
 * The list with the commands on top, in their order. `who` is the author of the changes. A list that is not known yet
 * stays undefined unless a command makes it.
 */
export function withPending(list: List | undefined, commands: readonly QueuedCommand[], who: string): List | undefined {
  return commands.reduce((shown, { command, entityId, queuedAtMs }) => {
    const context = { who, at: new Date(queuedAtMs).toISOString() };
    const intent = command as unknown as ListCommand;
    if (shown !== undefined) return guessed(shown, intent, context);
    return intent.op === "create" ? made(entityId, intent, context) : undefined;
  }, list);
}

interface Context {
  who: string;
  at: string;
}

function guessed(list: List, command: ListCommand, { who, at }: Context): List {
  const touched = (id: string, change: (item: ListItem) => ListItem): List =>
    changed(list, id, (item) => ({ ...change(item), pending: true }));
  // The server refuses all else while a list is archived.
  if (list.archived && command.op !== "revive") return list;
  switch (command.op) {
    case "rename":
      return { ...list, name: command.name.trim() };
    case "choose_store":
      return { ...list, store: command.store };
    case "share":
      return { ...list, members: new Map(list.members).set(command.member, command.role) };
    case "add_item":
      return added(list, command, { who, at });
    case "change_quantity":
      return touched(command.item, (item) => {
        const quantity = sum(item.quantity, command.by);
        return quantity !== undefined && isPositive(quantity) ? { ...item, quantity } : item;
      });
    case "set_quantity":
      return touched(command.item, (item) => ({ ...item, quantity: command.quantity }));
    case "change_details":
      return touched(command.item, (item) => withDetails(item, command));
    case "match":
      return touched(command.item, (item) => ({ ...item, product: command.product }));
    case "check":
      return touched(command.item, (item) => ({ ...item, checked: item.checked ?? { by: who, at } }));
    case "uncheck":
      return touched(command.item, (item) => ({ ...item, checked: null }));
    case "move":
      return moved(list, command.item, command.after);
    case "remove":
      return without(list, [command.item]);
    case "clear_checked":
      return { ...list, items: list.items.filter((item) => item.checked === null) };
    case "check_out":
      return { ...list, items: list.items.filter((item) => item.checked === null), lastOrder: command.order };
    case "set_budget":
      return { ...list, budget: command.budget };
    case "archive":
      return { ...list, archived: true };
    case "revive":
      return { ...list, archived: false };
    default:
      return list;
  }
}

function made(id: string, command: ListCommand & { op: "create" }, { who, at }: Context): List {
  const { name, household = null, store = null } = command;
  const members = new Map<string, Role>([[who, "owner"]]);
  const nothing = { version: 0, archived: false, budget: null, items: [], lastOrder: null, ranked: true };
  return { ...nothing, id, name: name.trim(), household, store, members, createdAt: at };
}

/** The same thing, not ticked, takes the quantity; anything else is a new item. */
function added(list: List, command: ListCommand & { op: "add_item" }, { who, at }: Context): List {
  if (list.items.some((item) => item.id === command.item)) return list;
  const { item: id, quantity, product = null, specification = null, note = null } = command;
  const name = command.name.trim();
  const isSame = (item: ListItem): boolean =>
    item.checked === null &&
    item.specification === specification &&
    item.product === product &&
    (product !== null || item.name.toLowerCase() === name.toLowerCase());
  for (const item of list.items.filter(isSame)) {
    const total = sum(item.quantity, quantity);
    if (total !== undefined) return changed(list, item.id, () => ({ ...item, quantity: total, pending: true }));
  }
  const rank = lastRank(list);
  return withItem(list, {
    id,
    name,
    product,
    specification,
    quantity,
    note,
    addedBy: who,
    addedAt: at,
    checked: null,
    rank,
    pending: true,
  });
}

function moved(list: List, id: string, after: string | null): List {
  const moving = list.items.find((item) => item.id === id);
  const others = list.items.filter((item) => item.id !== id);
  const left = others.findIndex((item) => item.id === after);
  if (moving === undefined || (after !== null && left < 0)) return list;
  // Only the order is shown, so a rank that is not a whole number will do.
  const before = others[left]?.rank ?? (others[0]?.rank ?? 0) - 2;
  const behind = others[left + 1]?.rank ?? before + 2;
  return withItem(list, { ...moving, rank: (before + behind) / 2, pending: true });
}
