// An HTTP server in front of a registry, which misbehaves as a test wants, and knows what was requested.

/**
 * Starts a server in front of a registry.
 *
 * @param target the registry's address
 * @param respond responds in place of the registry; `undefined` lets it respond
 */
export function startFront(target: string, respond: (request: Request) => Response | undefined) {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}`);
      const { method, headers } = request;
      const body = ["GET", "HEAD"].includes(method) ? null : await request.arrayBuffer();
      return respond(request) ?? fetch(`http://${target}${pathname}${search}`, { method, headers, body });
    },
  });
  return {
    address: `127.0.0.1:${server.port}`,
    /** The method and the path of each request so far. */
    requests,
    stop: () => server.stop(true),
  };
}
