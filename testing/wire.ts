// HTTP down to the bytes.
import { exchange as exchangeWith } from "../host/tcp.ts";

/** Sends bytes to a port of 127.0.0.1 and gives all that comes back until the other side closes. */
export async function exchange(port: number, request: string): Promise<string> {
  const received = await exchangeWith("127.0.0.1", port, request);
  if (received === undefined) throw new Error(`port ${port} neither answered nor closed`);
  return received;
}

/** A request as it goes over the wire. */
export const wire = (method: string, path: string, ...headers: string[]): string =>
  [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n");

/** An answer as it came over the wire, without the headers that change from one to the next. */
export async function answer(port: number, method: string, path: string): Promise<string> {
  const received = await exchange(port, wire(method, path));
  return received.replace(/^(date|connection|etag): .*\r\n/gim, "");
}
