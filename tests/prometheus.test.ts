// A real Prometheus scrapes both services under load, and answers every expression of the dashboard and of the alerts.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import dashboard from "../deploy/grafana/dashboard.json" with { type: "json" };
import { run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { SERVICES } from "../lab/services.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  type Service,
  startBothServices,
} from "../testing/executables.ts";
import { type Program, prometheusPrograms } from "../testing/prometheus.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);

const programs = await prometheusPrograms();
const program = (name: Program) => programs?.[name] ?? name;
const ALERTS = "deploy/prometheus/alerts.yaml";
const rules: { groups: { rules: { alert: string; expr: string }[] }[] } = parse(await Bun.file(ALERTS).text());

const EXPRESSIONS = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr, refId }) => ({ name: `${title}, ${refId}`, expr })),
);

const REASON = programs === undefined ? ", skipped: it is not installed, and this is no Debian that has it" : "";

describe.skipIf(programs === undefined)(`Prometheus${REASON}`, () => {
  let services: Record<(typeof SERVICES)[number], Service>;
  let prometheus: Bun.Subprocess;
  let url: string;
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-"));

  /** The result of an expression; each element is one series. */
  async function query(expr: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const { status, error, data } = (await answer.json()) as { status: string; error?: string; data: { result: [] } };
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data.result;
  }

  beforeAll(async () => {
    await compileExecutables();
    services = await startBothServices();
    const jobs = SERVICES.map((name) => ({
      job_name: name,
      static_configs: [{ targets: [`127.0.0.1:${services[name].port}`] }],
    }));
    const configuration = {
      global: { scrape_interval: "200ms", scrape_timeout: "200ms", evaluation_interval: "200ms" },
      rule_files: [resolve(ALERTS)],
      scrape_configs: jobs,
    };
    writeFileSync(join(folder, "prometheus.yaml"), JSON.stringify(configuration));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    prometheus = Bun.spawn(
      [
        program("prometheus"),
        `--config.file=${folder}/prometheus.yaml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdout: "ignore", stderr: Bun.file(join(folder, "log")) },
    );
    await waitUntil("Prometheus is ready", async () => (await fetch(`${url}/-/ready`)).ok);
    await waitUntil("requests of three scrapes are counted", async () => {
      for (const path of ["/", "/", "/", "/none"])
        await (await fetch(`http://127.0.0.1:${services["api-frontend"].port}${path}`)).text();
      const scraped = await query('count_over_time(http_requests_total{code="404"}[1m])');
      return Number(scraped[0]?.value[1]) > 3;
    });
  });
  afterAll(async () => {
    prometheus?.kill();
    await prometheus?.exited;
    killServices();
    removeExecutables();
    rmSync(folder, { recursive: true });
  });

  test.each(EXPRESSIONS)("has data for $name", async ({ expr }) => {
    const result = await query(expr.replaceAll("$__rate_interval", "10s").replaceAll("$job", ".*"));
    expect(result.length).toBeGreaterThan(0);
    // An expression that divides by nothing, for example.
    expect(result.filter(({ value: [, text] }) => text === "NaN")).toEqual([]);
  });

  test.each([...SERVICES])("its promtool finds nothing to criticize in what %s sends", async (name) => {
    const sent = await fetch(`http://127.0.0.1:${services[name].port}/metrics`);
    const child = Bun.spawn([program("promtool"), "check", "metrics"], {
      stdin: new Blob([await sent.text()]),
      stderr: "pipe",
      stdout: "pipe",
    });
    expect([await child.stderr.text(), await child.stdout.text(), await child.exited]).toEqual(["", "", 0]);
  });

  test("counts what the frontend counts", async () => {
    const [total] = await query('sum(max_over_time(http_requests_total{code="200"}[1m]))');
    expect(Number(total?.value[1])).toBeGreaterThan(5);
  });

  test("accepts the alerts, none of which fires, and knows every metric that they name", async () => {
    expect(await run([program("promtool"), "check", "rules", ALERTS])).toMatchObject({ code: 0, stderr: "" });
    for (const { alert, expr } of rules.groups.flatMap((group) => group.rules)) {
      for (const [name] of expr.matchAll(/\b(?:http|backend|service|process|tcp)_\w+|\bup\b/g))
        expect([alert, (await query(name)).length]).not.toEqual([alert, 0]);
    }
    expect(await query("ALERTS")).toEqual([]);
  });

  /** The alerts that fire after 15 minutes of these series, a sample every 15 s. */
  async function firing(series: Record<string, string>, alerts: readonly string[]) {
    const file = join(folder, "alerts-test.yaml");
    const expected = alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 }));
    const expr = 'count by (alertname) (ALERTS{alertstate="firing"})';
    const test = {
      interval: "15s",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [{ expr, eval_time: "15m", exp_samples: expected }],
    };
    writeFileSync(file, JSON.stringify({ rule_files: [resolve(ALERTS)], evaluation_interval: "15s", tests: [test] }));
    return run([program("promtool"), "test", "rules", file]);
  }

  test("fires each alert where it should", async () => {
    const { code, stdout, stderr } = await firing(
      {
        'up{job="api-backend"}': "0x60",
        'up{job="api-frontend"}': "1x60",
        'service_draining{job="api-frontend"}': "1x60",
        'backend_addresses{instance="a"}': "3x60",
        'backend_addresses_left_out{instance="a"}': "3x60",
        'http_requests_total{job="api-frontend", code="200"}': "0+98x60",
        'http_requests_total{job="api-frontend", code="502"}': "0+2x60",
        'http_requests_total{job="of others", code="200"}': "0+9999x60",
      },
      ["ServiceDown", "DrainingForLong", "BackendsUnreachable", "FrontendErrors"],
    );
    expect([code, stdout + stderr]).toEqual([0, expect.stringContaining("SUCCESS")]);
    const up = { 'up{job="api-frontend"}': "1x60", 'up{job="api-backend"}': "1x60" };
    const idle = { 'http_requests_total{job="api-frontend", code="200"}': "7x60" };
    expect(await firing({ ...up, ...idle }, ["FrontendWithoutTraffic"])).toMatchObject({ code: 0 });
    // The name has no address any more: on a Swarm, and behind a headless Service.
    const nameless = { 'backend_addresses{instance="a"}': "0x60", 'backend_calls_waiting{instance="a"}': "9x60" };
    expect(await firing({ ...up, ...nameless }, ["BackendsUnreachable"])).toMatchObject({ code: 0 });
    expect(await firing({ 'up{job="api-frontend"}': "1x60" }, ["ServiceGone"])).toMatchObject({ code: 0 });
  });

  test("fires none while one backend of several is away", async () => {
    const series = {
      'up{job="api-frontend"}': "1x60",
      'up{job="api-backend"}': "1x60",
      'service_draining{job="api-frontend"}': "0x60",
      'backend_addresses{instance="a"}': "3x60",
      'backend_addresses_left_out{instance="a"}': "2x60",
      'http_requests_total{job="api-frontend", code="200"}': "0+999x60",
      'http_requests_total{job="api-frontend", code="502"}': "0+1x60",
    };
    expect(await firing(series, [])).toMatchObject({ code: 0 });
    expect((await firing(series, ["ServiceDown"])).code).toBe(1);
  });

  test("would fire an alert for a service that is gone", async () => {
    services["api-backend"].child.kill("SIGKILL");
    await waitUntil("the alert is pending", async () => {
      const pending = await query("ALERTS");
      return pending.some(({ metric }) => metric.alertname === "ServiceDown" && metric.job === "api-backend");
    });
  });
});

test("the dashboard names its panels and its expressions once", () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const names = EXPRESSIONS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
