import { version } from "../package.json" with { type: "json" };
import { isDraining } from "./drain.ts";
import { type Metric, single } from "./metrics.ts";

/**
 * What both services tell of their process, under the names that Prometheus' own client libraries use, and of TCP as
 * the kernel counts it: that costs a request nothing.
 */
export function processMetrics(): Metric[] {
  // Not loaded at the start, of which it would take a tenth. import() makes the executable 1.5 MB larger.
  const { readdirSync, readFileSync } = process.getBuiltinModule("node:fs");
  const tcp = tcpCounters(readFileSync("/proc/net/snmp", "utf8"));
  const kernel = (field: string) => () => tcp[field] ?? Number.NaN;
  return [
    {
      name: "service_build_info",
      type: "gauge",
      help: "1, with the version.",
      samples: () => [[`{version="${version}"}`, 1]],
    },
    single("gauge", "service_draining", "1 once a signal to stop has come, else 0.", () => Number(isDraining())),
    single("counter", "process_cpu_seconds_total", "CPU time, user and system, in seconds.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
    single("gauge", "process_resident_memory_bytes", "Memory in RAM, shared pages included.", process.memoryUsage.rss),
    single(
      "gauge",
      "process_start_time_seconds",
      "When the process started, in seconds since 1970.",
      () => performance.timeOrigin / 1000,
    ),
    // One of them reads the list.
    single("gauge", "process_open_fds", "Open file descriptors.", () => readdirSync("/proc/self/fd").length - 1),
    single(
      "gauge",
      "tcp_connections",
      "Open TCP connections, both directions, of the container (or of the machine, if it shares its network).",
      kernel("CurrEstab"),
    ),
    single(
      "counter",
      "tcp_connections_accepted_total",
      "TCP connections that were accepted there.",
      kernel("PassiveOpens"),
    ),
    single("counter", "tcp_segments_received_total", "TCP segments received there.", kernel("InSegs")),
  ];
}

/** The counters of TCP in /proc/net/snmp: one line with their names, then one with their values. */
function tcpCounters(snmp: string): Record<string, number> {
  const [names = [], values = []] = snmp
    .split("\n")
    .filter((line) => line.startsWith("Tcp: "))
    .map((line) => line.split(" "));
  return Object.fromEntries(names.map((name, i) => [name, Number(values[i])]));
}
