import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "./support/clock.js";
import { givenClient, givenOpenClient, noting } from "./support/given.js";
import type { FakeSocket } from "./support/socket.js";

const event = (position: string, previous: string | null, topic = "list:a") => ({
  type: "event",
  topic,
  position,
  previous,
  event: { type: `e${position}` },
});
const missed = (position: string, previous: string | null) => ({ position, previous, event: { type: `e${position}` } });
const snapshot = (position: string, topic = "list:a") => ({ topic, recovered: false, position, snapshot: { at: position } });
const recovered = (position: string, events: object[] = [], topic = "list:a") => ({ topic, recovered: true, position, events });

async function answer(socket: FakeSocket, ...topics: object[]): Promise<void> {
  await settle();
  socket.answers("subscribe", { type: "subscribed", more: false, topics });
}

test("topics wanted in one turn are asked for in one request, with their options", async () => {
  const { client, network } = await givenOpenClient();
  client.follow("list:a", {}, { maxRate: 2 });
  client.follow("deals:billa", {}, { filter: { min_saving_percent: 20, honest: true } });
  await settle();
  assert.deepEqual(network.socket.sent, [
    {
      id: 1,
      op: "subscribe",
      epoch: "e1",
      topics: [
        { topic: "list:a", max_rate: 2 },
        { topic: "deals:billa", filter: { min_saving_percent: 20, honest: true } },
      ],
    },
  ]);
});

