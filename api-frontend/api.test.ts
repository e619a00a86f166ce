import { afterAll, expect, test } from "bun:test";
import { api as backend } from "../api-backend/api.ts";
import { api } from "./api.ts";

const listening = backend.listen({ hostname: "127.0.0.1", port: 0 });
afterAll(() => listening.stop(true));
const frontend = api("127.0.0.1", listening.server?.port ?? 0);

test("GET / answers the subject's bytes around the backend's", async () => {
  const answer = await frontend.handle(new Request("http://localhost/"));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(await answer.text()).toBe(
    '{\n  "return": {\n    "body": "Je suis une r\\u00e9ponse du backend"\n  },\n  "status": "[SUCESS]"\n}\n',
  );
});

test.each(["POST", "HEAD"])("%s /traceback does not end the process", async (method) => {
  const answer = await frontend.handle(new Request("http://localhost/traceback", { method }));
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
});

test("/healthz does not depend on the backend", async () => {
  expect((await api("127.0.0.1", 1).handle(new Request("http://localhost/healthz"))).status).toBe(200);
});
