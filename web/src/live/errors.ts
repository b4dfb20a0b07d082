// How a request can fail. Only `RequestRefused` is the server's answer; after the others it is unknown whether it was executed.
import type { ErrorBody } from "./wire.js";

/** The server answered with an error: nothing was done. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  /** Stable; match on it. */
  readonly code: string;
  /** The same request may succeed later. */
  readonly temporary: boolean;
  readonly pointer: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(body: ErrorBody) {
    super(body.detail);
    this.code = body.code;
    this.temporary = body.temporary;
    this.pointer = body.pointer ?? undefined;
    this.retryAfterMs = body.retry_after_ms ?? undefined;
  }
}

/** The session ended before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** No answer came in time. */
export class RequestTimedOut extends Error {
  override readonly name = "RequestTimedOut";
}
