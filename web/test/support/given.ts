// What tests begin with.
import { LiveClient, type ClientOptions, type ListView, type TopicListener } from "../../src/live/index.js";
import { FakeClock, settle } from "./clock.js";
import { FakeNetwork } from "./socket.js";

/** A client of a fake network whose random numbers are all one half. Errors nobody expects fail the test. */
export function givenClient(options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const errors: unknown[] = [];
  let ids = 0;
  const client = new LiveClient({
    url: "ws://test/api/v1/live",
    openSocket: network.open,
    clock,
    random: () => 0.5,
    newId: () => `c${(ids += 1)}`,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { client, clock, network, errors };
}

/** A client with an open session. */
export async function givenOpenClient(options: Partial<ClientOptions> = {}) {
  const given = givenClient(options);
  given.client.connect();
  given.network.socket.hello();
  await settle();
  return given;
}

/** Notes everything it hears as a line. */
export function noting(): { listener: TopicListener; heard: string[] } {
  const heard: string[] = [];
  const listener: TopicListener = {
    start: ({ position, snapshot, states }) => heard.push(`start ${position} ${JSON.stringify(snapshot)} ${JSON.stringify(states)}`),
    resumed: (position, states) => heard.push(`resumed ${position} ${JSON.stringify(states)}`),
    event: (event, position) => heard.push(`event ${position} ${event.type}`),
    state: (key, value, position) => heard.push(`state ${position} ${key} ${JSON.stringify(value)}`),
    refused: ({ code }) => heard.push(`refused ${code}`),
    revoked: (code) => heard.push(`revoked ${code}`),
  };
  return { listener, heard };
}

/** An empty list as the server shows it. */
export function listView(more: Partial<ListView> = {}): ListView {
  const unpriced = { no_product: 0, no_price: 0, unit_mismatch: 0 };
  const sums = { store: null, store_chosen: false, currency: null, estimated: null, in_cart: null, to_get: null, savings: null };
  return {
    id: "weekly",
    version: 1,
    position: "1",
    name: "Weekly",
    archived: false,
    household: null,
    store: null,
    budget: null,
    members: [{ member: "ana", role: "owner" }],
    items: [],
    last_order: null,
    created_at: "2026-01-01T00:00:00Z",
    totals: { ...sums, items: 0, checked_items: 0, unpriced_items: 0, unpriced, oldest_price_at: null },
    ...more,
  };
}
