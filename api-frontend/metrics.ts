import { Counter, Histogram, type Metric, single } from "../service/metrics.ts";
import type { Backend, Figures } from "./backend.ts";

/** Upper bounds in seconds: a call takes 0.2 ms when idle, and 5 s at most. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Responses by status: everything but probes and scrapes that succeed. */
export const responseCounter = () =>
  new Counter<number>(
    "http_requests_total",
    "Responses by status code; 499: the client left. Not counted: 200 of /healthz, /readyz and /metrics, and what Bun refuses by itself.",
    "code",
    [200, 502, 503, 504],
  );

export const durationHistogram = () =>
  new Histogram(
    "http_request_duration_seconds",
    "Time from the end of the request's headers to the response of GET and HEAD on /, whatever its status.",
    BOUNDS,
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
  backend.outcomes,
  ...FIGURES.map(([key, type, name, help]) => single(type, name, help, () => backend.figures[key])),
];
