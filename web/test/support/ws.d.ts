// The part of the `ws` package that the end-to-end test uses.
declare module "ws" {
  import type { Socket } from "../../src/live/index.js";
  export default class WebSocket implements Socket {
    constructor(url: string, protocol: string, options?: { headers?: { [name: string]: string } });
    onopen: Socket["onopen"];
    onmessage: Socket["onmessage"];
    onclose: Socket["onclose"];
    onerror: Socket["onerror"];
    send(text: string): void;
    close(code?: number): void;
    /** Breaks the connection without a word. */
    terminate(): void;
  }
}
