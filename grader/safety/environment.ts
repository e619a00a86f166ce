import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../host/command.ts";
import { dockerOrThrow } from "../../host/docker.ts";

/** What Compose and the Docker client need of the teacher's environment to run at all. */
const KEPT = ["PATH", "LANG", "LC_ALL", "TMPDIR", "SSH_AUTH_SOCK", "SystemRoot"] as const;

/** Compose and the client read these from the environment, and Compose from a submission's .env where they are not set. */
const STEERING: Environment = {
  COMPOSE_FILE: "",
  COMPOSE_ENV_FILES: "",
  COMPOSE_DISABLE_ENV_FILE: "0",
  COMPOSE_PATH_SEPARATOR: "",
  COMPOSE_CONVERT_WINDOWS_PATHS: "0",
  COMPOSE_TLS_VERSION: "",
  COMPOSE_HTTP_TIMEOUT: "120",
  COMPOSE_PARALLEL_LIMIT: "8",
  COMPOSE_BAKE: "false",
  // `docker compose config` alone wrote files of the host through a remote include (CVE-2025-62725).
  COMPOSE_EXPERIMENTAL_GIT_REMOTE: "0",
  COMPOSE_EXPERIMENTAL_OCI_REMOTE: "0",
  COMPOSE_EXPERIMENTAL: "0",
  COMPOSE_MENU: "0",
  // Some versions of Compose pass all of .env on to the programs that they start.
  LD_AUDIT: "",
  LD_LIBRARY_PATH: "",
  LD_PRELOAD: "",
  DOCKER_CONTEXT: "",
  DOCKER_API_VERSION: "",
  DOCKER_DEFAULT_PLATFORM: "",
  BUILDX_BUILDER: "",
  BUILDX_CONFIG: "",
};

/**
 * The whole environment of Compose for submissions: what a submission asks for by `${NAME}` or `environment: [NAME]` is
 * read from it, so it has nothing of the teacher's but the way to the engine.
 *
 * @param folder a folder of the grading, in which it makes an empty home and a configuration of the client
 */
export async function composeEnvironment(folder: string): Promise<Environment> {
  const home = join(folder, "home");
  const config = join(folder, "docker");
  mkdirSync(home, { recursive: true });
  mkdirSync(config, { recursive: true });
  linkPlugins(config);
  const kept = KEPT.map((name) => [name, process.env[name]] as const).filter(([, value]) => value !== undefined);
  return {
    ...STEERING,
    ...Object.fromEntries(kept),
    ...(await engineVariables()),
    HOME: home,
    DOCKER_CONFIG: config,
  };
}

/** Compose itself may be a plugin in the teacher's own configuration; logins are there too, and stay there. */
function linkPlugins(config: string) {
  const teachers = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker");
  const plugins = join(teachers, "cli-plugins");
  if (existsSync(plugins) && !existsSync(join(config, "cli-plugins")))
    symlinkSync(plugins, join(config, "cli-plugins"));
  writeFileSync(join(config, "config.json"), JSON.stringify(extraPluginFolders(join(teachers, "config.json"))));
}

function extraPluginFolders(file: string): { cliPluginsExtraDirs?: unknown } {
  try {
    const { cliPluginsExtraDirs } = JSON.parse(readFileSync(file, "utf8"));
    return cliPluginsExtraDirs === undefined ? {} : { cliPluginsExtraDirs };
  } catch {
    return {};
  }
}

/** The address of the engine that the teacher uses, by a variable or by a context. */
async function engineVariables(): Promise<Environment> {
  const { DOCKER_HOST, DOCKER_TLS_VERIFY = "", DOCKER_CERT_PATH = "" } = process.env;
  const host = DOCKER_HOST || (await dockerOrThrow("context", "inspect", "--format", "{{.Endpoints.docker.Host}}"));
  const version = await dockerOrThrow("version", "--format", "{{.Server.APIVersion}}");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  // Compose 1 reads a field that engines send up to this version of their API only.
  const api = major > 1 || minor > 44 ? { COMPOSE_API_VERSION: "1.44" } : {};
  return { DOCKER_HOST: host, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, ...api };
}
