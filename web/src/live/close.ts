// What a closed session means: the one table of close codes, as in docs/live.md.

/** Why a session ended, and whether to come back by itself. */
export interface Verdict {
  code: number;
  /** A stable name, such as `too_slow`; `closed_<code>` for unknown codes. */
  name: string;
  comeBack: boolean;
  /** Wait a random part of this before coming back, in milliseconds; absent if the back-off decides. */
  comeBackWithinMs?: number;
}

/** A server that goes away spreads its clients over this many milliseconds. */
const GOING_AWAY_MS = 5_000;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1000, "normal"],
  [1001, "going_away"],
  [1002, "protocol_error"],
  [1003, "wrong_encoding"],
  [1006, "lost"],
  [1007, "not_utf8"],
  [1009, "message_too_large"],
  [3001, "going_away"],
  [3002, "silent"],
  [3003, "lifetime"],
  [3004, "history_changed"],
  [3008, "too_slow"],
  [3009, "server_too_slow"],
  [3013, "too_many_sessions"],
  [3014, "too_many_from_address"],
  [3015, "too_many_of_principal"],
  [3500, "internal"],
  [4001, "not_authenticated"],
  [4002, "authentication_timeout"],
  [4004, "token_expired"],
  [4005, "signed_out"],
  [4010, "bad_requests"],
  [4011, "flood"],
]);

/** Codes of RFC 6455 that say this client is wrong: the same would happen again. */
const CLIENT_AT_FAULT: ReadonlySet<number> = new Set([1002, 1003, 1007, 1009]);

/** Judges a close code. A code that the server announced counts more than what arrived, because a lost close frame is seen as 1006. */
export function verdictOf(code: number, announced?: { code: number; come_back_within_ms?: number | null }): Verdict {
  const decisive = announced?.code ?? code;
  const verdict: Verdict = {
    code: decisive,
    name: NAMES.get(decisive) ?? `closed_${decisive}`,
    comeBack: !(CLIENT_AT_FAULT.has(decisive) || (decisive >= 4000 && decisive < 5000)),
  };
  const withinMs = announced?.come_back_within_ms ?? (decisive === 3001 ? GOING_AWAY_MS : undefined);
  return verdict.comeBack && withinMs !== undefined ? { ...verdict, comeBackWithinMs: withinMs } : verdict;
}
