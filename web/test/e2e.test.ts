// Against a real server at AISLED_URL, such as http://127.0.0.1:8080, over the `ws` package. With AISLED_TOKEN every request and
// handshake carries it. `npm run e2e` runs this alone; without AISLED_URL everything here is skipped.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import WebSocket from "ws";
import { ListStore, LiveClient, newCommandId, type ListSnapshot } from "../src/live/index.js";

const URL_BASE = process.env["AISLED_URL"]?.replace(/\/$/, "");
const TOKEN = process.env["AISLED_TOKEN"];
const HEADERS: { [name: string]: string } = TOKEN === undefined ? {} : { authorization: `Bearer ${TOKEN}` };
const SKIP = URL_BASE === undefined ? "AISLED_URL is not set: give it the address of a running server" : false;
/** Everything here takes milliseconds; a server that needs longer has lost something. */
const PATIENCE_MS = 10_000;

const each = (amount: string) => ({ amount, unit: "each" });
const unique = (what: string) => `${what}-${newCommandId().slice(0, 8)}`;

async function post(path: string, body: object): Promise<{ position: string }> {
  const headers = { ...HEADERS, "content-type": "application/json" };
  const response = await fetch(`${URL_BASE}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `POST ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as { position: string };
}

/** A store with a product of a known price, and a list that is bought there. */
async function givenShop() {
  const [store, product, list] = [unique("store"), unique("milk"), unique("weekly")];
  await post("/stores", { id: store, name: "Corner shop", currency: "EUR" });
  await post("/products", { id: product, name: "Milk 1 l" });
  await price(product, store, "1.50");
  await post("/lists", { id: list, name: "Weekly", store });
  return { store, product, list };
}

async function price(product: string, store: string, amount: string): Promise<void> {
  await post(`/products/${product}/prices`, { store, price: { amount, currency: "EUR", per: "each" } });
}

/** A client whose connection the test can break. It is closed when the test ends. */
function givenClient(context: TestContext) {
  let socket: WebSocket | undefined;
  const openSocket = (url: string, protocol: string) => (socket = new WebSocket(url, protocol, { headers: HEADERS }));
  const client = new LiveClient({ url: `${URL_BASE?.replace(/^http/, "ws")}/api/v1/live`, openSocket, backoff: { baseMs: 10 } });
  context.after(() => client.close());
  return { client, breakConnection: () => socket?.terminate() };
}

/** Waits until a list shows something; fails with what it shows instead. */
async function until(store: ListStore, what: string, shows: (snapshot: ListSnapshot) => boolean): Promise<ListSnapshot> {
  if (shows(store.snapshot)) return store.snapshot;
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => {
      leave();
      reject(new Error(`waited in vain for ${what}: ${JSON.stringify(store.snapshot, (_, value: unknown) => (value instanceof Map ? [...value] : value))}`));
    }, PATIENCE_MS);
    const leave = store.subscribe((snapshot) => {
      if (!shows(snapshot)) return;
      clearTimeout(tooLate);
      leave();
      resolve(snapshot);
    });
  });
}

/** Waits for the next session. */
async function opened(client: LiveClient): Promise<void> {
  await new Promise<void>((resolve) => {
    const leave = client.onStatus(({ state }) => {
      if (state !== "open") return;
      leave();
      resolve();
    });
  });
}

const isCalm = ({ list, confirmed, pending }: ListSnapshot) => confirmed !== undefined && list === confirmed && pending.length === 0;

test("an item added by one is seen by the other, with the totals", { skip: SKIP }, async (context) => {
  const { product, list } = await givenShop();
  const [ana, ben] = [givenClient(context).client, givenClient(context).client];
  const [anas, bens] = [new ListStore(ana, list), new ListStore(ben, list)];
  ana.connect();
  ben.connect();
  await until(bens, "the list", isCalm);
  const { outcome } = anas.command({ op: "add_item", item: "i1", name: "Milk", product, quantity: each("2") });
  assert.equal(anas.snapshot.pending.length, 1, "shown before it is sent");
  assert.equal((await outcome).state, "applied");
  const seen = await until(bens, "milk and its totals", ({ confirmed, totals }) => confirmed?.items.length === 1 && totals?.items === 1);
  assert.deepEqual([seen.confirmed?.items[0]?.name, seen.totals?.estimated], ["Milk", { amount: "3.00", currency: "EUR" }]);
  const merged = await bens.command({ op: "add_item", item: "i2", name: "Milk", product, quantity: each("1") }).outcome;
  assert.deepEqual([merged.state, merged.state !== "refused" && merged.item], ["merged", "i1"]);
  await until(anas, "three milk", (snapshot) => isCalm(snapshot) && snapshot.confirmed?.items[0]?.quantity.amount === "3");
});

