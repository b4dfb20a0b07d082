import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, verdictOf } from "../src/live/index.js";
import { seeded } from "./support/random.js";

test("each wait is a random part of a width that doubles up to the cap", () => {
  const widest = new Backoff({ baseMs: 100, capMs: 1_000, random: () => 0.999_999 });
  const waits = Array.from({ length: 6 }, () => Math.round(widest.next()));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
  const shortest = new Backoff({ baseMs: 100, random: () => 0 });
  assert.deepEqual([shortest.next(), shortest.next()], [0, 0]);
});

test("no wait leaves its width, for any number of attempts", () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 30_000, random: seeded(7) });
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const waitMs = backoff.next();
    assert.ok(waitMs >= 0 && waitMs < Math.min(30_000, 500 * 2 ** attempt), `attempt ${attempt} waits ${waitMs}`);
  }
});

test("only a connection that held long enough makes the next wait a first one", () => {
  const backoff = new Backoff({ baseMs: 100, stableMs: 1_000, random: () => 0.5 });
  backoff.next();
  backoff.held(999);
  assert.equal(backoff.next(), 100);
  backoff.held(1_000);
  assert.equal(backoff.next(), 50);
});

test("the codes of docs/live.md that say come back are followed, the others are not", () => {
  const comeBack = [1000, 1001, 1006, 1011, 1012, 3001, 3002, 3003, 3008, 3009, 3013, 3014, 3015, 3500, 3999];
  const stayAway = [1002, 1003, 1007, 1009, 4001, 4002, 4004, 4010, 4011, 4999];
  for (const code of comeBack) assert.equal(verdictOf(code).comeBack, true, `${code}`);
  for (const code of stayAway) assert.equal(verdictOf(code).comeBack, false, `${code}`);
});

test("an announced end counts more than a lost close frame", () => {
  assert.deepEqual(verdictOf(1006, { code: 4004 }), { code: 4004, name: "token_expired", comeBack: false });
  const goingAway = verdictOf(1006, { code: 3001, come_back_within_ms: 700 });
  assert.deepEqual(goingAway, { code: 3001, name: "going_away", comeBack: true, comeBackWithinMs: 700 });
  assert.equal(verdictOf(3001).comeBackWithinMs, 5_000);
});
