import { expect, spyOn, test } from "bun:test";
import { Elysia } from "elysia";
import { conventions, Failure, SETTINGS } from "./http.ts";
import * as logging from "./log.ts";

const api = new Elysia(SETTINGS)
  .use(conventions)
  .get("/", "here")
  .post("/form", "taken")
  .get("/failure", () => {
    throw new Failure(504, "too slow");
  })
  .get("/error", () => {
    throw new Error("secret of /some/file.ts");
  });

const request = (path: string, method = "GET") => api.handle(new Request(`http://localhost${path}`, { method }));

test("/healthz answers 200", async () => {
  const answer = await request("/healthz");
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ status: "ok" });
});

test("/readyz answers 200 while no signal to stop has come", async () => {
  const answer = await request("/readyz");
  expect([answer.status, await answer.text()]).toEqual([200, '{\n  "status": "ready"\n}\n']);
});

test("an unknown path is 404", async () => {
  const answer = await request("/none");
  expect(answer.status).toBe(404);
  expect(await answer.text()).toBe('{\n  "error_message": "not found",\n  "status": "[ERROR]"\n}\n');
  expect(answer.headers.get("content-type")).toBe("application/json");
});

test.each([
  ["/", "GET, HEAD, OPTIONS"],
  ["/readyz", "GET, HEAD, OPTIONS"],
  ["/form", "POST, OPTIONS"],
])("OPTIONS %s is 204 and names the methods", async (path, allow) => {
  const answer = await request(path, "OPTIONS");
  expect([answer.status, answer.headers.get("allow"), await answer.text()]).toEqual([204, allow, ""]);
});

test("another method on a known path is 405 and names those that are allowed", async () => {
  const answer = await request("/", "DELETE");
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  expect(await answer.json()).toEqual({ error_message: "method not allowed", status: "[ERROR]" });
});

test("a Failure becomes a response with its status and message", async () => {
  const answer = await request("/failure");
  expect(answer.status).toBe(504);
  expect(await answer.json()).toEqual({ error_message: "too slow", status: "[ERROR]" });
});

test("any other error is logged, and not shown to the client", async () => {
  const log = spyOn(logging, "log").mockImplementation(() => {});
  try {
    const answer = await request("/error");
    expect(log).toHaveBeenCalledWith("error", "internal_error", { stack: expect.stringContaining("secret") });
    expect([answer.status, await answer.json()]).toEqual([500, { error_message: "internal error", status: "[ERROR]" }]);
  } finally {
    log.mockRestore();
  }
});
