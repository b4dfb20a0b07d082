import assert from "node:assert/strict";
import { test } from "node:test";
import {
  applied,
  listOf,
  NO_STATES,
  sum,
  allStates,
  withPending,
  withState,
  type List,
  type ListView,
  type ListCommand,
  type ListEvent,
  type ListEventData,
  type QueuedCommand,
} from "../src/live/index.js";
import { listView } from "./support/given.js";

const GAP = 2 ** 24;
const each = (amount: string) => ({ amount, unit: "each" });

function event<Name extends keyof ListEventData>(version: number, type: Name, data: ListEventData[Name]): ListEvent {
  return { version, type, data, at: `2026-01-01T00:00:0${version % 10}Z`, who: "ben" } as unknown as ListEvent;
}

/** Folds events that all must apply. */
function folded(list: List | undefined, ...events: ListEvent[]): List {
  const result = events.reduce<List | undefined>((state, next) => {
    const change = applied(state, "weekly", next);
    assert.equal(change.kind, "applied", `${next.type} at version ${next.version}`);
    return change.kind === "applied" ? change.list : state;
  }, list);
  assert.ok(result);
  return result;
}

const itemAdded = (version: number, item: string, rank: number, name = item, more: object = {}) =>
  event(version, "list.item_added", { item, name, product: null, specification: null, quantity: each("1"), note: null, rank, ...more });

const names = (list: List | undefined) => list?.items.map(({ id }) => id).join(" ");

test("every event of a list shows in it", () => {
  const list = folded(
    undefined,
    event(1, "list.created", { name: "Weekly", household: "home", store: null }),
    event(2, "list.renamed", { name: "Daily" }),
    event(3, "list.store_chosen", { store: "billa" }),
    event(4, "list.shared", { member: "ana", role: "viewer" }),
    event(5, "list.budget_set", { budget: { amount: "50.00", currency: "EUR" } }),
    itemAdded(6, "i1", 0, "Milk", { specification: "fat", note: "cold" }),
    itemAdded(7, "i2", GAP),
    itemAdded(8, "i3", 2 * GAP),
    itemAdded(9, "i4", 3 * GAP),
    event(10, "list.item_quantity_changed", { item: "i1", by: each("1"), quantity: each("2") }),
    event(11, "list.item_details_changed", { item: "i1", name: "Whole milk", specification: "", note: null }),
    event(12, "list.item_matched", { item: "i1", product: "milk" }),
    event(13, "list.item_moved", { item: "i4", rank: -GAP }),
    event(14, "list.item_checked", { item: "i1" }),
    event(15, "list.item_checked", { item: "i2" }),
    event(16, "list.item_unchecked", { item: "i2" }),
    event(17, "list.item_removed", { item: "i2" }),
    event(18, "list.archived", {}),
    event(19, "list.revived", {}),
  );
  assert.deepEqual(list, {
    id: "weekly",
    version: 19,
    name: "Daily",
    archived: false,
    household: "home",
    store: "billa",
    budget: { amount: "50.00", currency: "EUR" },
    members: new Map([["ben", "owner"], ["ana", "viewer"]]),
    items: [
      { id: "i4", name: "i4", product: null, specification: null, quantity: each("1"), note: null, addedBy: "ben", addedAt: "2026-01-01T00:00:09Z", checked: null, rank: -GAP },
      { id: "i1", name: "Whole milk", product: "milk", specification: null, quantity: each("2"), note: "cold", addedBy: "ben", addedAt: "2026-01-01T00:00:06Z", checked: { by: "ben", at: "2026-01-01T00:00:04Z" }, rank: 0 },
      { id: "i3", name: "i3", product: null, specification: null, quantity: each("1"), note: null, addedBy: "ben", addedAt: "2026-01-01T00:00:08Z", checked: null, rank: 2 * GAP },
    ],
    lastOrder: null,
    createdAt: "2026-01-01T00:00:01Z",
  });
  assert.equal(names(folded(list, event(20, "list.checked_out", { order: "o1", items: ["i1"] }))), "i4 i3");
  assert.equal(folded(list, event(20, "list.checked_out", { order: "o1", items: ["i1"] })).lastOrder, "o1");
  assert.equal(names(folded(list, event(20, "list.checked_cleared", { items: ["i1", "i3"] }))), "i4");
  assert.equal(folded(list, event(20, "list.archived", {})).archived, true);
});

test("an event that is known changes nothing, one that skips another asks for a snapshot", () => {
  const list = listOf(listView({ version: 5 }));
  assert.equal(applied(list, "weekly", event(5, "list.renamed", { name: "x" })).kind, "known");
  assert.equal(applied(list, "weekly", event(1, "list.renamed", { name: "x" })).kind, "known");
  assert.equal(applied(list, "weekly", event(7, "list.renamed", { name: "x" })).kind, "lost");
  assert.equal(applied(undefined, "weekly", event(1, "list.renamed", { name: "x" })).kind, "lost");
});

test("an event of a newer server counts but shows nothing", () => {
  const list = listOf(listView({ version: 5 }));
  assert.deepEqual(folded(list, event(6, "list.painted" as "list.archived", {})), { ...list, version: 6 });
});

const view = (id: string, rank: number): ListView["items"][number] => ({
  ...{ id, name: id, product: null, specification: null, quantity: each("1"), note: null, checked: false },
  ...{ added_by: "ana", added_at: "2026-01-01T00:00:00Z", rank },
});

test("a moved item takes its place by rank, then id", () => {
  const list = listOf(listView({ version: 5, items: [view("c", 3), view("a", 9)] }));
  assert.equal(names(folded(list, event(6, "list.item_moved", { item: "a", rank: 3 }))), "a c", "same rank: by id");
  assert.equal(names(folded(list, itemAdded(6, "b", 99))), "c a b");
});

