import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CommandQueue,
  ConnectionLost,
  LocalStorage,
  MemoryStorage,
  newCommandId,
  RequestRefused,
  RequestTimedOut,
  type CommandEntry,
  type QueuedCommand,
  type QueueOptions,
} from "../src/live/index.js";
import type { Done } from "../src/live/index.js";
import { FakeClock, settle } from "./support/clock.js";
import { FakeWebStorage } from "./support/web-storage.js";

const done = (more: Partial<Done> = {}): Done => ({ type: "done", id: 1, entity_id: "a", outcome: "applied", version: 2, position: "9", ...more });
const rename = (name: string) => ({ entity: "list", entityId: "a", command: { op: "rename", name } }) as const;

function given(options: Partial<QueueOptions> = {}) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const queue = new CommandQueue({ clock, backoff: { random: () => 0.5 }, onError: (error) => errors.push(error), ...options });
  const sent: { command: QueuedCommand; resolve: (done: Done) => void; reject: (error: Error) => void }[] = [];
  const send = (command: QueuedCommand) => new Promise<Done>((resolve, reject) => void sent.push({ command, resolve, reject }));
  const names = () => sent.map(({ command }) => (command.command as { name?: string }).name);
  const answer = async (how: Done | Error): Promise<void> => {
    const last = sent.at(-1);
    assert.ok(last);
    if (how instanceof Error) last.reject(how);
    else last.resolve(how);
    await settle();
  };
  return { clock, errors, queue, sent, send, names, answer };
}

const refusal = (temporary: boolean, retry_after_ms?: number) =>
  new RequestRefused({ code: "too_bad", detail: "no", temporary, ...(retry_after_ms === undefined ? {} : { retry_after_ms }) });

test("commands given while offline are sent in order, one at a time, once there is a session", async () => {
  const { queue, send, names, answer } = given();
  const tickets = ["one", "two", "three"].map((name) => queue.add(rename(name)));
  queue.online(send);
  assert.deepEqual(names(), ["one"]);
  await answer(done());
  await answer(done({ outcome: "merged", item: "i1", repeated: true }));
  await answer(done({ outcome: "unchanged" }));
  assert.deepEqual(names(), ["one", "two", "three"]);
  assert.deepEqual(await Promise.all(tickets.map(({ outcome }) => outcome)), [
    { state: "applied", version: 2, position: "9", repeated: false },
    { state: "merged", version: 2, position: "9", repeated: true, item: "i1" },
    { state: "unchanged", version: 2, position: "9", repeated: false },
  ]);
});

test("a command whose answer was lost is sent again under the same id", async () => {
  const { queue, send, sent, answer } = given();
  const ticket = queue.add(rename("one"));
  queue.online(send);
  queue.offline();
  await answer(new ConnectionLost("gone"));
  assert.equal(sent.length, 1, "nothing is sent without a session");
  queue.online(send);
  await answer(done({ repeated: true }));
  assert.deepEqual(sent.map(({ command }) => command.commandId), [ticket.commandId, ticket.commandId]);
  assert.equal((await ticket.outcome).state, "applied");
});

test("a session that is found lost only by sending is not tried again and again", async () => {
  const { queue, send, sent, answer } = given();
  queue.add(rename("one"));
  queue.online(send);
  await answer(new ConnectionLost("gone"));
  assert.equal(sent.length, 1);
});

test("a temporary refusal is tried again when the server says, and what follows waits for it", async () => {
  const { clock, queue, send, names, answer } = given();
  queue.add(rename("one"));
  queue.add(rename("two"));
  queue.online(send);
  await answer(refusal(true, 400));
  await clock.advance(399);
  assert.deepEqual(names(), ["one"]);
  await clock.advance(1);
  await answer(done());
  assert.deepEqual(names(), ["one", "one", "two"]);
});

