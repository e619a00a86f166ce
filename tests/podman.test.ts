// The manifests of deploy/kubernetes, run by podman kube play. docs/kubernetes.md says what it leaves out.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { run, runOrThrow } from "../host/command.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../lab/services.ts";
import { version } from "../package.json" with { type: "json" };
import { render, whyNoKubectl } from "../testing/kubectl.ts";
import { Podman, whyNoPodman } from "../testing/podman.ts";
import { createTestStack, removeImages } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

const TIMEOUT_MS = 120_000;

const hasEngine = (await run(["docker", "version"])).code === 0;
const problem =
  whyNoPodman() ?? (await whyNoKubectl()) ?? (hasEngine ? undefined : "no Docker engine builds the images");
if (problem) console.error(`skipping the tests with Podman: ${problem}`);

describe.skipIf(problem !== undefined)("podman kube play", async () => {
  const podman = new Podman();
  /** Named after its pod, and that after its Deployment: with a number in Podman 4, without one in Podman 5. */
  const containers = new Map<ServiceName, string>();
  const container = (name: ServiceName) => containers.get(name) ?? "";
  const stack = problem ? undefined : await createTestStack();

  const inspect = async (name: ServiceName, field: string) =>
    JSON.parse(await podman.podman("inspect", container(name), "--format", `{{json ${field}}}`));

  /** What a service answers, as its status and body; empty if it closes the connection. */
  async function get(name: ServiceName, path = "/", seconds = 15): Promise<string> {
    const address = await inspect(name, ".NetworkSettings.Networks.lab.IPAddress");
    const script = `const r = await fetch("http://${address}:${PORT[name]}${path}"); console.write(r.status + " " + await r.text())`;
    return (await podman.beside([process.execPath, "-e", script], seconds)).stdout;
  }

  beforeAll(async () => {
    await podman.start();
    await stack?.compose("build");
    const images = SERVICES.map((name) => stack?.image(name) ?? "");
    await runOrThrow(["docker", "save", "--output", podman.file("images.tar"), ...images]);
    await podman.podman("load", "--quiet", "--input", podman.file("images.tar"));
    const manifests = await render("deploy/kubernetes/overlays/own");
    await podman.podman("network", "create", "lab");
    const loaded = (await podman.podman("images", "--format", "{{.Repository}}:{{.Tag}}")).split("\n");
    for (const name of SERVICES) {
      const image = loaded.find((image) => image.endsWith(`/${name}:latest`)) ?? "";
      await podman.podman("tag", image, `docker.io/tpdocker/${name}:${version}`);
      const own = manifests.split(/^---$/m).filter((text) => text.includes(`\n  name: ${name}\n`));
      await Bun.write(podman.file(`${name}.yaml`), own.join("---"));
      // It makes no Services: the name that the frontend asks for is an alias here.
      await podman.podman("kube", "play", "--network", `lab:alias=${name}`, podman.file(`${name}.yaml`));
      const names = (await podman.podman("ps", "--format", "{{.Names}}")).split("\n");
      containers.set(name, names.find((all) => all.endsWith(`-${name}`)) ?? "");
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    await podman.remove();
    await removeImages();
  }, TIMEOUT_MS);

  test.each([...SERVICES])("%s answers to the byte", async (name) => {
    expect(await get(name)).toBe(`200 ${BODY[name]}`);
  });

  test.each([...SERVICES])("%s is ready, and runs as the manifest says", async (name) => {
    expect(await get(name, "/readyz")).toStartWith("200 ");
    expect(await inspect(name, ".Config.Env")).toContain("DRAIN_DELAY_MS=5000");
    expect(await inspect(name, ".HostConfig.ReadonlyRootfs")).toBe(true);
    expect(await inspect(name, ".HostConfig.Memory")).toBe(256 * 2 ** 20);
    const pid = await inspect(name, ".State.Pid");
    const status = (await podman.beside(["cat", `/proc/${pid}/status`])).stdout;
    for (const line of ["Uid:\t65532\t", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"])
      expect(status).toContain(line);
  });

  test("a client of the frontend does not notice a crash of the backend, which is started again", async () => {
    expect(await get("api-backend", "/traceback")).toBe("");
    expect(await get("api-frontend")).toBe(`200 ${BODY["api-frontend"]}`);
    expect(await inspect("api-backend", ".RestartCount")).toBe(1);
  });

  test("the frontend is started again after a crash", async () => {
    expect(await get("api-frontend", "/traceback")).toBe("");
    await waitUntil("it answers", async () => (await get("api-frontend")) === `200 ${BODY["api-frontend"]}`);
    expect(await inspect("api-frontend", ".RestartCount")).toBe(1);
  });

  test("on SIGTERM the frontend is not ready any more, answers on, finishes what is in flight, and exits with code 0", async () => {
    await podman.podman("stop", "--time", "20", container("api-backend"));
    expect(await inspect("api-backend", ".State.ExitCode")).toBe(0);
    // Without a backend it takes 5 s.
    const inFlight = get("api-frontend");
    await Bun.sleep(500);
    const stopped = podman.podman("stop", "--time", "20", container("api-frontend"));
    await Bun.sleep(1000);
    expect(await get("api-frontend", "/readyz")).toBe('503 {\n  "status": "draining"\n}\n');
    expect(await get("api-frontend", "/healthz")).toStartWith("200 ");
    expect(await inFlight).toMatch(/^50[24] /);
    await stopped;
    expect(await inspect("api-frontend", ".State.ExitCode")).toBe(0);
  });
});
