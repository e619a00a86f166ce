// Keys of the Compose specification (https://github.com/compose-spec/compose-spec) by what the grader does with them. What
// is in neither list is left out, and the report says so: newer keys may do what nobody has thought of.

import type { Text } from "../text.ts";
import { WHY } from "./refusal.ts";

export const TOP_LEVEL_KEYS = new Set([
  "version",
  "name",
  "services",
  "networks",
  "volumes",
  "secrets",
  "configs",
  "include",
]);

/** Keys of a service that a submission may use; the values of some are checked. */
export const KNOWN_KEYS = new Set([
  "build",
  "cap_add",
  "cap_drop",
  "command",
  "configs",
  "container_name",
  "depends_on",
  "deploy",
  "dns",
  "dns_opt",
  "dns_search",
  "domainname",
  "entrypoint",
  "env_file",
  "environment",
  "expose",
  "extends",
  "extra_hosts",
  "healthcheck",
  "hostname",
  "image",
  "init",
  "ipc",
  "labels",
  "links",
  "logging",
  "mem_limit",
  "network_mode",
  "networks",
  "pids_limit",
  "platform",
  "ports",
  "profiles",
  "pull_policy",
  "read_only",
  "restart",
  "secrets",
  "security_opt",
  "shm_size",
  "stdin_open",
  "stop_grace_period",
  "stop_signal",
  "tmpfs",
  "tty",
  "ulimits",
  "user",
  "volumes",
  "volumes_from",
  "working_dir",
]);

/** Keys of a service's `build` that a submission may use. */
export const KNOWN_BUILD_KEYS = new Set([
  "additional_contexts",
  "args",
  "context",
  "dockerfile",
  "dockerfile_inline",
  "extra_hosts",
  "labels",
  "network",
  "no_cache",
  "secrets",
  "target",
]);

/** Keys of both that reach for the machine, whatever their value is, unless it is empty. */
const FORBIDDEN_KEYS: Readonly<Record<string, Text>> = {
  cgroup: WHY.namespace,
  cgroup_parent: WHY.namespace,
  credential_spec: WHY.secret,
  device_cgroup_rules: WHY.device,
  devices: WHY.device,
  entitlements: WHY.privileged,
  external_links: WHY.container,
  gpus: WHY.device,
  pid: WHY.namespace,
  post_start: WHY.privileged,
  pre_stop: WHY.privileged,
  privileged: WHY.privileged,
  provider: WHY.program,
  runtime: WHY.runtime,
  ssh: WHY.secret,
  use_api_socket: WHY.socket,
  userns_mode: WHY.namespace,
  uts: WHY.namespace,
};

/** What Docker gives to each container (https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities). */
export const DEFAULT_CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** Why a key of a service, or of its `build`, is refused; `undefined` if it is not, or has no effect. */
export function forbidden(key: string, value: unknown): Text | undefined {
  const isEmpty = value === null || value === false || value === "" || (Array.isArray(value) && value.length === 0);
  const isDefault = (key === "cgroup" && value === "private") || (key === "runtime" && value === "runc");
  return isEmpty || value === "false" || isDefault ? undefined : FORBIDDEN_KEYS[key];
}
