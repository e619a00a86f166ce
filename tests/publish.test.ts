// `make push` and `make verify` in a clone, with a real registry on this machine: what is pushed, signed and said of it,
// that it runs, and what is found out about images that are not what they seem. The tests build on each other.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../lab/services.ts";
import { attest, makeKey, type StatementName, sign } from "../publish/cosign.ts";
import { type Layout, PLATFORMS, readLayerTar, readLayout } from "../publish/oci-layout.ts";
import { pull, push } from "../publish/registry.ts";
import { type BuiltConfig, writeLayout } from "../publish/write-layout.ts";
import { RUNTIME } from "../testing/base-images.ts";
import { cloneCheckout } from "../testing/clone.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { pathWithTools } from "../testing/publishing-tools.ts";
import { blobOf, contentsOf, manifestOf } from "../testing/pushed.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { startRegistry } from "../testing/registry.ts";
import { startFront } from "../testing/registry-front.ts";
import { rememberingBuildah } from "../testing/remembering-buildah.ts";
import { createTestStack, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

/** Its images are not those of other tests that run beside this one. */
const ACCOUNT = `${TEST_NAME}-push`;
/** No name server knows it. */
const SOURCE = "https://git.invalid/me/tpdocker";
const VERSION: string = (await Bun.file("package.json").json()).version;
const stack = await createTestStack();

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly { readonly digest: string; readonly mediaType: string; readonly platform: object }[];
}
interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** QEMU for programs of arm64. Those for other processors take 360 MB, and are removed. */
async function emulator(): Promise<string> {
  // From Debian 13 on, the first package has only links to the programs of the second.
  for (const [package_, name] of [
    ["qemu-user-static", "qemu-aarch64-static"],
    ["qemu-user", "qemu-aarch64"],
  ] as const) {
    const folder = join(await runOrThrow(["sh", "scripts/apt", "unpack", package_]), "usr/bin");
    for (const other of readdirSync(folder)) if (other !== name) rmSync(join(folder, other));
    if (existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error("no QEMU in Debian's packages");
}

describeWithEngine("publishing", () => {
  let work: string;
  /** The temporary folder of the commands: nothing may be left in it. */
  let temporary: string;
  const path = process.env.PATH ?? "";
  let clone: Awaited<ReturnType<typeof cloneCheckout>>;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let remembering: string;
  /** The digest of the index of each service, and of the image of each platform. */
  let pushed: Record<ServiceName, { index: string; images: string[] }>;

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "tpdocker-publishing-"));
    temporary = join(work, "temporary");
    mkdirSync(temporary);
    process.env.PATH = await pathWithTools();
    clone = await cloneCheckout(SOURCE);
    registry = await startRegistry();
    remembering = rememberingBuildah(join(work, "buildah"));
    await makeKey(join(work, "other"));
  }, 120_000);
  afterAll(async () => {
    process.env.PATH = path;
    await registry.stop();
    clone.remove();
    rmSync(work, { recursive: true });
  });

  const environment = (extra: Environment = {}): Environment => ({
    ...stack.env,
    HUB_USER: ACCOUNT,
    LAB_REGISTRY: registry.address,
    TMPDIR: temporary,
    // Except where it is the point, nothing is built twice.
    PATH: `${remembering}:${process.env.PATH}`,
    ...extra,
  });
  const inClone = async (command: readonly string[], extra: Environment = {}) => {
    const outcome = await run(command, { cwd: clone.folder, env: environment(extra) });
    expect(readdirSync(temporary)).toEqual([]);
    return outcome;
  };
  const makePush = (extra?: Environment) => inClone(["make", "push"], extra);
  const makeVerify = (image: string, extra?: Environment) => inClone(["make", "verify", `IMAGE=${image}`], extra);
  const git = (...args: string[]) =>
    runOrThrow(["git", "-C", clone.folder, "-c", "user.name=test", "-c", "user.email=test@example.org", ...args]);

  /** Pushes without the minute that the grader takes, which finds nothing then. Git does not look at that file. */
  async function pushUngraded(extra?: Environment) {
    await git("update-index", "--assume-unchanged", "grader/main.ts");
    writeFileSync(join(clone.folder, "grader/main.ts"), 'console.log("not graded");\n');
    try {
      return await makePush(extra);
    } finally {
      await git("update-index", "--no-assume-unchanged", "grader/main.ts");
      await git("checkout", "--quiet", "grader/main.ts");
    }
  }

  const address = (name: string) => `${registry.address}/${ACCOUNT}/${name}`;
  const contents = (name: string) => contentsOf(registry.folder, `${ACCOUNT}/${name}`);
  const key = () => ({ key: join(clone.folder, "cosign.key") });
  const publicKey = () => join(clone.folder, "cosign.pub");

  test("Ctrl-C during the build ends it, and leaves nothing behind", async () => {
    const child = Bun.spawn(["sh", "scripts/publish"], {
      cwd: clone.folder,
      env: { ...process.env, ...environment({ PATH: process.env.PATH }) },
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    let stderr = "";
    const read = (async () => {
      for await (const bytes of child.stderr) stderr += new TextDecoder().decode(bytes);
    })();
    const buildahs = async () => (await run(["pgrep", "-f", "--", `--root ${temporary}/.* build `])).stdout;
    try {
      await waitUntil("the build runs", async () => /==> building/.test(stderr) && (await buildahs()) !== "", 120_000);
      await Bun.sleep(1000);
    } finally {
      // As a terminal does: to all that is in the foreground.
      process.kill(-child.pid, "SIGINT");
    }
    expect(await child.exited).toBe(130);
    await read;
    expect(stderr).toEndWith("==> interrupted: a moment, please (once more ends at once)\n");
    expect(await buildahs()).toBe("");
    expect(readdirSync(temporary)).toEqual([]);
    expect(contents("api-backend").manifests).toBe(0);
  });

  test("make push pushes a new clone's images, makes a key, and prints their digests", async () => {
    const { code, stdout, stderr } = await makePush();
    expect([code, stderr]).toEqual([0, expect.stringContaining(": 20/20\n")]);
    expect(stderr).not.toContain("warning:");
    const digest = "(sha256:[0-9a-f]{64})";
    const lines = (name: string) => [
      `${address(name)}:${VERSION}`,
      `${address(name)}:latest`,
      `  ${digest}`,
      ...PLATFORMS.map((platform) => `  ${digest}  ${platform}`),
      `  make verify IMAGE=${address(name)}@${digest}\n`,
    ];
    const found = SERVICES.map((name) => new RegExp(lines(name).join("\n"), "m").exec(stdout)?.slice(1) ?? []);
    expect(found.map(({ length }) => length)).toEqual([4, 4]);
    const [backend, frontend] = found.map(([index = "", ...images]) => ({ index, images: images.slice(0, 2) }));
    if (!backend || !frontend) throw new Error("not both");
    pushed = { "api-backend": backend, "api-frontend": frontend };
    expect(found.map((digests) => digests[3])).toEqual([backend.index, frontend.index]);
  }, 600_000);

  test("nothing is left of it but the key and the base images", async () => {
    const status = await runOrThrow(["git", "-C", clone.folder, "status", "--porcelain", "--ignored=matching"]);
    const keys = ["?? cosign.pub", "!! cosign.key"];
    expect(status.split("\n").filter((line) => line.includes("cosign"))).toEqual(keys);
    const names = await runOrThrow(["docker", "image", "ls", "--digests", "--format", "{{.Repository}}"]);
    expect(names.split("\n").filter((name) => name.includes(ACCOUNT))).toEqual([]);
  });

  test("the version and latest are the same index, of two platforms, with OCI's media types", async () => {
    for (const name of SERVICES) {
      const [version, latest] = await Promise.all(
        [VERSION, "latest"].map((tag) => manifestOf<Index>(registry.address, `${ACCOUNT}/${name}`, tag)),
      );
      expect([version?.digest, latest?.digest]).toEqual([pushed[name].index, pushed[name].index]);
      const type = (kind: string) => `application/vnd.oci.image.${kind}.v1+json`;
      expect([version?.mediaType, version?.content.mediaType]).toEqual([type("index"), type("index")]);
      expect(
        version?.content.manifests.map(({ platform, mediaType, digest }) => [platform, mediaType, digest]),
      ).toEqual(
        ["amd64", "arm64"].map((architecture, i) => [
          { os: "linux", architecture },
          type("manifest"),
          pushed[name].images[i] ?? "",
        ]),
      );
      for (const digest of pushed[name].images) {
        const { content } = await manifestOf<Manifest>(registry.address, `${ACCOUNT}/${name}`, digest);
        expect([content.mediaType, content.config.mediaType]).toEqual([type("manifest"), type("config")]);
        for (const layer of content.layers)
          expect(layer.mediaType).toBe(`${type("layer").replace("+json", "")}.tar+gzip`);
      }
    }
  });

  test("each image says what it is, and how its health is checked", async () => {
    const base = RUNTIME.replace(/@.*/, "");
    for (const name of SERVICES) {
      for (const [i, digest] of pushed[name].images.entries()) {
        const repository = `${ACCOUNT}/${name}`;
        const { content } = await manifestOf<Manifest>(registry.address, repository, digest);
        const config = await blobOf<{ os: string; architecture: string; config: Record<string, unknown> }>(
          registry.address,
          repository,
          content.config.digest,
        );
        expect(`${config.os}/${config.architecture}`).toBe(PLATFORMS[i] ?? "");
        expect(config.config).toMatchObject({
          User: "65532",
          Entrypoint: [`/${name}`],
          Healthcheck: { Test: ["CMD", `/${name}`, "healthcheck"], Interval: 5e9, Timeout: 3e9, Retries: 3 },
          Labels: {
            hub_url: `docker.io/${ACCOUNT}/${name}`,
            "org.opencontainers.image.version": VERSION,
            "org.opencontainers.image.revision": clone.commit,
            "org.opencontainers.image.source": SOURCE,
          },
        });
        expect(content.annotations?.["org.opencontainers.image.base.name"]).toContain(base);
        expect(content.annotations?.["org.opencontainers.image.base.digest"]).toMatch(/^sha256:[0-9a-f]{64}$/);
      }
    }
  });

  test("both services have the same base layers, other ones for each platform", async () => {
    const layers = (name: ServiceName, i: number) =>
      manifestOf<Manifest>(registry.address, `${ACCOUNT}/${name}`, pushed[name].images[i] ?? "").then(({ content }) =>
        content.layers.map(({ digest }) => digest).slice(0, -1),
      );
    const [amd64, arm64] = [await layers("api-backend", 0), await layers("api-backend", 1)];
    expect(amd64.length).toBeGreaterThan(0);
    expect(await layers("api-frontend", 0)).toEqual(amd64);
    expect(await layers("api-frontend", 1)).toEqual(arm64);
    expect(arm64).not.toEqual(amd64);
  });

  const PREDICATES = ["https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"];

  test("ORAS shows an SBOM and a provenance of each image, as referrers", async () => {
    for (const name of SERVICES) {
      for (const digest of pushed[name].images) {
        const discover = ["oras", "discover", "--plain-http", "--format", "json", `${address(name)}@${digest}`];
        const { manifests } = JSON.parse(await runOrThrow(discover)) as { manifests: { digest: string }[] };
        const kinds = await Promise.all(
          manifests.map(async (referrer) => {
            const found = await manifestOf<Manifest & { subject: { digest: string } }>(
              registry.address,
              `${ACCOUNT}/${name}`,
              referrer.digest,
            );
            expect(found.content.subject.digest).toBe(digest);
            return found.content.annotations?.["dev.sigstore.bundle.predicateType"];
          }),
        );
        expect(kinds.sort()).toEqual(PREDICATES);
        // How a registry without the referrers API lists them.
        expect(Object.keys(contents(name).tags)).toContain(digest.replace(":", "-"));
      }
    }
  });

  test("Cosign verifies the signatures and the statements, with this key and no other", async () => {
    // Without the network Cosign cannot fetch Sigstore's keys, which a signature by a key does not need.
    const root = join(work, "root.json");
    writeFileSync(root, '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
    const verify = (file: string, image: string) =>
      run(["cosign", "verify", "--key", file, "--insecure-ignore-tlog=true", image]);
    const statement = (file: string, type: string, image: string) => {
      const options = ["--key", file, "--insecure-ignore-tlog=true", "--new-bundle-format", "--trusted-root", root];
      return run(["cosign", "verify-attestation", ...options, "--type", type, image]);
    };
    const other = join(work, "other.pub");
    for (const name of SERVICES) {
      const { index, images } = pushed[name];
      for (const digest of [index, ...images])
        expect(await verify(publicKey(), `${address(name)}@${digest}`)).toMatchObject({ code: 0 });
      expect((await verify(other, `${address(name)}@${index}`)).code).not.toBe(0);
      for (const digest of images) {
        const image = `${address(name)}@${digest}`;
        for (const type of PREDICATES) {
          const { code, stdout } = await statement(publicKey(), type, image);
          expect(code).toBe(0);
          const payload = JSON.parse(Buffer.from(JSON.parse(stdout).payload, "base64").toString());
          expect(payload).toMatchObject({ predicateType: type, subject: [{ digest: { sha256: digest.slice(7) } }] });
          if (type === PREDICATES[1])
            expect(payload.predicate.buildDefinition.externalParameters).toMatchObject({
              repository: SOURCE,
              commit: clone.commit,
              service: name,
            });
        }
      }
      expect((await statement(other, PREDICATES[0] ?? "", `${address(name)}@${images[0]}`)).code).not.toBe(0);
    }
  });

  test("the engine pulls and runs them", async () => {
    for (const name of SERVICES) {
      const image = `${address(name)}:${VERSION}`;
      await runOrThrow(["docker", "pull", "--quiet", image]);
      try {
        await expectToRun(name, image);
      } finally {
        await run(["docker", "image", "rm", "--force", image]);
      }
    }
  });

  const layouts = {} as Record<ServiceName, Layout>;

  test("the executables for arm64 run, on what is in their images, with the right responses", async () => {
    const qemu = await emulator();
    const ports = { "api-backend": await freePort(), "api-frontend": await freePort() };
    const children: Bun.Subprocess[] = [];
    try {
      for (const name of SERVICES) {
        const folder = join(work, "layouts", name);
        await pull(`${address(name)}@${pushed[name].index}`, folder, "image");
        layouts[name] = await readLayout(folder);
        const root = await unpack(layouts[name], join(work, "roots", name));
        const env = { API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(ports["api-backend"]) };
        const command = [qemu, "-L", root, join(root, name)];
        const output = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
        children.push(Bun.spawn(command, { env: { PORT: String(ports[name]), ...env }, ...output }));
      }
      for (const name of SERVICES) {
        const response = () => sendRaw(ports[name], rawRequest("GET", "/"));
        await waitUntil(`${name} answers`, async () => (await response()).endsWith(`\r\n\r\n${BODY[name]}`), 60_000);
      }
    } finally {
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map(({ exited }) => exited));
    }
  });

  test("make verify builds twice what was pushed", async () => {
    const { code, stdout, stderr } = await inClone(["make", "verify"], { PATH: process.env.PATH });
    expect(stderr).not.toContain("error:");
    const line = (name: ServiceName, i: number) =>
      `✓ two builds of ${name} are the same for ${PLATFORMS[i]}: ${pushed[name].images[i]}\n`;
    expect([code, stdout]).toEqual([0, SERVICES.flatMap((name) => [line(name, 0), line(name, 1)]).join("")]);
  }, 600_000);

  test("make verify takes a tag or a digest, and says what it has verified", async () => {
    for (const name of SERVICES) {
      const { index, images } = pushed[name];
      const image = name === "api-backend" ? `${address(name)}:${VERSION}` : `${address(name)}@${index}`;
      const { code, stdout, stderr } = await makeVerify(image);
      expect(stderr).toContain(`==> verifying ${address(name)}@${index}\n`);
      expect([code, stdout.split("\n")]).toEqual([
        0,
        [
          "✓ the signature is valid: cosign.pub",
          `✓ the provenance is validly signed: ${name} ${VERSION}, from the commit ${clone.commit}`,
          "✓ the SBOMs are validly signed",
          ...images.map((digest, i) => `✓ the commit builds this image for ${PLATFORMS[i]}: ${digest}`),
          "✓ the SBOMs list what is in the images",
          "",
        ],
      ]);
    }
  });

  test("make push of the same commit changes nothing", async () => {
    const before = SERVICES.map(contents);
    const { code, stdout, stderr } = await pushUngraded();
    expect([code, stderr]).toEqual([0, expect.stringMatching(/\nnot graded\n$/)]);
    expect(stderr).not.toContain("warning:");
    for (const name of SERVICES) expect(stdout).toContain(`${address(name)}@${pushed[name].index}\n`);
    expect(SERVICES.map(contents)).toEqual(before);
  }, 600_000);

  const tag = (name: ServiceName, digest: string, ...tags: string[]) =>
    runOrThrow(["oras", "tag", "--plain-http", `${address(name)}@${digest}`, ...tags]);

  test("if the grader finds a fault, latest is again what it was", async () => {
    // Anybody but ORAS and the engine is told that there is no such image.
    const front = startFront(registry.address, ({ url, headers }) =>
      url.endsWith("/manifests/latest") && headers.get("User-Agent")?.startsWith("Bun/")
        ? new Response(null, { status: 404 })
        : undefined,
    );
    for (const name of SERVICES) await tag(name, pushed[name].images[0] ?? "", "latest");
    const before = SERVICES.map(contents);
    try {
      const { code, stderr } = await makePush({ LAB_REGISTRY: front.address });
      expect(code).not.toBe(0);
      for (const name of SERVICES)
        expect(stderr).toContain(`==> ${front.address}/${ACCOUNT}/${name}:latest is again what it was\n`);
      expect(stderr).toContain("error: the grader finds faults in what was pushed.\n");
      expect(stderr).toMatch(/│ published │ .*│ 0\/2 +│ FAIL/);
      expect(SERVICES.map(contents)).toEqual(before);
    } finally {
      await front.stop();
    }
  }, 600_000);

  test("a registry that is gone half-way: what is published is said, and the next push completes it", async () => {
    const other = await startRegistry();
    let isGone = true;
    const front = startFront(other.address, ({ url }) =>
      // From when the backend has its tag.
      isGone && url.includes("/api-frontend/") && front.requests.some((one) => /^PUT .*\/\d+\.\d+\.\d+$/.test(one))
        ? new Response(null, { status: 503 })
        : undefined,
    );
    const tagsOf = (name: string) => contentsOf(other.folder, `${ACCOUNT}/${name}`).tags;
    try {
      const { code, stdout, stderr } = await pushUngraded({ LAB_REGISTRY: front.address });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(`error: ${front.address}/${ACCOUNT}/api-frontend could not be pushed: `);
      expect(stderr).toContain(`Only api-backend is published as ${VERSION}; latest is what it was.\n`);
      expect(Object.keys(tagsOf("api-backend"))).not.toContain("latest");
      isGone = false;
      expect((await pushUngraded({ LAB_REGISTRY: front.address })).code).toBe(0);
      for (const name of SERVICES) expect(tagsOf(name)).toMatchObject({ latest: pushed[name].index });
    } finally {
      await front.stop();
      await other.stop();
    }
  }, 600_000);

  test("a changed file makes another version, without provenance; a version that is there is kept, except by force", async () => {
    appendFileSync(join(clone.folder, "api-backend/api.ts"), "// Changed.\n");
    const dirty = `${VERSION}-dirty`;
    for (const name of SERVICES) await tag(name, pushed[name].index, dirty, "latest");
    const before = SERVICES.map(contents);
    try {
      const refused = await makePush();
      expect(refused.code).not.toBe(0);
      expect(refused.stdout).toBe("");
      const warning = `==> warning: these files are not those of a commit: the version is ${dirty}, which nobody can rebuild\n`;
      expect(refused.stderr).toContain(warning);
      const isThere = new RegExp(
        `error: ${address("api-backend")}:${dirty} is there already, and is another image: ` +
          `${pushed["api-backend"].index}, not (sha256:[0-9a-f]{64})\\.\n` +
          " {7}Give it a new version, in package.json; or overwrite it: {2}make push FORCE=1\n",
      );
      const built = isThere.exec(refused.stderr)?.[1];
      expect(built).toBeDefined();
      expect(SERVICES.map(contents)).toEqual(before);

      const forced = await pushUngraded({ FORCE: "1" });
      expect([forced.code, forced.stderr]).toEqual([0, expect.stringContaining(warning)]);
      for (const name of SERVICES) {
        const { tags } = contents(name);
        expect(tags[dirty]).not.toBe(pushed[name].index);
        expect(tags.latest).toBe(tags[dirty] ?? "");
        expect(tags[VERSION]).toBe(pushed[name].index);
      }
      expect(contents("api-backend").tags[dirty]).toBe(built ?? "");
      const index = await manifestOf<Index>(registry.address, `${ACCOUNT}/api-backend`, dirty);
      for (const { digest } of index.content.manifests) {
        const { content } = await manifestOf<Manifest>(registry.address, `${ACCOUNT}/api-backend`, digest);
        const config = await blobOf<BuiltConfig>(registry.address, `${ACCOUNT}/api-backend`, content.config.digest);
        expect(config.config.Labels).toMatchObject({
          "org.opencontainers.image.version": dirty,
          "org.opencontainers.image.revision": `${clone.commit}-dirty`,
        });
      }
      const { code, stdout, stderr } = await makeVerify(`${address("api-backend")}:${dirty}`);
      expect(code).not.toBe(0);
      expect(stdout).toBe("✓ the signature is valid: cosign.pub\n");
      expect(stderr).toContain(`has no validly signed statement of the type ${PREDICATES[1]}: `);
    } finally {
      await git("checkout", "--quiet", "api-backend/api.ts");
    }
  }, 600_000);

  test("make verify refuses another key, and an image without a signature", async () => {
    const image = `${address("api-backend")}@${pushed["api-backend"].index}`;
    const other = await makeVerify(image, { KEY: join(work, "other.pub") });
    expect(other.code).not.toBe(0);
    expect(other.stderr).toContain(`error: ${image} has no valid signature: `);
    expect(other.stdout).toBe("");

    await push(layouts["api-backend"].folder, "image", address("unsigned"));
    const unsigned = await makeVerify(`${address("unsigned")}@${pushed["api-backend"].index}`);
    expect(unsigned.code).not.toBe(0);
    expect(unsigned.stderr).toContain(
      `error: ${address("unsigned")}@${pushed["api-backend"].index} has no valid signature`,
    );
  });

  /** What was said of an image when it was pushed, with something changed. */
  async function statementsOf(name: ServiceName, i: number) {
    const image = `${address(name)}@${pushed[name].images[i]}`;
    const discover = ["oras", "discover", "--plain-http", "--format", "json", image];
    const { manifests } = JSON.parse(await runOrThrow(discover)) as { manifests: { digest: string }[] };
    return Promise.all(
      manifests.map(async ({ digest }) => {
        const { content } = await manifestOf<Manifest>(registry.address, `${ACCOUNT}/${name}`, digest);
        const type = content.annotations?.["dev.sigstore.bundle.predicateType"] ?? "";
        const bundle = await blobOf<{ dsseEnvelope: { payload: string } }>(
          registry.address,
          `${ACCOUNT}/${name}`,
          content.layers[0]?.digest ?? "",
        );
        const { predicate } = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
        return {
          name: (type === PREDICATES[0] ? "sbom" : "provenance") as StatementName,
          predicate,
          manifest: content,
        };
      }),
    );
  }

  /** Publishes a layout as make push does, with the key, but with statements about what it was made from. */
  async function publish(layout: Layout, repository: string, change: (predicate: object) => void = () => {}) {
    const where = address(repository);
    await push(layout.folder, "image", where);
    await sign(`${where}@${layout.index.digest}`, key());
    for (const [i, { descriptor }] of layout.images.entries()) {
      for (const { name, predicate } of await statementsOf("api-backend", i)) {
        if (name === "provenance") change(predicate);
        await attest(`${where}@${descriptor.digest}`, name, predicate, key());
      }
    }
    return `${where}@${layout.index.digest}`;
  }

  /** The backend's images with a file of the lowest layer changed, in that for amd64. */
  async function tampered(): Promise<Layout> {
    const original = layouts["api-backend"];
    const folder = join(work, "tampered");
    if (existsSync(folder)) return readLayout(folder);
    const images = await Promise.all(
      original.images.map(async ({ platform, config, manifest }) => {
        const layers = await Promise.all(manifest.layers.map((layer) => readLayerTar(original.folder, layer)));
        const tars = layers.map((tar) => new Uint8Array(tar));
        if (platform === "linux/amd64") renameRoot(tars);
        const diff_ids = tars.map((tar) => `sha256:${new Bun.CryptoHasher("sha256").update(tar).digest("hex")}`);
        const annotations = (manifest as { annotations?: Record<string, string> }).annotations ?? {};
        const base = {
          name: annotations["org.opencontainers.image.base.name"] ?? "",
          digest: annotations["org.opencontainers.image.base.digest"] ?? "",
        };
        const changed: BuiltConfig = { ...config, rootfs: { type: "layers", diff_ids } };
        // All layers are written as they are.
        const own = { dockerfile: "", epoch: Date.parse(config.created ?? "") / 1000, baseConfig: changed };
        return { platform, config: changed, layers: tars.map((tar) => async () => tar), base, ...own };
      }),
    );
    await writeLayout(folder, "image", images);
    return readLayout(folder);
  }

  test("make verify finds a changed file in an image that is signed again, with the old statements", async () => {
    const layout = await tampered();
    const image = await publish(layout, "tampered");
    const { code, stdout, stderr } = await makeVerify(image);
    expect(code).not.toBe(0);
    const [amd64 = "", arm64 = ""] = pushed["api-backend"].images;
    const changed = layout.images[0]?.descriptor.digest;
    expect(stdout).toContain(`✗ linux/amd64: ${changed} and ${amd64} differ\n`);
    expect(stdout).toMatch(/^ {4}layer \d+ of \d+: (\.\/)?etc\/passwd\.sha256: "\w+", "\w+"$/m);
    expect(stdout).toContain(`✓ the commit builds this image for linux/arm64: ${arm64}\n`);
    expect(stderr).toContain("error: the SBOM for linux/amd64 does not list what is in the image.\n");
  });

  test("make verify does not take the statements about one image for another", async () => {
    const layout = await tampered();
    const where = address("copied");
    await push(layout.folder, "image", where);
    await sign(`${where}@${layout.index.digest}`, key());
    // As they are, signatures included: only whom they are about is changed.
    for (const [i, { descriptor }] of layout.images.entries()) {
      for (const { manifest } of await statementsOf("api-backend", i)) {
        const { mediaType, digest, size } = descriptor;
        const file = join(work, "referrer.json");
        writeFileSync(file, JSON.stringify({ ...manifest, subject: { mediaType, digest, size } }));
        for (const blob of [manifest.config, ...manifest.layers]) {
          const from = `${address("api-backend")}@${blob.digest}`;
          const copy = join(work, "blob");
          await runOrThrow(["oras", "blob", "fetch", "--plain-http", "--output", copy, from]);
          await runOrThrow(["oras", "blob", "push", "--plain-http", `${where}@${blob.digest}`, copy]);
        }
        await runOrThrow(["oras", "manifest", "push", "--plain-http", where, file]);
      }
    }
    const { code, stdout, stderr } = await makeVerify(`${where}@${layout.index.digest}`);
    expect(code).not.toBe(0);
    expect(stdout).toBe("✓ the signature is valid: cosign.pub\n");
    expect(stderr).toContain(`${layout.images[0]?.descriptor.digest} has no validly signed statement of the type `);
  });

  test("make verify finds that another commit was named, and one that is nowhere", async () => {
    await git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "Another");
    const other = await git("rev-parse", "HEAD");
    const naming = (commit: string) => (predicate: object) =>
      Object.assign((predicate as Provenance).buildDefinition.externalParameters, { commit });
    const image = await publish(layouts["api-backend"], "another-commit", naming(other));
    const { code, stdout } = await makeVerify(image);
    expect(code).not.toBe(0);
    expect(stdout).toContain(`from the commit ${other}\n`);
    for (const platform of PLATFORMS) expect(stdout).toContain(`✗ ${platform}: `);
    const label = "configuration.config.Labels.org.opencontainers.image.revision";
    expect(stdout).toContain(`    ${label}: "${clone.commit}", "${other}"\n`);

    const nowhere = "f".repeat(40);
    const missing = await makeVerify(await publish(layouts["api-backend"], "no-commit", naming(nowhere)));
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain(
      `error: neither this repository nor a branch or tag of its origin has the commit ${nowhere}.\n       It is said to be in ${SOURCE}:`,
    );
  }, 600_000);
});

