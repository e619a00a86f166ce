// The versions of both images that the phases deploy, in a registry.
import { type Environment, run, runOrThrow } from "../../host/command.ts";
import { SERVICES, type ServiceName } from "../../lab/services.ts";
import { version } from "../../package.json" with { type: "json" };

/** What is changed in each version. */
const CHANGES: Readonly<Record<string, (name: ServiceName) => string>> = {
  next: () => "LABEL next=yes",
  // It does not know this argument.
  crashes: (name) => `ENTRYPOINT ["/${name}", "crash"]`,
  sick: (name) => `HEALTHCHECK --interval=5s --timeout=3s --retries=3 CMD ["/${name}", "sick"]`,
};

/** The account in the images' names, by which they are removed again. */
const ACCOUNT = "tpdockerscale";

export const VERSIONS = { first: version, next: "next", crashes: "crashes", sick: "sick" } as const;

/** Variables of make for images in a registry. */
export const variables = (registry: string): Environment => ({ LAB_REGISTRY: registry, HUB_USER: ACCOUNT });

/** Builds the images on this machine's engine, and pushes them. */
export async function pushImages(registry: string): Promise<void> {
  await runOrThrow(["make", "push"], variables(registry));
  for (const name of SERVICES) {
    const repository = `${registry}/${ACCOUNT}/${name}`;
    for (const [tag, change] of Object.entries(CHANGES)) {
      const dockerfile = `FROM ${repository}:${version}\n${change(name)}\n`;
      await runOrThrow([
        "sh",
        "-c",
        'printf %s "$0" | docker build --quiet --tag "$1" -',
        dockerfile,
        `${repository}:${tag}`,
      ]);
      await runOrThrow(["docker", "push", "--quiet", `${repository}:${tag}`]);
    }
  }
}

export async function removeImages(registry: string): Promise<void> {
  const tags = [version, "latest", ...Object.keys(CHANGES)];
  const names = SERVICES.flatMap((name) => tags.map((tag) => `${registry}/${ACCOUNT}/${name}:${tag}`));
  await run(["docker", "image", "rm", "--force", ...names], { cleansUp: true });
}
