import { dockerOrThrow } from "../../host/docker.ts";
import { once } from "../once.ts";

/** What a submission may use at most; more than any honest one needs. The memory is for all services together. */
const MEMORY_BYTES = 2 * 1024 ** 3;
const PROCESSES = 256;
const LOG = { "max-size": "10m", "max-file": "1" };

type Mapping = Readonly<Record<string, unknown>>;

/** Bounds of what a submission uses of the machine. */
export interface Bounds {
  /** For so many services, the keys that bound each. What it asks for itself counts, if it is less. */
  forServices(count: number): (service: Mapping) => Mapping;
}

/** The bounds on this engine: all processors but one, which is left to the grader. */
export const boundsOfEngine = once(findBounds);

async function findBounds(): Promise<Bounds> {
  const processors = Number(await dockerOrThrow("info", "--format", "{{.NCPU}}"));
  const cpuset = processors > 1 ? { cpuset: processors === 2 ? "1" : `1-${processors - 1}` } : {};
  return {
    forServices(count) {
      const share = Math.floor(MEMORY_BYTES / Math.max(count, 2));
      return ({ mem_limit, pids_limit }) => {
        const memory = Math.min(bytesOf(mem_limit) ?? share, share);
        const processes = Number(pids_limit) > 0 ? Math.min(Number(pids_limit), PROCESSES) : PROCESSES;
        // Without the second one as much swap may be used as memory.
        const limits = { mem_limit: memory, memswap_limit: memory, pids_limit: processes };
        return { ...cpuset, ...limits, logging: { driver: "json-file", options: LOG } };
      };
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** A size in bytes, as Compose writes it: `64m`, `1gb`, `1048576`. */
function bytesOf(size: unknown): number | undefined {
  const [, number, unit = ""] = /^([0-9.]+)\s*([kmgt]?)b?$/i.exec(String(size ?? "").trim()) ?? [];
  const bytes = Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  return bytes > 0 ? bytes : undefined;
}
