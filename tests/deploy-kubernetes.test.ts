// What make deploy-kubernetes asks of a cluster. A program answers in the cluster's place: it takes the manifests with the
// real kubectl, and says what it is told to say.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../host/command.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { kubectl, NO_CLUSTER, objectsOf, whyNoKubectl } from "../testing/kubectl.ts";

const problem = await whyNoKubectl();
const folder = mkdtempSync(join(tmpdir(), "tpdocker-cluster-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the cluster says: the namespace's owner (empty if there is none), and the exit code of a rollout. */
interface Cluster {
  readonly owner: string;
  readonly rollout: number;
  readonly apply?: number;
}

/** Runs a target against a cluster; returns also the commands that change something. */
async function make(target: string, { owner, rollout, apply = 0 }: Cluster, ...variables: string[]) {
  mkdirSync(join(folder, "bin"), { recursive: true });
  const [program, calls, manifests] = ["bin/kubectl", "calls", "manifests.yaml"].map((name) => join(folder, name));
  writeFileSync(calls as string, "");
  const script = `#!/bin/sh
case "$*" in
*"get --raw /version"*) echo '{"gitVersion": "v1.34.0"}' ;;
*"get namespace"*) echo 'Warning: not the answer' >&2; printf '%s' '${owner}' ;;
*"get deployment"*) printf 7 ;;
*"get pods"*containerStatuses*) echo 'ImagePullBackOff: no such image' ;;
*"get pods"*PodScheduled*) printf ': \nUnschedulable: no room\n' ;;
*"get pods"*) ;;
*"get replicasets"*) echo 'FailedCreate: forbidden' ;;
*--dry-run=server*) exit ${apply} ;;
*apply*) echo "$*" >>'${calls}'; '${await kubectl("1.34")}' kustomize "$3" >'${manifests}'; exit ${apply} ;;
*"rollout status"*) echo 'error: deployment exceeded its progress deadline'; exit ${rollout} ;;
*) echo "$*" >>'${calls}' ;;
esac
`;
  writeFileSync(program as string, script);
  chmodSync(program as string, 0o755);
  const env = { ...NO_CLUSTER, PATH: `${join(folder, "bin")}:${process.env.PATH}` };
  const { code, stderr } = await run(["make", target, ...variables], { env });
  const images = () =>
    objectsOf(readFileSync(manifests as string, "utf8"))
      .filter(({ kind }) => kind === "Deployment")
      .map(({ spec }) => spec.template.spec.containers[0].image);
  const changes = readFileSync(calls as string, "utf8")
    .split("\n")
    .filter(Boolean);
  return { code, stderr, images, changes: changes.map((call) => call.replace(/\/\S+\/named/, "<folder>")) };
}

const APPLY = "apply --kustomize <folder>";
const REMOVE = "delete namespace tpdocker --ignore-not-found --timeout=120s";
const OURS = "tpdocker:tpdocker";

(problem ? describeWithEngine.skip : describeWithEngine)("make deploy-kubernetes", () => {
  test("applies the overlay with the images that the variables name", async () => {
    const names = ["HUB_USER=alice", "LAB_REGISTRY=registry.example.org:5000", "LAB_VERSION=2.10"];
    const { code, images } = await make("deploy-kubernetes", { owner: "", rollout: 0 }, ...names);
    expect(code).toBe(0);
    const account = "registry.example.org:5000/alice";
    expect(images()).toEqual([`${account}/api-backend:2.10`, `${account}/api-frontend:2.10`]);
  });

  test("leaves a namespace of somebody else alone", async () => {
    for (const target of ["deploy-kubernetes", "undeploy-kubernetes"]) {
      const { code, stderr, changes } = await make(target, { owner: "tpdocker:", rollout: 0 });
      expect(stderr).toStartWith("error: the namespace tpdocker belongs to something else");
      expect(changes).toEqual([]);
      expect(code).not.toBe(0);
    }
  });

  test("removes a first deployment that does not run, and says why", async () => {
    const { code, stderr, changes } = await make("deploy-kubernetes", { owner: "", rollout: 1 });
    expect(changes).toEqual([APPLY, REMOVE]);
    expect(stderr).toContain("error: api-backend does not run: error: deployment exceeded its progress deadline\n");
    for (const reason of ["no such image", "no room", "forbidden"]) expect(stderr).toContain(reason);
    expect(code).not.toBe(0);
  });

  test("goes back, after an update that does not run, to the version that ran", async () => {
    const { code, changes } = await make("deploy-kubernetes", { owner: OURS, rollout: 1 });
    const undo = (name: string) => `--namespace tpdocker rollout undo deployment/${name} --to-revision=7`;
    expect(changes).toEqual([APPLY, undo("api-backend"), undo("api-frontend")]);
    expect(code).not.toBe(0);
  });

  test("changes nothing if the server refuses an update", async () => {
    const { code, stderr, changes } = await make("deploy-kubernetes", { owner: OURS, rollout: 0, apply: 1 });
    expect(stderr).toStartWith("error: the cluster refuses the manifests");
    expect(changes).toEqual([]);
    expect(code).not.toBe(0);
  });

  test("refuses a version that is no tag", async () => {
    const { stderr, changes } = await make("deploy-kubernetes", { owner: "", rollout: 0 }, "LAB_VERSION=a/b");
    expect(stderr).toStartWith("error: LAB_VERSION=a/b: expected a tag");
    expect(changes).toEqual([]);
  });

  test("is undone by make undeploy-kubernetes, twice without an error", async () => {
    expect((await make("undeploy-kubernetes", { owner: OURS, rollout: 0 })).changes).toEqual([REMOVE]);
    expect(await make("undeploy-kubernetes", { owner: "", rollout: 0 })).toMatchObject({ code: 0, changes: [] });
  });
});
