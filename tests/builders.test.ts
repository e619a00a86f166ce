// Each builder that is on this machine builds a small service for both platforms: from the same files always the same
// images, whoever builds them.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import type { Bases, Builder } from "../publish/builder.ts";
import { findBuildah } from "../publish/builders/buildah.ts";
import { findBuildKit } from "../publish/builders/buildkit.ts";
import {
  blobPath,
  type Layout,
  PLATFORMS,
  type PlatformName,
  readLayerTar,
  readLayout,
} from "../publish/oci-layout.ts";
import { removeTemporaryFolders } from "../publish/temporary.ts";
import { writeLayout } from "../publish/write-layout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { startRegistry } from "../testing/registry.ts";
import { TEST_NAME } from "../testing/stack.ts";

const EPOCH = 1_700_000_000;
const IMAGE = `localhost/${TEST_NAME}/base`;
const folder = mkdtempSync(join(tmpdir(), "builders-"));

const DOCKERFILE = `# check=skip=RedundantTargetPlatform
ARG BUN_IMAGE
ARG RUNTIME_IMAGE
FROM --platform=\${BUILDPLATFORM:-linux} \${BUN_IMAGE} AS build
COPY service /out/service
FROM --platform=\${TARGETPLATFORM:-linux} \${RUNTIME_IMAGE}
COPY --from=build /out/service /service
ENV B=2 A=1
EXPOSE 8001
HEALTHCHECK --interval=5s CMD ["/service", "healthcheck"]
ENTRYPOINT ["/service"]
ARG VERSION=unknown
LABEL version="\${VERSION}"
`;

/** A folder with files that are made now. */
function makeFolder(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(join(folder, "files-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(made, name, ".."), { recursive: true });
    writeFileSync(join(made, name), text);
  }
  return made;
}

async function makeBases(builder: Builder): Promise<Bases> {
  const taken = `${IMAGE}:engine`;
  const bun = { name: taken, digest: await builder.takeFromEngine(taken), reference: taken };
  const runtime = async (platform: PlatformName) => {
    const reference = `${IMAGE}:${platform.replace("linux/", "")}`;
    const files = makeFolder({ Dockerfile: "FROM scratch\nCOPY here /\nENV PATH=/\nUSER 65532\n", here: platform });
    return { name: IMAGE, digest: await builder.buildStandin(files, reference, platform), reference };
  };
  return { bun, runtime: { "linux/amd64": await runtime("linux/amd64"), "linux/arm64": await runtime("linux/arm64") } };
}

async function build(builder: Builder, bases: Bases) {
  const source = makeFolder({ "api-backend/Dockerfile": DOCKERFILE, service: "a service" });
  const labels = { HUB_USER: "u", SOURCE: "s", VERSION: "1.2 $A\"'", REVISION: "r" };
  const work = mkdtempSync(join(folder, "work-"));
  const inputs = { service: "api-backend", source, platforms: PLATFORMS, epoch: EPOCH, labels, bases } as const;
  await writeLayout(join(work, "layout"), "test", await builder.build(inputs, work));
  return readLayout(join(work, "layout"));
}

/** Pushes a layout: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push */
async function push({ folder, index, images }: Layout, repository: string): Promise<void> {
  for (const { manifest } of images) {
    for (const { digest } of [manifest.config, ...manifest.layers]) {
      const started = await fetch(`${repository}/blobs/uploads/`, { method: "POST" });
      const address = new URL(started.headers.get("location") ?? "", repository);
      address.searchParams.set("digest", digest);
      expect((await fetch(address, { method: "PUT", body: Bun.file(blobPath(folder, digest)) })).status).toBe(201);
    }
  }
  for (const { digest, mediaType } of [...images.map(({ descriptor }) => descriptor), index]) {
    const request = { method: "PUT", headers: { "content-type": mediaType }, body: Bun.file(blobPath(folder, digest)) };
    expect((await fetch(`${repository}/manifests/${digest}`, request)).status).toBe(201);
  }
}

const found = { buildkit: await findBuildKit(), buildah: await findBuildah() };
/** The digests of the layer above the base. */
const tops: string[] = [];

describeWithEngine("builders", () => {
  beforeAll(async () => {
    // The engine writes what it imports in its own way; the builders take it from there.
    const tar = join(folder, "root.tar");
    await runOrThrow(["tar", "-C", makeFolder({ "bin/sh": "none" }), "-cf", tar, "."]);
    await runOrThrow(["docker", "import", tar, `${IMAGE}:engine`]);
  });
  afterAll(async () => {
    await runOrThrow(["docker", "image", "rm", `${IMAGE}:engine`]);
    await removeTemporaryFolders();
    rmSync(folder, { recursive: true });
  });

  for (const [kind, builder] of Object.entries(found)) {
    test.skipIf(builder === undefined)(`${kind}: the same images at another time, in another folder`, async () => {
      if (builder === undefined) return;
      expect(builder.name).toStartWith(`${kind} `);
      const [bases, first] = [await makeBases(builder), await build(builder, await makeBases(builder))];
      // The times in a tar are whole seconds.
      await Bun.sleep(1100);
      const second = await build(builder, bases);
      expect(second.index).toEqual(first.index);
      expect(second.images.map(({ platform }) => platform)).toEqual([...PLATFORMS]);
      for (const { platform, manifest, config } of second.images) {
        const [base, top] = manifest.layers;
        if (!base || !top) throw new Error(`${manifest.layers.length} layers`);
        expect(Buffer.from(await readLayerTar(second.folder, base)).toString()).toContain(platform);
        expect(config).toMatchObject({ created: "2023-11-14T22:13:20Z", architecture: platform.replace("linux/", "") });
        expect(config.config).toEqual({
          Entrypoint: ["/service"],
          Env: ["PATH=/", "B=2", "A=1"],
          ExposedPorts: { "8001/tcp": {} },
          Healthcheck: { Interval: 5_000_000_000, Test: ["CMD", "/service", "healthcheck"] },
          Labels: { version: "1.2 $A\"'" },
          User: "65532",
          WorkingDir: "/",
        });
        expect(config.history?.at(-1)).toEqual({
          created: "2023-11-14T22:13:20Z",
          created_by: "api-backend/Dockerfile",
        });
        tops.push(top.digest);
      }
    });
  }

  // BuildKit may run where it does not reach this machine's registry.
  test.skipIf(found.buildah === undefined)("buildah: a base with one name for both platforms", async () => {
    if (found.buildah === undefined) return;
    const registry = await startRegistry();
    try {
      const bases = await makeBases(found.buildah);
      const base = await build(found.buildah, bases);
      const name = `${registry.address}/base`;
      await push(base, `http://${registry.address}/v2/base`);
      const image = { name, digest: base.index.digest, reference: `${name}@${base.index.digest}` };
      const runtime = { "linux/amd64": image, "linux/arm64": image };
      // From the second time on, both are here when the first one is built on.
      await build(found.buildah, { bun: bases.bun, runtime });
      const { images } = await build(found.buildah, { bun: bases.bun, runtime });
      for (const [at, { config }] of images.entries()) {
        const below = base.images[at]?.config;
        expect(config.architecture).toBe(below?.architecture ?? "");
        expect(config.history?.slice(0, -1)).toEqual(below?.history ?? []);
        expect(config.rootfs.diff_ids.slice(0, -1)).toEqual(below?.rootfs.diff_ids ?? []);
      }
    } finally {
      await registry.stop();
    }
  });

  test("all builders make the same layer", () => {
    expect(new Set(tops).size).toBe(tops.length === 0 ? 0 : 1);
  });
});
