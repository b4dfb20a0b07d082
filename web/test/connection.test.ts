import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, ConnectionLost, RequestRefused, RequestTimedOut, type ConnectionOptions, type Verdict } from "../src/live/index.js";
import { FakeClock, settle } from "./support/clock.js";
import { FakeNetwork } from "./support/socket.js";

function given(options: Partial<ConnectionOptions> = {}) {
  const clock = new FakeClock();
  const network = new FakeNetwork();
  const heard: string[] = [];
  const ends: Verdict[] = [];
  const handlers = {
    hello: () => heard.push("hello"),
    push: (push: { type: string }) => heard.push(push.type),
    closing: () => heard.push("closing"),
    problem: (error: { code: string }) => heard.push(`problem ${error.code}`),
    ended: (verdict: Verdict) => ends.push(verdict),
  };
  const connection = new Connection({ url: "ws://test", openSocket: network.open, clock, handlers, ...options });
  return { clock, connection, heard, ends, socket: network.socket };
}

test("each answer finds its own request, in whatever order they come", async () => {
  const { connection, socket } = given();
  socket.hello();
  const [first, second] = [connection.request<"ping">({ op: "ping" }), connection.request<"ping">({ op: "ping" })];
  socket.says({ type: "pong", id: 2, position: "9" });
  socket.says({ type: "pong", id: 1, position: "8" });
  assert.deepEqual([(await first).position, (await second).position], ["8", "9"]);
});

test("an error answer rejects with its code, pointer and time to try again", async () => {
  const { connection, socket } = given();
  socket.hello();
  const asked = connection.request<"ping">({ op: "ping" });
  socket.says({ type: "error", id: 1, code: "too_many_commands", detail: "slow down", temporary: true, pointer: "/op", retry_after_ms: 40 });
  const error = await asked.catch((caught: unknown) => caught);
  assert.ok(error instanceof RequestRefused);
  const { code, temporary, retryAfterMs, pointer, message } = error;
  assert.deepEqual([code, temporary, retryAfterMs, pointer, message], ["too_many_commands", true, 40, "/op", "slow down"]);
});

test("an answer in parts gives every part and resolves with the last", async () => {
  const { clock, connection, socket } = given({ patience: { requestMs: 1_000 } });
  socket.hello();
  const parts: number[] = [];
  const asked = connection.request<"subscribe">({ op: "subscribe", topics: [] }, (part) => parts.push(part.topics.length));
  const topic = { topic: "system", recovered: false, position: "1", snapshot: {} };
  socket.says({ type: "subscribed", id: 1, more: true, topics: [topic] });
  // Every part restarts the timeout.
  await clock.advance(900);
  socket.says({ type: "subscribed", id: 1, more: true, topics: [topic, topic] });
  await clock.advance(900);
  socket.says({ type: "subscribed", id: 1, more: false, topics: [] });
  assert.equal((await asked).more, false);
  assert.deepEqual(parts, [1, 2, 0]);
});

test("a request nobody answers times out, and an answer that comes too late harms nothing", async () => {
  const { clock, connection, socket, heard, ends } = given({ patience: { requestMs: 1_000, pongMs: 500 } });
  socket.hello();
  const asked = connection.request<"unsubscribe">({ op: "unsubscribe", topics: ["system"] }).catch((error: unknown) => error);
  await clock.advance(1_000);
  assert.ok((await asked) instanceof RequestTimedOut);
  socket.says({ type: "unsubscribed", id: 1, topics: [] });
  socket.answers("ping", { type: "pong", position: "1" });
  await clock.advance(500);
  assert.deepEqual([heard, ends], [["hello"], []]);
});

test("a session that ends rejects everything that waits, once, and says why", async () => {
  const { connection, socket, ends } = given();
  socket.hello();
  const asked = connection.request<"ping">({ op: "ping" }).catch((error: unknown) => error);
  socket.closes(3008);
  assert.ok((await asked) instanceof ConnectionLost);
  socket.closes(1006);
  connection.close();
  assert.deepEqual(ends, [{ code: 3008, name: "too_slow", comeBack: true }]);
  await assert.rejects(connection.request<"ping">({ op: "ping" }), ConnectionLost);
});

