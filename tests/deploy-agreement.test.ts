// What Compose, Swarm, Kubernetes and the images have in common is the same in all of them.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { BUDGET_MS } from "../api-frontend/backend.ts";
import { PORT, SERVICES, type ServiceName } from "../lab/services.ts";
import { version } from "../package.json" with { type: "json" };
import { DRAIN_MS } from "../service/drain.ts";
import { TIMEOUT_MS } from "../service/healthcheck.ts";
import { type KubernetesObject, objectsOf, render, whyNoKubectl } from "../testing/kubectl.ts";

/** What one of the three says of a service. Sizes are in bytes, times in milliseconds. */
interface Facts {
  /** Without a tag. */
  readonly image: string;
  readonly port: number;
  readonly memory: number;
  readonly readOnly: boolean;
  readonly dropped: readonly string[];
  /** Without the log level's default, which is a variable of Compose and Swarm. */
  readonly env: Readonly<Record<string, string>>;
  readonly drainDelay: number;
  readonly grace: number;
}

// biome-ignore lint/suspicious/noExplicitAny: what is missing or of another shape makes a comparison fail
type Loose = any;

/** `${NAME:-default}` replaced by the default, as for a user who has set nothing. */
const defaults = (text: string) => text.replace(/\$\{\w+:-([^}]*)\}/g, "$1");

/** The name without its tag, which differs on purpose: Compose runs what was built last, the others a version. */
const untagged = (image: string) => image.replace(/:[^:/]+$/, "");

const UNITS = { m: 2 ** 20, M: 2 ** 20, Mi: 2 ** 20, s: 1000 } as const;
/** A size in bytes, or a time in ms. Docker's "m" and "M" are Kubernetes' "Mi". */
function amount(text: string): number {
  const [, digits, unit] = /^(\d+)(\w+)$/.exec(String(text)) ?? [];
  return Number(digits) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN);
}

function split(all: Readonly<Record<string, string>>) {
  const { DRAIN_DELAY_MS = "0", ...env } = all;
  return { env, drainDelay: Number(DRAIN_DELAY_MS) };
}

/** A service of a Compose file, of docker-compose or of docker stack deploy. */
function ofCompose(file: string, name: ServiceName): Facts {
  const service: Loose = parse(defaults(readFileSync(file, "utf8")), { merge: true }).services[name];
  const pairs = Array.isArray(service.environment)
    ? service.environment.map((line: string) => line.split(/=(.*)/, 2))
    : Object.entries(service.environment);
  const [port] = service.ports ?? [`:${PORT[name]}`];
  return {
    image: untagged(service.image),
    port: Number(typeof port === "string" ? port.split(":").at(-1) : port.target),
    memory: amount(service.mem_limit ?? service.deploy.resources.limits.memory),
    readOnly: service.read_only,
    dropped: service.cap_drop,
    grace: amount(service.stop_grace_period),
    ...split(Object.fromEntries(pairs)),
  };
}

/** A Deployment. */
function ofKubernetes(objects: readonly KubernetesObject[], name: ServiceName): Facts {
  const { spec } = deployment(objects, name);
  const [container] = spec.containers;
  return {
    image: untagged(container.image),
    port: container.ports[0].containerPort,
    memory: amount(container.resources.limits.memory),
    readOnly: container.securityContext.readOnlyRootFilesystem,
    dropped: container.securityContext.capabilities.drop,
    grace: spec.terminationGracePeriodSeconds * 1000,
    ...split(Object.fromEntries(container.env.map(({ name, value }: Loose) => [name, value]))),
  };
}

function deployment(objects: readonly KubernetesObject[], name: ServiceName): Loose {
  return objects.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === name)?.spec.template;
}

const COMPOSE = "docker-compose.yaml";
const SWARM = "deploy/swarm.yaml";
const problem = await whyNoKubectl();
const OVERLAYS = ["own", "cloud"] as const;
const rendered = problem
  ? []
  : await Promise.all(
      OVERLAYS.map(
        async (overlay) => [overlay, objectsOf(await render(`deploy/kubernetes/overlays/${overlay}`))] as const,
      ),
    );

describe.each([...SERVICES])("%s", (name) => {
  const compose = ofCompose(COMPOSE, name);
  const others: [string, () => Facts][] = [
    ["Swarm", () => ofCompose(SWARM, name)],
    ...rendered.map(([overlay, objects]): [string, () => Facts] => [
      `Kubernetes, overlay ${overlay}`,
      () => ofKubernetes(objects, name),
    ]),
  ];
  const dockerfile = readFileSync(`${name}/Dockerfile`, "utf8");

  test.each(others)("%s has the image, port, limit, hardening and variables of Compose", (_, read) => {
    const { grace, drainDelay, ...shared } = compose;
    expect(read()).toMatchObject(shared);
    expect(Object.keys(read().env).sort()).toEqual(Object.keys(shared.env).sort());
  });

  test.each([["Compose", () => compose] as [string, () => Facts], ...others])(
    "%s: backend call < drain, and delay + drain < grace period",
    (_, read) => {
      const { drainDelay, grace } = read();
      expect(BUDGET_MS).toBeLessThan(DRAIN_MS);
      expect(drainDelay + DRAIN_MS).toBeLessThan(grace);
    },
  );

  test("the image exposes the port", () => {
    expect(dockerfile).toContain(`\nEXPOSE ${compose.port}\n`);
    expect(compose.port).toBe(PORT[name]);
  });

  test.each(rendered)("Kubernetes, overlay %s: the version, user and health check are the image's", (_, objects) => {
    const { spec, metadata } = deployment(objects, name);
    const [container] = spec.containers;
    const [, user] = /^USER (\d+)$/m.exec(dockerfile) ?? [];
    const [, interval, timeout, retries] =
      /^HEALTHCHECK --interval=(\d+)s --timeout=(\d+)s --retries=(\d+) /m.exec(dockerfile)?.map(Number) ?? [];
    expect(container.image).toEndWith(`:${version}`);
    expect(metadata.labels["app.kubernetes.io/version"]).toBe(version);
    expect(spec.securityContext.runAsUser).toBe(Number(user));
    expect(container.livenessProbe).toEqual({
      httpGet: { path: "/healthz", port: "http" },
      periodSeconds: interval,
      timeoutSeconds: timeout,
      failureThreshold: retries,
    });
    expect(container.startupProbe.httpGet).toEqual({ path: "/healthz", port: "http" });
    expect(container.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "http" });
    for (const probe of ["startupProbe", "readinessProbe", "livenessProbe"])
      expect(container[probe].timeoutSeconds * 1000).toBeGreaterThan(TIMEOUT_MS);
  });

  test.each(rendered)("Kubernetes, overlay %s: the Service has the port of the container", (_, objects) => {
    const service = objects.find(({ kind, metadata }) => kind === "Service" && metadata.name === name);
    expect(service?.spec.ports).toEqual([expect.objectContaining({ port: PORT[name], targetPort: "http" })]);
  });
});
