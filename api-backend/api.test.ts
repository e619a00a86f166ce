import { expect, test } from "bun:test";
import { api } from "./api.ts";

test("GET / answers the subject's bytes", async () => {
  const answer = await api.handle(new Request("http://localhost/"));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(await answer.text()).toBe('{"body": "Je suis une r\\u00e9ponse du backend"}\n');
});

test.each(["POST", "HEAD"])("%s /traceback does not end the process", async (method) => {
  const answer = await api.handle(new Request("http://localhost/traceback", { method }));
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, OPTIONS"]);
});

test("/traceback/ is another path", async () => {
  expect((await api.handle(new Request("http://localhost/traceback/"))).status).toBe(404);
});