test("a topic starts with its snapshot and goes on with each event once", async () => {
  const { client, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  await answer(network.socket, { ...snapshot("40"), states: { totals: 1 }, events: [missed("41", "40")] });
  for (const push of [event("41", "40"), event("43", "41"), event("43", "41"), event("40", null)]) network.socket.says(push);
  network.socket.says({ type: "state", topic: "list:a", key: "totals", position: "43", value: 2 });
  const expected = ['start 40 {"at":"40"} {"totals":1}', "event 41 e41", "event 43 e43", "state 43 totals 2"];
  assert.deepEqual(heard, expected);
  assert.equal(network.socket.count("subscribe"), 1);
});

test("after a lost session a topic continues behind its position", async () => {
  const { client, clock, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  await answer(network.socket, snapshot("40"));
  network.socket.says(event("42", "40"));
  network.socket.closes(1006);
  await clock.advance(250);
  network.socket.hello();
  await settle();
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:a", since: "42" }]);
  await answer(network.socket, { ...recovered("47", [missed("42", "40"), missed("45", "42"), missed("47", "45")]), states: { totals: 3 } });
  assert.deepEqual(heard.slice(2), ['resumed 47 {"totals":3}', "event 45 e45", "event 47 e47"]);
});

test("positions of another epoch are not sent, and its snapshot replaces everything", async () => {
  const { client, clock, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  await answer(network.socket, snapshot("40"));
  network.socket.closes(3500);
  await clock.advance(250);
  network.socket.hello({ epoch: "e2" });
  await settle();
  const { epoch, topics } = network.socket.last("subscribe");
  assert.deepEqual([epoch, topics], ["e2", [{ topic: "list:a" }]]);
  await answer(network.socket, snapshot("7"));
  network.socket.says(event("8", "7"));
  assert.deepEqual(heard.slice(1), ['start 7 {"at":"7"} {}', "event 8 e8"]);
});

test("an event whose previous one is unknown makes the client ask again, once", async () => {
  const { client, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  await answer(network.socket, snapshot("40"));
  network.socket.says(event("45", "43"));
  network.socket.says(event("46", "45"));
  await settle();
  assert.equal(network.socket.count("subscribe"), 2);
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:a", since: "40" }]);
  await answer(network.socket, recovered("46", [missed("43", "40"), missed("45", "43"), missed("46", "45")]));
  assert.deepEqual(heard.slice(2), ["event 43 e43", "event 45 e45", "event 46 e46"]);
});

test("a topic without an event between two positions has no gap there", async () => {
  const { client, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  // The first answer's position may be after the topic's last event.
  await answer(network.socket, snapshot("40"));
  network.socket.says(event("50", "12"));
  network.socket.says(event("9007199254740993", "50"));
  network.socket.says(event("9007199254740992", "50"));
  await settle();
  assert.deepEqual([network.socket.count("subscribe"), heard.slice(1)], [1, ["event 50 e50", "event 9007199254740993 e9007199254740993"]]);
});

test("an answer in parts serves each topic as its part comes", async () => {
  const { client, network } = await givenOpenClient();
  const [a, b] = [noting(), noting()];
  client.follow("list:a", a.listener);
  client.follow("list:b", b.listener);
  await settle();
  network.socket.answers("subscribe", { type: "subscribed", more: true, topics: [snapshot("40")] });
  network.socket.says(event("41", "40"));
  assert.deepEqual([a.heard.length, b.heard.length], [2, 0]);
  network.socket.answers("subscribe", { type: "subscribed", more: false, topics: [snapshot("41", "list:b")] });
  assert.equal(b.heard.length, 1);
});

test("another listener, or other options, start the topic anew for everyone", async () => {
  const { client, network } = await givenOpenClient();
  const [first, second] = [noting(), noting()];
  client.follow("list:a", first.listener);
  await settle();
  client.follow("list:a", second.listener, { maxRate: 1 });
  // The answer to the first asking is overtaken: it was of other options.
  const early = network.socket.last("subscribe")["id"];
  network.socket.says({ type: "subscribed", id: early, more: false, topics: [snapshot("39")] });
  await answer(network.socket, snapshot("40"));
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:a", max_rate: 1 }]);
  assert.deepEqual([first.heard, second.heard], [['start 40 {"at":"40"} {}'], ['start 40 {"at":"40"} {}']]);
});

test("the last listener to go unsubscribes, and nothing is told after that", async () => {
  const { client, network } = await givenOpenClient();
  const { listener, heard } = noting();
  const [leave, leaveToo] = [client.follow("list:a", listener), client.follow("list:a", listener)];
  await answer(network.socket, snapshot("40"));
  leave();
  leave();
  assert.equal(network.socket.count("unsubscribe"), 0);
  leaveToo();
  network.socket.says(event("41", "40"));
  assert.deepEqual([network.socket.last("unsubscribe")["topics"], heard.length], [["list:a"], 2]);
});

test("a revoked topic tells nothing more and is not asked for again by itself", async () => {
  const { client, clock, network } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", listener);
  await answer(network.socket, snapshot("40"));
  network.socket.says({ type: "revoked", topics: ["list:a", "list:other"], code: "forbidden" });
  network.socket.says(event("41", "40"));
  network.socket.says({ type: "state", topic: "list:a", key: "totals", position: "41", value: 2 });
  assert.deepEqual(heard.slice(1), ["revoked forbidden"]);
  network.socket.closes(1006);
  await clock.advance(250);
  network.socket.hello();
  await settle();
  assert.equal(network.socket.count("subscribe"), 0);
  client.follow("list:a", listener);
  await settle();
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:a" }], "from the start: what was known is void");
});

test("one refused topic leaves the others alone; a temporary refusal is tried again, a lasting one is not", async () => {
  const { client, clock, network } = await givenOpenClient();
  const [a, b, c] = [noting(), noting(), noting()];
  client.follow("list:a", a.listener);
  client.follow("list:b", b.listener);
  client.follow("list:c", c.listener);
  await answer(
    network.socket,
    snapshot("40"),
    { topic: "list:b", error: { code: "not_found", detail: "?", temporary: false } },
    { topic: "list:c", error: { code: "busy", detail: "?", temporary: true, retry_after_ms: 300 } },
  );
  assert.deepEqual([a.heard.length, b.heard, c.heard], [1, ["refused not_found"], ["refused busy"]]);
  await clock.advance(299);
  assert.equal(network.socket.count("subscribe"), 1);
  await clock.advance(1);
  assert.deepEqual(network.socket.last("subscribe")["topics"], [{ topic: "list:c" }]);
});

test("a topic refused because its list did not exist is followed once a command has made it", async () => {
  const { client, network } = await givenOpenClient();
  client.follow("list:a", {});
  await answer(network.socket, { topic: "list:a", error: { code: "not_found", detail: "?", temporary: false } });
  client.command("list", "a", { op: "create", name: "A" });
  network.socket.answers("command", { type: "done", entity_id: "a", outcome: "applied", version: 1, position: "41" });
  await settle();
  assert.equal(network.socket.count("subscribe"), 2);
});

test("waits grow with every failure and are short again after a session that held", async () => {
  const { client, clock, network } = givenClient({ backoff: { baseMs: 1_000, stableMs: 10_000 } });
  const waits: number[] = [];
  client.onStatus((status) => void (status.state === "waiting" && waits.push(status.untilMs - clock.now())));
  client.connect();
  for (let failure = 0; failure < 3; failure += 1) {
    network.socket.closes(1006);
    await clock.advance(waits.at(-1) ?? 0);
  }
  network.socket.hello();
  await clock.advance(10_000);
  network.socket.closes(3002);
  assert.deepEqual(waits, [500, 1_000, 2_000, 500]);
});

test("a server that goes away is given the time it asked for", async () => {
  const { client, clock, network } = await givenOpenClient();
  network.socket.says({ type: "closing", code: 3001, reason: "going_away", within_ms: 1_500, come_back_within_ms: 8_000 });
  client.command("list", "a", { op: "archive" });
  assert.equal(network.socket.count("command"), 0, "nothing new is started");
  network.socket.closes(1006);
  await clock.advance(3_999);
  assert.equal(network.sockets.length, 1);
  await clock.advance(1);
  assert.equal(network.sockets.length, 2);
});

test("a client told not to come back stays away until it is told to connect", async () => {
  const { client, clock, network } = await givenOpenClient();
  network.socket.closes(4004);
  await clock.advance(3_600_000);
  assert.deepEqual([client.status.state, network.sockets.length], ["closed", 1]);
  client.connect();
  assert.deepEqual([client.status.state, network.sockets.length], ["connecting", 2]);
});

test("a wait can be cut short, and is not followed by another socket", async () => {
  const { client, clock, network } = await givenOpenClient();
  network.socket.closes(1006);
  client.wake();
  network.socket.hello();
  await clock.advance(1_000);
  assert.deepEqual([client.status.state, network.sockets.length], ["open", 2]);
  network.socket.closes(4001);
  client.wake();
  assert.deepEqual([client.status.state, network.sockets.length], ["closed", 2], "who was told to stay away is not woken");
});

test("a client that is closed while it waits to try again leaves no timer behind", async () => {
  const { client, clock, network } = await givenOpenClient();
  client.follow("list:a", {});
  client.command("list", "a", { op: "archive" });
  network.socket.answers("command", { type: "error", code: "overloaded", detail: "?", temporary: true, retry_after_ms: 5_000 });
  await answer(network.socket, { topic: "list:a", error: { code: "busy", detail: "?", temporary: true, retry_after_ms: 5_000 } });
  await settle();
  client.close();
  await settle();
  assert.equal(clock.pending, 0);
});

test("close ends the session and every timer", async () => {
  const { client, clock, network } = await givenOpenClient();
  client.close();
  assert.deepEqual([network.socket.closedWith, client.status.state, clock.pending], [1000, "closed", 0]);
  client.connect();
  network.socket.closes(1006);
  client.close();
  assert.deepEqual([client.status.state, clock.pending], ["closed", 0]);
});

test("a thousand topics are asked for in messages the server takes", async () => {
  const { client, network } = givenClient();
  const name = (index: number) => `list:${"x".repeat(60)}${index}`;
  for (let index = 0; index < 1_000; index += 1) client.follow(name(index), {}, { maxRate: 0.5 });
  client.connect();
  network.socket.hello();
  await settle();
  const sizes = network.socket.sent.map((message) => JSON.stringify(message).length);
  assert.ok(sizes.every((size) => size <= 32_768), `${sizes}`);
  const topics = network.socket.sent.flatMap((message) => (message["topics"] as { topic: string }[]).map(({ topic }) => topic));
  assert.deepEqual(topics, Array.from({ length: 1_000 }, (_, index) => name(index)));
});

test("what a listener throws is reported and stops nothing", async () => {
  const { client, network, errors } = await givenOpenClient();
  const { listener, heard } = noting();
  client.follow("list:a", { event: () => assert.fail("a broken listener") });
  client.follow("list:a", listener);
  await answer(network.socket, snapshot("40"));
  network.socket.says(event("41", "40"));
  assert.deepEqual([errors.length, heard.length], [1, 2]);
});