test("silence longer than the ping interval is answered with a ping, and silence after that is a lost session", async () => {
  const { clock, socket, ends } = given({ patience: { pongMs: 10_000 } });
  socket.hello();
  await clock.advance(24_000);
  assert.equal(socket.count("ping"), 0);
  socket.says({ type: "state", topic: "system", key: "x", position: "1", value: 1 });
  await clock.advance(24_000);
  assert.equal(socket.count("ping"), 0, "something was heard in between");
  await clock.advance(1_000);
  assert.equal(socket.count("ping"), 1);
  socket.answers("ping", { type: "pong", position: "1" });
  await clock.advance(25_000);
  assert.equal(socket.count("ping"), 2);
  await clock.advance(10_000);
  assert.deepEqual(ends.map(({ code }) => code), [1006]);
});

test("a server that never says hello is given up", async () => {
  const { clock, ends, socket } = given({ patience: { connectMs: 5_000 } });
  await clock.advance(5_000);
  assert.deepEqual([ends.map(({ comeBack }) => comeBack), socket.closedWith], [[true], 1000]);
});

test("a message the server would close the session for is not sent", async () => {
  const { connection, socket } = given();
  socket.hello({ limits: { message_bytes_max: 200, topics_max: 1 } });
  const topics = ["ä".repeat(90)];
  const error = await connection.request<"unsubscribe">({ op: "unsubscribe", topics }).catch((caught: unknown) => caught);
  assert.ok(error instanceof RequestRefused && error.code === "message_too_large" && !error.temporary);
  assert.equal(socket.sent.length, 0);
});

test("a session that asks for a token gets it, and a new one a minute before it expires", async () => {
  let tokens = 0;
  const { clock, socket, heard } = given({ token: () => `t${(tokens += 1)}` });
  socket.says({ type: "authenticate", within_seconds: 10 });
  await settle();
  assert.equal(socket.last("refresh")["token"], "t1");
  const inTenMinutes = new Date(clock.now() + 600_000).toISOString();
  socket.answers("refresh", { type: "refreshed", who: "ana", expires_at: inTenMinutes });
  socket.hello();
  assert.deepEqual(heard, ["hello"]);
  const answerPings = socket.onSend;
  socket.onSend = (message) => (message["op"] === "ping" ? socket.says({ type: "pong", id: message["id"], position: "1" }) : answerPings(message));
  await clock.advance(539_999);
  assert.equal(socket.count("refresh"), 1);
  await clock.advance(1);
  assert.equal(socket.last("refresh")["token"], "t2");
});

test("without a token, or with one that is refused, the session ends for good", async () => {
  const without = given();
  without.socket.says({ type: "authenticate", within_seconds: 10 });
  await settle();
  assert.deepEqual(without.ends.map(({ name }) => name), ["not_authenticated"]);
  const wrong = given({ token: async () => "wrong" });
  wrong.socket.says({ type: "authenticate", within_seconds: 10 });
  await settle();
  wrong.socket.answers("refresh", { type: "error", code: "not_authenticated", detail: "wrong", temporary: false });
  await settle();
  assert.deepEqual(wrong.ends.map(({ comeBack }) => comeBack), [false]);
});

test("a token that cannot be fetched just now is no reason to stay away", async () => {
  const { socket, ends } = given({ token: () => Promise.reject(new Error("offline")) });
  socket.says({ type: "authenticate", within_seconds: 10 });
  await settle();
  assert.deepEqual(ends.map(({ comeBack }) => comeBack), [true]);
});

test("what is no JSON is reported, what is of an unknown type is left alone", () => {
  const { socket, heard } = given();
  socket.onmessage?.({ data: "{" });
  socket.says({ type: "weather", sunny: true });
  socket.says({ type: "error", id: null, code: "malformed_message", detail: "?", temporary: false });
  assert.deepEqual(heard, ["problem malformed_message", "problem malformed_message"]);
});

test("an ended session leaves no timer behind", async () => {
  const { clock, connection, socket } = given();
  socket.hello();
  void connection.request<"ping">({ op: "ping" }).catch(() => undefined);
  connection.close();
  await settle();
  assert.deepEqual([clock.pending, socket.closedWith], [0, 1000]);
});