test("after a broken connection nothing is missed and nothing is applied twice", { skip: SKIP }, async (context) => {
  const { list } = await givenShop();
  const { client, breakConnection } = givenClient(context);
  const other = givenClient(context).client;
  const [store, others] = [new ListStore(client, list), new ListStore(other, list)];
  client.connect();
  other.connect();
  await until(store, "the list", isCalm);
  for (let round = 0; round < 5; round += 1) {
    // Sent and cut off at once: it is unknown whether it was executed.
    for (const who of [store, others]) who.command({ op: "add_item", item: newCommandId(), name: unique("thing"), quantity: each("1") });
    breakConnection();
    await opened(client);
  }
  const everything = (snapshot: ListSnapshot) => isCalm(snapshot) && snapshot.confirmed?.items.length === 10;
  const [mine, theirs] = await Promise.all([until(store, "ten items", everything), until(others, "ten items", everything)]);
  assert.deepEqual(mine.confirmed?.items, theirs.confirmed?.items);
  assert.deepEqual(mine.confirmed?.items.map(({ quantity }) => quantity.amount), Array.from({ length: 10 }, () => "1"));
});

test("commands given offline are sent in order, and each has its outcome", { skip: SKIP }, async (context) => {
  const { client } = givenClient(context);
  const list = unique("offline");
  const store = new ListStore(client, list);
  const tickets = [
    store.command({ op: "create", name: "Made offline" }),
    store.command({ op: "add_item", item: "i1", name: "Bread", quantity: each("1") }),
    store.command({ op: "add_item", item: "i2", name: "bread", quantity: each("2") }),
    store.command({ op: "check", item: "i1" }),
    store.command({ op: "check", item: "i1" }),
    store.command({ op: "remove", item: "nothing" }),
  ];
  assert.deepEqual([store.snapshot.list?.name, store.snapshot.list?.items[0]?.quantity.amount], ["Made offline", "3"]);
  client.connect();
  const outcomes = await Promise.all(tickets.map(({ outcome }) => outcome));
  assert.deepEqual(outcomes.map(({ state }) => state), ["applied", "applied", "merged", "applied", "unchanged", "refused"]);
  const last = outcomes.at(-1);
  assert.equal(last?.state === "refused" && last.code, "item_not_found");
  const { confirmed } = await until(store, "the list", isCalm);
  assert.deepEqual([confirmed?.name, confirmed?.items.length, confirmed?.items[0]?.checked !== null], ["Made offline", 1, true]);
});

test("a moved item is in its new place for everyone", { skip: SKIP }, async (context) => {
  const { list } = await givenShop();
  const [ana, ben] = [givenClient(context).client, givenClient(context).client];
  const anas = new ListStore(ana, list);
  ana.connect();
  for (const item of ["a", "b", "c"]) anas.command({ op: "add_item", item, name: item, quantity: each("1") });
  await until(anas, "three items", (snapshot) => isCalm(snapshot) && snapshot.confirmed?.items.length === 3);
  // Ben begins with a snapshot.
  const bens = new ListStore(ben, list);
  ben.connect();
  await until(bens, "three items", isCalm);
  anas.command({ op: "move", item: "c", after: null });
  anas.command({ op: "move", item: "a", after: "b" });
  const order = ({ confirmed }: ListSnapshot) => confirmed?.items.map(({ id }) => id).join("");
  for (const store of [anas, bens]) await until(store, "c b a", (snapshot) => isCalm(snapshot) && order(snapshot) === "cba");
});

test("a new price arrives as a state, and the totals with it", { skip: SKIP }, async (context) => {
  const { store: shop, product, list } = await givenShop();
  const { client } = givenClient(context);
  const store = new ListStore(client, list);
  client.connect();
  store.command({ op: "add_item", item: "i1", name: "Milk", product, quantity: each("2") });
  await until(store, "the first price", ({ prices }) => prices.get(product)?.price?.price.amount === "1.50");
  await price(product, shop, "1.20");
  const { totals } = await until(store, "the new price and totals", ({ prices, totals: sums }) => {
    return prices.get(product)?.price?.price.amount === "1.20" && sums?.estimated?.amount === "2.40";
  });
  assert.equal(totals?.currency, "EUR");
});

test("who has the list open is told to everyone who has", { skip: SKIP }, async (context) => {
  const { list } = await givenShop();
  const [ana, ben] = [givenClient(context).client, givenClient(context).client];
  const anas = new ListStore(ana, list);
  ana.connect();
  const sessions = ({ presence }: ListSnapshot) => presence?.present.reduce((sum, person) => sum + person.sessions, 0) ?? 0;
  await until(anas, "one session", (snapshot) => sessions(snapshot) === 1);
  const bens = new ListStore(ben, list);
  ben.connect();
  await Promise.all([anas, bens].map((store) => until(store, "two sessions", (snapshot) => sessions(snapshot) === 2)));
  bens.close();
  await until(anas, "one session again", (snapshot) => sessions(snapshot) === 1);
});
