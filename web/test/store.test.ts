import assert from "node:assert/strict";
import { test } from "node:test";
import { ListStore, LocalListCache, type ListSnapshot, type ListStoreOptions } from "../src/live/index.js";
import { settle } from "./support/clock.js";
import { givenClient, givenOpenClient, listView } from "./support/given.js";
import { FakeWebStorage } from "./support/web-storage.js";

const renamed = (position: string, previous: string, version: number, name: string, command_id: string | null = null) => ({
  type: "event",
  topic: "list:weekly",
  position,
  previous,
  event: { type: "list.renamed", data: { name }, version, at: "2026-01-01T00:00:00Z", who: "ana", command_id },
});

async function givenStore(options: ListStoreOptions = {}) {
  const given = await givenOpenClient();
  const store = new ListStore(given.client, "weekly", { who: "eva", ...options });
  await settle();
  const started = { topic: "list:weekly", recovered: false, position: "40", snapshot: listView({ version: 5 }), states: { presence: { present: [], more: 0 } } };
  given.network.socket.answers("subscribe", { type: "subscribed", more: false, topics: [started] });
  const told: ListSnapshot[] = [];
  store.subscribe((snapshot) => told.push(snapshot));
  return { ...given, store, told };
}

test("a list is shown with its totals, prices and who is there", async () => {
  const { network, store } = await givenStore();
  const state = (key: string, position: string, value: unknown) => network.socket.says({ type: "state", topic: "list:weekly", key, position, value });
  state("price:milk", "41", { product: "milk", store: "billa", price: null });
  state("price:milk", "39", "older");
  state("presence", "40", { present: [{ who: "ana", sessions: 2 }], more: 0 });
  const { list, totals, prices, presence } = store.snapshot;
  assert.deepEqual([list?.name, totals?.items, prices.get("milk")?.store, presence?.present[0]?.who], ["Weekly", 0, "billa", "ana"]);
});

test("a snapshot is a new object exactly when something changed", async () => {
  const { network, store, told } = await givenStore();
  const before = store.snapshot;
  assert.equal(store.snapshot, before);
  network.socket.says(renamed("42", "40", 6, "New"));
  network.socket.says(renamed("42", "40", 6, "New"));
  assert.equal(told.length, 1);
  assert.equal(store.snapshot, told[0]);
  assert.notEqual(store.snapshot, before);
});

test("a change shows at once, and not twice when its event comes before its outcome", async () => {
  const { network, store } = await givenStore();
  const { commandId } = store.command({ op: "rename", name: "Mine" });
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.confirmed?.name, store.snapshot.pending.length], ["Mine", "Weekly", 1]);
  network.socket.says(renamed("42", "40", 6, "Mine", commandId));
  assert.deepEqual([store.snapshot.confirmed?.name, store.snapshot.pending.length], ["Mine", 0]);
  network.socket.says(renamed("43", "42", 7, "Theirs"));
  network.socket.answers("command", { type: "done", entity_id: "weekly", outcome: "applied", version: 6, position: "42" });
  await settle();
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Theirs", 0]);
});

test("a change stays shown when its outcome comes before its event", async () => {
  const { network, store } = await givenStore();
  store.command({ op: "rename", name: "Mine" });
  network.socket.answers("command", { type: "done", entity_id: "weekly", outcome: "applied", version: 6, position: "42" });
  await settle();
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Mine", 1]);
  network.socket.says(renamed("42", "40", 6, "Mine"));
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Mine", 0]);
});

test("a refused change is taken back, and one that changed nothing is dropped", async () => {
  const { network, store } = await givenStore();
  const refused = store.command({ op: "rename", name: "Mine" });
  network.socket.answers("command", { type: "error", code: "not_permitted", detail: "no", temporary: false });
  assert.equal((await refused.outcome).state, "refused");
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Weekly", 0]);
  store.command({ op: "rename", name: "Weekly" });
  await settle();
  network.socket.answers("command", { type: "done", entity_id: "weekly", outcome: "unchanged", version: 5, position: "40" });
  await settle();
  assert.equal(store.snapshot.pending.length, 0);
});

