// HTTP/1.1 as raw bytes.
import { tcpRoundTrip } from "../host/tcp.ts";

/** Sends bytes to a port of 127.0.0.1 and returns all that comes back until the other side closes. */
export async function sendRaw(port: number, request: string): Promise<string> {
  const received = await tcpRoundTrip("127.0.0.1", port, request);
  if (received === undefined) throw new Error(`port ${port} did not close the connection`);
  return received;
}

/** The bytes of a request without content, after which the connection is closed. */
export const rawRequest = (method: string, path: string, ...headers: string[]): string =>
  [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n");

/** The bytes of an HTTP/1.0 request, with nothing but its request line. */
export const rawHttp10Request = (method: string, path: string): string => `${method} ${path} HTTP/1.0\r\n\r\n`;

/** The bytes of a response, without the headers that differ between two responses. */
export async function comparableResponse(port: number, method: string, path: string, build = rawRequest) {
  const received = await sendRaw(port, build(method, path));
  return received.replace(/^(date|connection|etag): .*\r\n/gim, "");
}
