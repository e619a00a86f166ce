import { expect, test } from "bun:test";
import { runOf } from "./run.ts";

const HOSTED = {
  GITHUB_ACTIONS: "true",
  GITHUB_REPOSITORY: "example/tpdocker",
  GITHUB_RUN_ATTEMPT: "2",
  GITHUB_RUN_ID: "123",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_WORKFLOW_REF: "example/tpdocker/.github/workflows/push.yml@refs/heads/main",
  RUNNER_ENVIRONMENT: "github-hosted",
};

test("a hosted workflow is named by its file and revision", () => {
  expect(runOf(HOSTED)).toEqual({
    workflow: "https://github.com/example/tpdocker/.github/workflows/push.yml@refs/heads/main",
    invocationId: "https://github.com/example/tpdocker/actions/runs/123/attempts/2",
  });
});

test.each([{}, { ...HOSTED, GITHUB_ACTIONS: undefined }, { ...HOSTED, RUNNER_ENVIRONMENT: "self-hosted" }])(
  "any other machine is one's own: %j",
  (environment) => {
    const runs = [runOf(environment), runOf(environment)];
    for (const run of runs) expect(Object.keys(run)).toEqual(["invocationId"]);
    expect(runs[0]?.invocationId).toStartWith("urn:uuid:");
    expect(runs[0]?.invocationId).not.toBe(runs[1]?.invocationId);
  },
);

test("a workflow of which a part is unknown is an error", () => {
  expect(() => runOf({ ...HOSTED, GITHUB_RUN_ID: "" })).toThrow("GITHUB_RUN_ID is not set");
});