test("commands that waited before the page was opened are shown, those of other lists are not", async () => {
  const { client } = givenClient();
  client.command("list", "weekly", { op: "create", name: "Offline" });
  client.command("list", "other", { op: "create", name: "Other" });
  const store = new ListStore(client, "weekly");
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Offline", 1]);
});

test("a list that cannot be followed says why, until it can", async () => {
  const { network, store } = await givenStore();
  network.socket.says({ type: "revoked", topics: ["list:weekly"], code: "forbidden" });
  assert.equal(store.snapshot.trouble?.code, "forbidden");
});

test("an event that does not fit makes the list start anew from a snapshot", async () => {
  const { network, store } = await givenStore();
  network.socket.says(renamed("42", "40", 8, "Skipped"));
  await settle();
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:weekly" }]);
  assert.equal(store.snapshot.list?.name, "Weekly");
});

test("a change that a restored server has lost is not shown for ever", async () => {
  const { clock, network, store } = await givenStore();
  store.command({ op: "rename", name: "Mine" });
  network.socket.answers("command", { type: "done", entity_id: "weekly", outcome: "applied", version: 6, position: "42" });
  network.socket.closes(3001);
  await clock.advance(2_500);
  network.socket.hello({ epoch: "e2" });
  await settle();
  const restored = { topic: "list:weekly", recovered: false, position: "30", snapshot: listView({ version: 4 }) };
  network.socket.answers("subscribe", { type: "subscribed", more: false, topics: [restored] });
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.pending.length], ["Weekly", 0]);
});

test("a list that was open before is there without signal, and continues where it stopped", async () => {
  const cache = new LocalListCache(new FakeWebStorage());
  const before = await givenStore({ cache });
  before.network.socket.says(renamed("42", "40", 6, "Newer"));
  before.network.socket.says({ type: "state", topic: "list:weekly", key: "totals", position: "42", value: { items: 7 } });
  await settle();

  const { client, network } = givenClient();
  const store = new ListStore(client, "weekly", { cache });
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.totals?.items], ["Newer", 7]);
  assert.deepEqual(store.snapshot.confirmed, before.store.snapshot.confirmed);
  client.connect();
  network.socket.hello();
  await settle();
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:weekly", since: "42" }]);
  const missed = [{ position: "43", previous: "42", event: renamed("43", "42", 7, "Newest").event }];
  const answer = { topic: "list:weekly", recovered: true, position: "43", events: missed, states: { totals: { items: 8 } } };
  network.socket.answers("subscribe", { type: "subscribed", more: false, topics: [answer] });
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.totals?.items], ["Newest", 8]);
});

test("what was kept of a list goes with the right to follow it", async () => {
  const web = new FakeWebStorage();
  const { network } = await givenStore({ cache: new LocalListCache(web) });
  await settle();
  assert.equal(web.length, 1);
  network.socket.says({ type: "revoked", topics: ["list:weekly"], code: "forbidden" });
  await settle();
  assert.equal(web.length, 0);
});

test("a cache that fails is reported once, and the list goes on", async () => {
  const errors: unknown[] = [];
  const web = new FakeWebStorage();
  web.setItem("aisled.list.weekly", "{");
  const { network, store } = await givenStore({ cache: new LocalListCache(web), onError: (error) => errors.push(error) });
  network.socket.says(renamed("42", "40", 6, "New"));
  await settle();
  assert.deepEqual([errors.length, store.snapshot.list?.name], [1, "New"]);
});

test("a closed store hears nothing more", async () => {
  const { network, store, told } = await givenStore();
  store.close();
  network.socket.says(renamed("42", "40", 6, "New"));
  store.command({ op: "rename", name: "Mine" });
  assert.deepEqual([told.length, network.socket.count("unsubscribe")], [0, 1]);
});
