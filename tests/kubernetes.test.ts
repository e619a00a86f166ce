// The manifests of deploy/kubernetes, checked with what Kubernetes itself says of them without a cluster: kubectl of
// several versions, the JSON schemas and the types of kubernetes-models, and the Pod Security standard "restricted".

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { version as projectVersion } from "../package.json" with { type: "json" };
import { ConfigError, port, readConfig } from "../service/config.ts";
import {
  decodingErrors,
  KUBERNETES_VERSIONS,
  type KubernetesObject,
  kubectl,
  NO_CLUSTER,
  objectsOf,
  render,
  whyNoKubectl,
} from "../testing/kubectl.ts";
import { type Violation, violationsOfRestricted } from "../testing/pod-security.ts";

const FOLDERS = ["base", "overlays/own", "overlays/cloud"] as const;
const path = (folder: string) => `deploy/kubernetes/${folder}`;

const problem = await whyNoKubectl();
if (problem) console.error(`skipping the tests of the manifests: ${problem}`);
const describeWithKubectl = problem ? describe.skip : describe;
const rendered = new Map(
  problem ? [] : await Promise.all(FOLDERS.map(async (name) => [name, await render(path(name))] as const)),
);
const manifests = (folder: string) => rendered.get(folder as (typeof FOLDERS)[number]) ?? "";

/** Manifests with one thing wrong: what to replace, by what, and what the complaint names. */
const MISTAKES = {
  "a field of a wrong name": [/periodSeconds: 5/, "periodSecond: 5", /periodSecond\b/],
  "a value of a wrong type": [/containerPort: 8001/, 'containerPort: "8001"', /containerPort/],
  "a version that there is not": [/apiVersion: apps\/v1/, "apiVersion: apps/v9", /apps\/v9/],
} as const;

function spoil(yaml: string, what: RegExp, by: string): string {
  const spoilt = yaml.replace(what, by);
  if (spoilt === yaml) throw new Error(`the manifests do not contain ${what}`);
  return spoilt;
}

describeWithKubectl.each(KUBERNETES_VERSIONS)("kubectl %s", (version) => {
  test.each([...FOLDERS])("renders %s, and its types accept it", async (folder) => {
    const yaml = await render(path(folder), version);
    expect(yaml).toBe(manifests(folder));
    expect(await decodingErrors(yaml, version)).toEqual([]);
  });

  test.each(Object.entries(MISTAKES))("refuses %s", async (_, [what, by, complaint]) => {
    const errors = await decodingErrors(spoil(manifests("base"), what, by), version);
    expect(errors.join("\n")).toMatch(complaint);
  });
});

/** kubernetes-models 4.5.1 was made from Kubernetes 1.33 and 5.1.0 from 1.34, by the fields that they have. */
const MODELS = { "1.33": "kubernetes-models-1.33", "1.34": "kubernetes-models" } as const;

/** What the JSON schema of an object says; empty if it accepts it. */
async function schemaErrors(models: string, object: KubernetesObject): Promise<string> {
  const Model = (await import(`${models}/${object.apiVersion}`))[object.kind];
  try {
    new Model(object).validate();
    return "";
  } catch (error) {
    return `${object.kind} ${object.metadata.name}: ${(error as Error).message}`;
  }
}