interface Provenance {
  readonly buildDefinition: { readonly externalParameters: object };
}

/** Changes a name in etc/passwd, in the layer that has it. */
function renameRoot(tars: readonly Uint8Array<ArrayBuffer>[]): void {
  const line = "root:x:0:0:root:/root:/sbin/nologin";
  const tar = tars.map(({ buffer }) => Buffer.from(buffer)).find((bytes) => bytes.includes(line));
  if (!tar) throw new Error("no etc/passwd");
  tar.write("toor", tar.indexOf(line));
}

/** Unpacks an image's layers for arm64 into a folder, which is made. */
async function unpack(layout: Layout, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const image = layout.images.find(({ platform }) => platform === "linux/arm64");
  for (const layer of image?.manifest.layers ?? []) {
    await Bun.write(`${folder}.tar`, await readLayerTar(layout.folder, layer));
    await runOrThrow(["tar", "-xf", `${folder}.tar`, "-C", folder]);
  }
  return folder;
}

/** Runs an image on its own, the frontend without a backend, and checks a response. */
async function expectToRun(name: ServiceName, image: string) {
  const hostPort = await freePort();
  const options = ["--publish", `127.0.0.1:${hostPort}:${PORT[name]}`, "--env", "API_BACKEND_URL=127.0.0.1"];
  options.push("--env", "API_BACKEND_PORT=1", "--label", `com.docker.compose.project=${TEST_NAME}`);
  const container = await runOrThrow(["docker", "run", "--detach", "--rm", ...options, image]);
  try {
    const [path, body] = name === "api-backend" ? ["/", BODY[name]] : ["/healthz", '{\n  "status": "ok"\n}\n'];
    await waitUntil(`${name} answers`, async () => (await sendRaw(hostPort, rawRequest("GET", path))).endsWith(body));
  } finally {
    await runOrThrow(["docker", "stop", container]);
  }
}
