// The Pod Security standard "restricted", field by field:
// https://kubernetes.io/docs/concepts/security/pod-security-standards/

export type Violation =
  | "hostNetwork"
  | "hostPort"
  | "hostProbes"
  | "volumes"
  | "privileged"
  | "allowPrivilegeEscalation"
  | "capabilities"
  | "runAsNonRoot"
  | "runAsUser"
  | "seccompProfile"
  | "sysctls"
  | "procMount"
  | "appArmor"
  | "seLinux"
  | "windows";

const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];
const SECCOMP = ["RuntimeDefault", "Localhost"];
const SYSCTLS = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const SELINUX_TYPES = [undefined, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

// biome-ignore lint/suspicious/noExplicitAny: a pod as it is written, right or wrong
type Loose = any;

/** What a pod's specification breaks of the standard, without repetition; empty if it keeps to it. */
export function violationsOfRestricted(pod: Loose): Violation[] {
  const containers: Loose[] = [
    ...(pod.containers ?? []),
    ...(pod.initContainers ?? []),
    ...(pod.ephemeralContainers ?? []),
  ];
  const own = containers.map((container) => container.securityContext ?? {});
  const ofPod = pod.securityContext ?? {};
  const contexts = [ofPod, ...own];
  /** A container's own setting, or else its pod's. */
  const effective = (field: string) => own.map((context) => context[field] ?? ofPod[field]);
  const handlers = containers.flatMap((container) => [
    ...["livenessProbe", "readinessProbe", "startupProbe"].map((name) => container[name]),
    container.lifecycle?.postStart,
    container.lifecycle?.preStop,
  ]);

  const broken: Record<Violation, boolean> = {
    hostNetwork: Boolean(pod.hostNetwork || pod.hostPID || pod.hostIPC),
    hostPort: containers.some(({ ports = [] }) => ports.some(({ hostPort }: Loose) => hostPort)),
    hostProbes: handlers.some((handler) => handler?.httpGet?.host || handler?.tcpSocket?.host),
    volumes: (pod.volumes ?? []).some(({ name: _, ...source }: Loose) =>
      Object.keys(source).some((type) => !VOLUMES.includes(type)),
    ),
    privileged: own.some(({ privileged }) => privileged),
    allowPrivilegeEscalation: own.some((context) => context.allowPrivilegeEscalation !== false),
    capabilities: own.some(
      ({ capabilities = {} }) =>
        !capabilities.drop?.includes("ALL") ||
        (capabilities.add ?? []).some((name: string) => name !== "NET_BIND_SERVICE"),
    ),
    runAsNonRoot: effective("runAsNonRoot").some((value) => value !== true),
    runAsUser: contexts.some(({ runAsUser }) => runAsUser === 0),
    seccompProfile: effective("seccompProfile").some((profile) => !SECCOMP.includes(profile?.type)),
    sysctls: (ofPod.sysctls ?? []).some(({ name }: Loose) => !SYSCTLS.includes(name)),
    procMount: own.some(({ procMount = "Default" }) => procMount !== "Default"),
    appArmor: contexts.some(({ appArmorProfile }) => appArmorProfile?.type === "Unconfined"),
    seLinux: contexts.some(
      ({ seLinuxOptions = {} }) =>
        !SELINUX_TYPES.includes(seLinuxOptions.type) || seLinuxOptions.user || seLinuxOptions.role,
    ),
    windows: contexts.some(({ windowsOptions }) => windowsOptions?.hostProcess),
  };
  return (Object.keys(broken) as Violation[]).filter((name) => broken[name]);
}
