import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The engine, its client, and downloads need these. All others could change what is printed. */
const KEPT =
  /^(PATH|HOME|TMPDIR|XDG_RUNTIME_DIR|SSH_AUTH_SOCK|DOCKER_.*|https?_proxy|NODE_EXTRA_CA_CERTS|COMPOSE_PROJECT_NAME|BUN_IMAGE|RUNTIME_IMAGE)$/i;

/** The variables that the subject fixes, and the names of the images, are not this user's. */
const DEFAULTS = ["BACKEND_PORT", "FRONTEND_PORT", "LAB_BIND", "LAB_LOG_LEVEL", "LAB_REGISTRY", "HUB_USER"];

/**
 * The variables of the recorded shell.
 *
 * @param folder for the recorder's configuration, and an empty one of curl, which reads the first one that it finds
 */
export function environment(folder: string): Record<string, string> {
  const curl = join(folder, "curl");
  mkdirSync(curl);
  writeFileSync(join(curl, ".curlrc"), "");
  const kept = Object.entries(process.env).filter(([name]) => KEPT.test(name));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    ...Object.fromEntries(DEFAULTS.map((name) => [name, ""])),
    COMPOSE_FILE: "docker-compose.yaml",
    CURL_HOME: curl,
    ASCIINEMA_CONFIG_HOME: folder,
    no_proxy: "localhost",
    NO_PROXY: "localhost",
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
  };
}
