// A session of the Node client `ws`, run by tests/interop.rs with the server's address. Any failure is its exit code.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The client is installed where this is run, not beside this file.
const WebSocket = createRequire(`${process.cwd()}/`)("ws");

// Over 1 KiB in UTF-8, so that both sides compress it.
const NOTE = "Grüße – ".repeat(110);

setTimeout(() => assert.fail("nothing happened for a minute"), 60_000).unref();
const socket = new WebSocket(process.argv[2], "aisled.v1+json");
const [messages, waiting] = [[], []];
socket.on("message", (data, isBinary) => {
  assert.equal(isBinary, false);
  messages.push(JSON.parse(data.toString()));
  waiting.shift()?.();
});
socket.on("error", (error) => {
  throw error;
});
let done = false;
socket.on("close", (code, reason) => assert.ok(done, `closed with ${code} ${reason}`));

async function receive(fits) {
  for (;;) {
    while (messages.length === 0) await new Promise((resolve) => waiting.push(resolve));
    const message = messages.shift();
    if (fits(message)) return message;
  }
}

function ask(request) {
  socket.send(JSON.stringify(request));
  return receive((message) => message.id === request.id);
}

await new Promise((resolve) => socket.once("open", resolve));
assert.equal(socket.extensions, "permessage-deflate");
assert.equal(socket.protocol, "aisled.v1+json");
assert.equal((await receive(() => true)).type, "hello");

const [start] = (await ask({ id: 1, op: "subscribe", topics: [{ topic: "list:weekly" }] })).topics;
assert.equal(start.snapshot.name, "Weekly");

for (let number = 0; number < 3; number += 1) {
  const item = `node-${number}`;
  const command = { op: "add_item", item, name: item, quantity: { amount: "1", unit: "each" }, note: NOTE };
  socket.send(JSON.stringify({ id: item, op: "command", entity: "list", entity_id: "weekly", command }));
  // The answer and the push may come in either order.
  const seen = {};
  while (!seen.done || !seen.event) {
    const message = await receive(({ type }) => ["done", "event", "error"].includes(type));
    assert.notEqual(message.type, "error", JSON.stringify(message));
    seen[message.type] = message;
  }
  assert.equal(seen.done.id, item);
  assert.equal(seen.event.event.data.note, NOTE.trim());
  assert.equal(seen.event.position, seen.done.position);
}

const [again] = (await ask({ id: 2, op: "subscribe", topics: [{ topic: "list:weekly" }] })).topics;
const notes = again.snapshot.items.filter(({ id }) => id.startsWith("node-")).map(({ note }) => note);
assert.deepEqual(notes, Array(3).fill(NOTE.trim()));
done = true;
socket.close();