/** What tsc says of objects as literals of their types, which may have no other fields; empty if it accepts them. */
async function typeErrors(models: string, objects: readonly KubernetesObject[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-types-"));
  try {
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    const lines = objects.map(
      (object, i) =>
        `import type { I${object.kind} as T${i} } from "${models}/${object.apiVersion}";\n` +
        `export const object${i}: T${i} = ${JSON.stringify(object)};\n`,
    );
    await Bun.write(join(folder, "objects.ts"), lines.join(""));
    const options = ["--ignoreConfig", "--noEmit", "--strict", "--skipLibCheck", "--module", "preserve", "--types", ""];
    const { code, stdout } = await run([process.execPath, "x", "tsc", ...options, join(folder, "objects.ts")]);
    return code === 0 ? "" : stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeWithKubectl.each(Object.entries(MODELS))("kubernetes-models of Kubernetes %s", (_, models) => {
  test.each([...FOLDERS])("accepts %s", async (folder) => {
    for (const object of objectsOf(manifests(folder))) expect(await schemaErrors(models, object)).toBe("");
  });

  test("knows every field", async () => {
    expect(
      await typeErrors(
        models,
        FOLDERS.flatMap((folder) => objectsOf(manifests(folder))),
      ),
    ).toBe("");
  });

  test("refuses a value that is not in the list", async () => {
    const wrong = objectsOf(spoil(manifests("base"), /AlwaysAllow/, "Sometimes"));
    const errors = await Promise.all(wrong.map((object) => schemaErrors(models, object)));
    expect(errors.filter(Boolean).join()).toContain("PodDisruptionBudget");
  });

  test.each([
    ["Service", /publishNotReadyAddresses/, "publishNotReadyAddress"],
    ["PodDisruptionBudget", /maxUnavailable: 1\n/, "maxUnavailble: 1\n"],
    ["HorizontalPodAutoscaler", /averageUtilization/, "averageUtilisation"],
    ["NetworkPolicy", /podSelector: \{\}\n {2}policyTypes/, "podSelector: {}\n  policyType"],
    ["Deployment", /matchLabelKeys/, "matchLabelsKeys"],
  ])("refuses an unknown field of a %s", async (kind, what, by) => {
    const wrong = objectsOf(spoil(manifests("base"), what, by)).filter((object) => object.kind === kind);
    expect(await typeErrors(models, wrong)).toContain(/\w+/.exec(by.split("\n").at(-1) || by)?.[0] ?? "?");
  });
});

const base = objectsOf(manifests("base"));
const ofKind = (kind: string) => base.filter((object) => object.kind === kind);
const named = (kind: string, name: string) => {
  const found = ofKind(kind).find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};

describeWithKubectl("the pods keep to the Pod Security standard restricted", () => {
  test.each([...FOLDERS])("%s", (folder) => {
    const pods = objectsOf(manifests(folder)).filter(({ kind }) => kind === "Deployment");
    expect(pods.flatMap(({ spec }) => violationsOfRestricted(spec.template.spec))).toEqual([]);
    expect(pods).toHaveLength(2);
  });

  const pod = () => structuredClone(named("Deployment", "api-frontend").spec.template.spec);
  // biome-ignore lint/suspicious/noExplicitAny: each change makes the pod wrong
  const changes: [Violation, (pod: any) => unknown][] = [
    ["hostNetwork", (spec) => Object.assign(spec, { hostNetwork: true })],
    ["hostPort", ({ containers: [one] }) => Object.assign(one.ports[0], { hostPort: 80 })],
    ["hostProbes", ({ containers: [one] }) => Object.assign(one.livenessProbe.httpGet, { host: "127.0.0.1" })],
    ["volumes", (spec) => Object.assign(spec, { volumes: [{ name: "x", hostPath: { path: "/" } }] })],
    ["privileged", ({ containers: [one] }) => Object.assign(one.securityContext, { privileged: true })],
    ["allowPrivilegeEscalation", ({ containers: [one] }) => delete one.securityContext.allowPrivilegeEscalation],
    ["capabilities", ({ containers: [one] }) => delete one.securityContext.capabilities],
    [
      "capabilities",
      ({ containers: [one] }) => Object.assign(one.securityContext.capabilities, { add: ["SYS_ADMIN"] }),
    ],
    ["runAsNonRoot", (spec) => delete spec.securityContext.runAsNonRoot],
    ["runAsUser", (spec) => Object.assign(spec.securityContext, { runAsUser: 0 })],
    ["seccompProfile", (spec) => delete spec.securityContext.seccompProfile],
    [
      "seccompProfile",
      ({ containers: [one] }) => Object.assign(one.securityContext, { seccompProfile: { type: "Unconfined" } }),
    ],
    ["sysctls", (spec) => Object.assign(spec.securityContext, { sysctls: [{ name: "kernel.msgmax", value: "1" }] })],
    ["procMount", ({ containers: [one] }) => Object.assign(one.securityContext, { procMount: "Unmasked" })],
    ["appArmor", (spec) => Object.assign(spec.securityContext, { appArmorProfile: { type: "Unconfined" } })],
    ["seLinux", (spec) => Object.assign(spec.securityContext, { seLinuxOptions: { user: "root" } })],
    ["windows", (spec) => Object.assign(spec.securityContext, { windowsOptions: { hostProcess: true } })],
  ];
  test.each(changes)("a pod that breaks %s is found", (violation, change) => {
    const wrong = pod();
    change(wrong);
    expect(violationsOfRestricted(wrong)).toEqual([violation]);
  });

  test("the namespace makes the API server enforce it", () => {
    expect(named("Namespace", "tpdocker").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  test("beyond it, the root file system is read-only, and the pod has no credentials for the API server", () => {
    for (const { spec } of ofKind("Deployment")) {
      expect(spec.template.spec.automountServiceAccountToken).toBe(false);
      expect(spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem).toBe(true);
    }
  });
});

describeWithKubectl("the objects fit each other", () => {
  test("every object but the namespace itself is in the namespace", () => {
    for (const { kind, metadata } of base)
      expect(metadata.namespace).toBe(kind === "Namespace" ? undefined : "tpdocker");
  });

  test.each(["api-backend", "api-frontend"])("what selects pods of %s selects them", (name) => {
    const { spec } = named("Deployment", name);
    const { labels } = spec.template.metadata;
    const own = { "app.kubernetes.io/name": name };
    expect(labels).toMatchObject({ ...own, "app.kubernetes.io/version": projectVersion });
    expect(spec.selector.matchLabels).toEqual(own);
    expect(named("Service", name).spec.selector).toEqual(own);
    expect(named("PodDisruptionBudget", name).spec.selector.matchLabels).toEqual(own);
    expect(named("NetworkPolicy", name).spec.podSelector.matchLabels).toEqual(own);
    expect(named("HorizontalPodAutoscaler", name).spec.scaleTargetRef.name).toBe(name);
    for (const spread of spec.template.spec.topologySpreadConstraints)
      expect(spread.labelSelector.matchLabels).toEqual(own);
  });

  test("an update or a drain never takes the last pod", () => {
    for (const { spec } of ofKind("Deployment")) expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
    for (const { spec } of ofKind("PodDisruptionBudget")) expect(spec.maxUnavailable).toBe(1);
    for (const { spec } of ofKind("HorizontalPodAutoscaler")) expect(spec.minReplicas).toBeGreaterThan(1);
    // It would undo the autoscaler's choice.
    for (const { spec } of ofKind("Deployment")) expect(spec.replicas).toBeUndefined();
  });

  test("the frontend's backend is the headless Service, whose name has the addresses of all pods that are ready", () => {
    const service = named("Service", "api-backend");
    expect(service.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: false });
    expect(named("Deployment", "api-frontend").spec.template.spec.containers[0].env).toContainEqual({
      name: "API_BACKEND_URL",
      value: service.metadata.name,
    });
  });

  test("only the frontend reaches the backend, and the frontend reaches the backend and the name server only", () => {
    const [backend, frontend] = ["api-backend", "api-frontend"].map((name) => named("NetworkPolicy", name).spec);
    const peer = (name: string) => [{ podSelector: { matchLabels: { "app.kubernetes.io/name": name } } }];
    expect(named("NetworkPolicy", "default-deny").spec).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
    expect(backend.ingress).toEqual([{ from: peer("api-frontend"), ports: [{ protocol: "TCP", port: 8001 }] }]);
    expect(backend.egress).toBeUndefined();
    expect(frontend.egress[0]).toEqual({ to: peer("api-backend"), ports: [{ protocol: "TCP", port: 8001 }] });
    expect(frontend.egress[1].ports.map(({ port }: { port: number }) => port)).toEqual([53, 53]);
    expect(frontend.egress).toHaveLength(2);
  });
});

describeWithKubectl("Kubernetes' own variables", () => {
  test("would be taken for this project's: a Service api-backend makes API_BACKEND_PORT a URL", () => {
    const linked = { API_BACKEND_PORT: "tcp://10.96.0.7:8001" };
    expect(() => readConfig({ API_BACKEND_PORT: port }, linked)).toThrow(ConfigError);
  });

  test("are off, and the manifest sets the variable itself", () => {
    for (const { spec } of ofKind("Deployment")) expect(spec.template.spec.enableServiceLinks).toBe(false);
    const { env } = named("Deployment", "api-frontend").spec.template.spec.containers[0];
    expect(env).toContainEqual({ name: "API_BACKEND_PORT", value: "8001" });
  });
});

describe("make deploy-kubernetes and undeploy-kubernetes say in one line", () => {
  const make = (target: string, env: Record<string, string | undefined>) =>
    run(["make", target], { env: { ...NO_CLUSTER, ...env } });
  const TARGETS = ["deploy-kubernetes", "undeploy-kubernetes"];
  /** A folder with one program, for PATH. */
  const withKubectl = async () => `${resolve(await kubectl("1.34"), "..")}:${process.env.PATH}`;

  test.each(TARGETS)("%s: that there is no kubectl", async (target) => {
    const folder = mkdtempSync(join(tmpdir(), "tpdocker-path-"));
    for (const program of ["sh", "make", "awk", "grep", "sed", "tr", "dirname", "id", "rm", "cat"])
      symlinkSync(Bun.which(program) ?? program, join(folder, program));
    const { code, stderr } = await make(target, { PATH: folder });
    rmSync(folder, { recursive: true });
    expect(stderr).toStartWith("error: kubectl is not installed.\n");
    expect(code).not.toBe(0);
  });

  test.each(TARGETS)("%s: that there is no such overlay", async (target) => {
    const { code, stderr } = await make(target, { OVERLAY: "moon" });
    expect(stderr).toStartWith("error: OVERLAY=moon: there is no such overlay in deploy/kubernetes/overlays.\n");
    expect(code).not.toBe(0);
  });

  test.skipIf(problem !== undefined).each(TARGETS)("%s: that no cluster answers", async (target) => {
    const folder = mkdtempSync(join(tmpdir(), "tpdocker-kubeconfig-"));
    const [KUBECONFIG, server] = [join(folder, "config"), `127.0.0.1:${await freePort()}`];
    const cluster = { name: "none", cluster: { server: `https://${server}` } };
    const context = { name: "none", context: { cluster: "none", user: "none" } };
    // Without a user kubectl would ask for a name and a password.
    const users = [{ name: "none", user: { token: "none" } }];
    const config = { clusters: [cluster], contexts: [context], users, "current-context": "none" };
    await Bun.write(KUBECONFIG, JSON.stringify({ apiVersion: "v1", kind: "Config", ...config }));
    const { code, stderr } = await make(target, { PATH: await withKubectl(), KUBECONFIG });
    rmSync(folder, { recursive: true });
    expect(stderr).toStartWith(`error: kubectl reaches no cluster: The connection to the server ${server} was refused`);
    expect(code).not.toBe(0);
  });
});
