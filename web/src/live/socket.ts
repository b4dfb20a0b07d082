// The part of a WebSocket that the client uses: browsers have it, the `ws` package has it, tests fake it.

/** An open or opening WebSocket. */
export interface Socket {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Opens a WebSocket with a subprotocol. Wrap it to send headers where the platform can. */
export type OpenSocket = (url: string, subprotocol: string) => Socket;

/** The subprotocol that the client speaks. */
export const SUBPROTOCOL = "aisled.v1+json";

/**
 * Opens sockets with the platform's own `WebSocket`.
 *
 * Throws where there is none, as on Node 20: pass `(url, protocol) => new WebSocket(url, protocol)` of the `ws` package there.
 */
export const openPlatformSocket: OpenSocket = (url, subprotocol) => {
  if (typeof WebSocket === "undefined") throw new Error("this platform has no WebSocket: give the client an openSocket option");
  return new WebSocket(url, subprotocol) as unknown as Socket;
};