test("quantities add exactly or not at all", () => {
  assert.deepEqual(sum(each("0.1"), each("0.2")), each("0.3"));
  assert.deepEqual(sum(each("1000000"), each("0.000001")), each("1000000.000001"));
  assert.deepEqual(sum(each("1"), each("-2.5")), each("-1.5"));
  assert.deepEqual(sum(each("2.50"), each("-2.5")), each("0"));
  assert.equal(sum(each("1"), { amount: "1", unit: "kg" }), undefined);
  for (const amount of ["", "1.", "1e3", "1.0000001", "x"]) assert.equal(sum(each("1"), each(amount)), undefined, amount);
});

const pending = (...commands: ListCommand[]): QueuedCommand[] =>
  commands.map((command, order) => ({ commandId: `c${order}`, entity: "list", entityId: "weekly", command: { ...command }, order, queuedAtMs: 0 }));

function guess(...commands: ListCommand[]): List {
  const ticked = { ...view("t", 3 * GAP), checked: true, checked_by: "ana", checked_at: "2026-01-01T00:00:00Z" };
  const list = listOf(listView({ items: [view("a", 0), view("b", GAP), view("c", 2 * GAP), ticked] }));
  const shown = withPending(list, pending(...commands), "eva");
  assert.ok(shown);
  return shown;
}

const item = (list: List, id: string) => list.items.find((candidate) => candidate.id === id);

test("commands on their way show at once", () => {
  assert.equal(guess({ op: "rename", name: " New " }).name, "New");
  assert.equal(guess({ op: "choose_store", store: "s" }).store, "s");
  assert.equal(guess({ op: "share", member: "m", role: "editor" }).members.get("m"), "editor");
  assert.deepEqual(item(guess({ op: "check", item: "a" }), "a")?.checked, { by: "eva", at: "1970-01-01T00:00:00.000Z" });
  assert.equal(item(guess({ op: "uncheck", item: "t" }), "t")?.checked, null);
  assert.equal(item(guess({ op: "set_quantity", item: "a", quantity: each("4") }), "a")?.quantity.amount, "4");
  assert.equal(item(guess({ op: "change_quantity", item: "a", by: each("0.5") }), "a")?.quantity.amount, "1.5");
  assert.equal(item(guess({ op: "change_quantity", item: "a", by: each("-1") }), "a")?.quantity.amount, "1", "will be refused");
  assert.equal(item(guess({ op: "change_details", item: "a", note: "n" }), "a")?.note, "n");
  assert.equal(item(guess({ op: "match", item: "a", product: "p" }), "a")?.product, "p");
  assert.equal(names(guess({ op: "remove", item: "a" })), "b c t");
  assert.equal(names(guess({ op: "clear_checked" })), "a b c");
  assert.equal(names(guess({ op: "check_out", order: "o" })), "a b c");
  assert.equal(guess({ op: "set_budget", budget: null }).budget, null);
  assert.equal(guess({ op: "archive" }, { op: "rename", name: "x" }).name, "Weekly", "an archived list takes nothing");
  assert.equal(guess({ op: "archive" }, { op: "revive" }, { op: "rename", name: "x" }).name, "x");
});

test("a pending move shows in its place", () => {
  assert.equal(names(guess({ op: "move", item: "c", after: null })), "c a b t");
  assert.equal(names(guess({ op: "move", item: "a", after: "b" })), "b a c t");
  assert.equal(names(guess({ op: "move", item: "a", after: "t" })), "b c t a");
  assert.equal(names(guess({ op: "move", item: "a", after: "nowhere" })), "a b c t");
});

test("a pending addition joins the same thing and is a new item otherwise", () => {
  const add = (id: string, name: string, more: object = {}): ListCommand => ({ op: "add_item", item: id, name, quantity: each("2"), ...more });
  const joined = guess(add("n", "A"));
  assert.deepEqual([names(joined), item(joined, "a")?.quantity.amount, item(joined, "a")?.pending], ["a b c t", "3", true]);
  assert.equal(names(guess(add("n", "A", { specification: "red" }))), "a b c t n");
  assert.equal(names(guess(add("n", "A", { quantity: { amount: "1", unit: "kg" } }))), "a b c t n");
  assert.equal(names(guess(add("n", "t"))), "a b c t n", "a ticked item is in the cart already");
  assert.equal(item(guess(add("a", "A")), "a")?.quantity.amount, "1", "the very same item is there already");
});

test("a list that is only on its way shows too", () => {
  const made = withPending(undefined, pending({ op: "create", name: "New" }, { op: "rename", name: "Newer" }), "eva");
  assert.deepEqual([made?.name, made?.members.get("eva"), made?.version], ["Newer", "owner", 0]);
  assert.equal(withPending(undefined, pending({ op: "rename", name: "x" }), "eva"), undefined);
});

test("an older state never replaces a newer one, and the last of the same position counts", () => {
  const one = withState(NO_STATES, "totals", "10", "ten");
  assert.equal(withState(one, "totals", "9", "nine"), one);
  assert.equal(withState(one, "totals", "10", "again").get("totals")?.value, "again");
  assert.equal(withState(one, "presence", "2", "two").size, 2);
});

test("the states of an answer replace whatever was known, also what a price had moved to a later position", () => {
  const next = allStates("6", { totals: "new" });
  assert.deepEqual([...next], [["totals", { position: "6", value: "new" }]]);
  assert.equal(withState(next, "totals", "11", "newest").get("totals")?.value, "newest");
});
