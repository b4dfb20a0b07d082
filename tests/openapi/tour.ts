// The first five minutes of the README with a generated client: it must compile in strict mode, and run.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./schema.js";

const baseUrl = process.env["AISLED_URL"];
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${process.env["AISLED_TOKEN"]}` } });
const tonight = { params: { path: { id: "tonight" } } };

/** What was answered, or the problem. */
function ok<T>(answer: { data?: T; error?: unknown }): T {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  assert.notEqual(answer.data, undefined);
  return answer.data as T;
}

// A list for a store, and two things on it.
ok(await api.POST("/api/v1/lists", { body: { id: "tonight", name: "Tonight", store: "demo:markt-nord" } }));
const milk = { id: "milk", name: "Milk", product: "demo:milk-1l", quantity: { amount: "2", unit: "each" } } as const;
ok(await api.POST("/api/v1/lists/{id}/items", { ...tonight, body: milk }));
const added = ok(await api.POST("/api/v1/lists/{id}/items", { ...tonight, body: { name: "Spaghetti", product: "demo:spaghetti-500g" } }));
assert.equal(added.outcome, "applied");

// A price, a tick, and the totals.
const price: components["schemas"]["Money"] = { amount: "0.99", currency: "EUR" };
const product = { params: { path: { id: "demo:milk-1l" } } };
ok(await api.POST("/api/v1/products/{id}/prices", { ...product, body: { store: "demo:markt-nord", price } }));
const tick = await api.PATCH("/api/v1/lists/{id}/items/{item}", { params: { path: { id: "tonight", item: "milk" } }, body: { checked: true } });
assert.equal(ok(tick).totals?.in_cart?.amount, "1.98");

// Why, where and since when.
const totals = ok(await api.GET("/api/v1/lists/{id}/totals", { params: { ...tonight.params, query: { store: "demo:markt-nord" } } }));
assert.equal(totals.lines.length, 2);
assert.ok(ok(await api.GET("/api/v1/products/{id}/best", product)).stores.length > 1);
const prices = ok(await api.GET("/api/v1/products/{id}/prices", product));
assert.ok("entries" in prices && prices.entries.length > 1);
assert.ok(ok(await api.GET("/api/v1/deals", { params: { query: { store: "demo:markt-nord" } } })).deals.length > 0);
const events = ok(await api.GET("/api/v1/lists/{id}/events", { ...tonight, parseAs: "text" }));
const lines = String(events).trim().split("\n").map((line) => JSON.parse(line) as components["schemas"]["RecordedEvent"]);
assert.equal(lines[0]?.type, "list.created");

// The same key again is the same command, and a refusal is a problem with its code.
const keyed = { params: { ...tonight.params, header: { "Idempotency-Key": "phone-1-42" } }, body: { name: "Bread" } };
ok(await api.POST("/api/v1/lists/{id}/items", keyed));
assert.equal(ok(await api.POST("/api/v1/lists/{id}/items", keyed)).repeated, true);
const command: components["schemas"]["ListCommand"] = { op: "check", item: "no-such-item" };
const refused = await api.POST("/api/v1/lists/{id}/commands", { ...tonight, body: command });
const problem: components["schemas"]["Problem"] | undefined = refused.error;
assert.equal(problem?.code, "item_not_found");

// Every operation has a type of its own.
type Named = operations["getList"]["responses"][200]["content"]["application/json"];
const list: Named = ok(await api.GET("/api/v1/lists/{id}", tonight));
assert.equal(list.items.length, 3);
console.log("the tour is done");
