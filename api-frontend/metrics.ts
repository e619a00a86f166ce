import { Counter, type Metric, single } from "../service/metrics.ts";
import type { Backend, Figures } from "./backend.ts";

/** Responses by status: everything but probes and scrapes that succeed. */
export const responseCounter = () =>
  new Counter<number>(
    "http_requests_total",
    "Responses by status code; 499: the client left. Not counted: 200 of /healthz, /readyz and /metrics, and what Bun refuses by itself.",
    "code",
    [200, 502, 503, 504],
  );

const FIGURES: readonly (readonly [key: keyof Figures, type: "counter" | "gauge", name: string, help: string])[] = [
  ["waiting", "gauge", "backend_calls_waiting", "Requests that wait for the backend."],
  ["retried", "counter", "backend_retries_total", "Attempts after one that failed."],
  ["hedged", "counter", "backend_hedges_total", "Attempts beside one that is silent."],
  ["connections", "gauge", "backend_connections", "Open connections to the backend."],
  ["addresses", "gauge", "backend_addresses", "Addresses that the backend's name has."],
  ["leftOut", "gauge", "backend_addresses_left_out", "Those that get no calls, because they failed lately."],
];

/** What a frontend tells of its backend. */
export const backendMetrics = (backend: Backend): Metric[] => [
  backend.durations,
  backend.outcomes,
  ...FIGURES.map(([key, type, name, help]) => single(type, name, help, () => backend.figures[key])),
];