test("a temporary refusal without a time, or no answer at all, is tried again with growing waits", async () => {
  const { clock, queue, send, sent, answer } = given({ backoff: { baseMs: 1_000, random: () => 0.5 } });
  queue.add(rename("one"));
  queue.online(send);
  await answer(refusal(true));
  await clock.advance(500);
  await answer(new RequestTimedOut("late"));
  await clock.advance(999);
  assert.equal(sent.length, 2);
  await clock.advance(1);
  assert.equal(sent.length, 3);
});

test("a lasting refusal is the outcome, and the next command follows", async () => {
  const { queue, send, names, answer } = given();
  const ticket = queue.add(rename("one"));
  queue.add(rename("two"));
  queue.online(send);
  await answer(refusal(false));
  assert.deepEqual(await ticket.outcome, { state: "refused", code: "too_bad", detail: "no" });
  assert.deepEqual(names(), ["one", "two"]);
});

test("a full queue refuses the new command and keeps the old ones", async () => {
  const { queue } = given({ commandsMax: 2 });
  const tickets = ["one", "two", "three"].map((name) => queue.add(rename(name)));
  const outcome = await tickets[2]?.outcome;
  assert.ok(outcome?.state === "refused" && outcome.code === "queue_full");
  assert.deepEqual(queue.waiting.map(({ command }) => (command.command as { name?: string }).name), ["one", "two"]);
  assert.equal(queue.entry(tickets[2]?.commandId ?? "")?.outcome.state, "refused");
});

test("every step of a command is told, and its outcome exactly once", async () => {
  const { queue, send, answer } = given();
  const told: string[] = [];
  const line = ({ outcome }: CommandEntry) => (outcome.state === "waiting" ? `waiting ${outcome.attempts}` : outcome.state);
  queue.onChange((entry) => told.push(line(entry)));
  const { commandId } = queue.add(rename("one"));
  queue.online(send);
  await answer(done());
  assert.deepEqual(told, ["waiting 0", "waiting 1", "applied"]);
  assert.equal(queue.entry(commandId)?.outcome.state, "applied");
  assert.deepEqual(queue.waiting, []);
});

test("commands survive a restart in their order and under their ids, and leave the storage with their outcome", async () => {
  const storage = new MemoryStorage();
  const before = given({ storage });
  const ids = ["one", "two", "three"].map((name) => before.queue.add(rename(name)).commandId);
  const after = given({ storage });
  const added = after.queue.add(rename("four"));
  after.queue.online(after.send);
  for (let answered = 0; answered < 4; answered += 1) await after.answer(done());
  assert.deepEqual(after.names(), ["one", "two", "three", "four"]);
  assert.deepEqual(after.sent.map(({ command }) => command.commandId), [...ids, added.commandId]);
  assert.deepEqual(storage.load(), []);
});

test("a storage that fails is reported and the queue goes on in memory", async () => {
  const broken = () => {
    throw new Error("quota");
  };
  const { queue, send, errors, answer } = given({ storage: { load: broken, put: broken, remove: broken } });
  const ticket = queue.add(rename("one"));
  const outcome = queue.entry(ticket.commandId)?.outcome;
  assert.ok(outcome?.state === "waiting" && !outcome.saved);
  queue.online(send);
  await answer(done());
  assert.equal((await ticket.outcome).state, "applied");
  assert.equal(errors.length, 3);
});

test("commands in local storage have an entry each, and what is no command is passed over", () => {
  const web = new FakeWebStorage();
  for (const [key, text] of [["other", "x"], ["aisled.command.broken", "{"], ["aisled.command.half", '{"commandId":"half"}']] as const) web.setItem(key, text);
  const storage = new LocalStorage(web);
  const command: QueuedCommand = { ...rename("one"), commandId: "c1", order: 1, queuedAtMs: 1 };
  storage.put(command);
  assert.deepEqual(storage.load(), [command]);
  storage.remove("c1");
  assert.deepEqual([...web.entries.keys()], ["other", "aisled.command.broken", "aisled.command.half"]);
});

test("new command ids are canonical UUIDs of version 4 and differ", () => {
  const ids = Array.from({ length: 100 }, newCommandId);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(ids).size, 100);
});
