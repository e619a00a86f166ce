import { expect, test } from "bun:test";
import type { Container, Endpoint } from "../../host/docker.ts";
import { isBackend } from "../backend-names.ts";

const endpoint = (fields: Partial<Endpoint> = {}): Endpoint => ({
  IPAddress: "",
  GlobalIPv6Address: "",
  Aliases: null,
  Links: null,
  ...fields,
});

/** A container with the fields that names come from. */
function container(
  Name: string,
  Networks: Record<string, Endpoint>,
  HostConfig: { Links?: string[]; ExtraHosts?: string[] } = {},
) {
  return { Name, NetworkSettings: { Networks }, HostConfig } as unknown as Container;
}

const backend = container("/tp_back_1", {
  tp_one: endpoint({
    IPAddress: "172.30.7.2",
    GlobalIPv6Address: "fd00:1234::2",
    Aliases: ["back", "Alias-One", "0123456789ab"],
    DNSNames: ["tp_back_1", "the-host"],
  }),
  tp_two: endpoint({ IPAddress: "172.30.8.2", Aliases: ["back", "alias-two"] }),
  tp_three: endpoint({ IPAddress: "172.30.9.2", Aliases: ["back", "alias-three"] }),
});
const frontend = container(
  "/tp_front_1",
  { tp_one: endpoint({ Links: ["tp_back_1:api", "tp_db_1:db"] }), tp_two: endpoint() },
  { ExtraHosts: ["extra:172.30.7.2", "extra6:fd00:1234::2", "host:172.17.0.1"] },
);
const isName = (value: string) => isBackend(value, backend, frontend, ["tp_one", "tp_two"]);

// The names were tried with engine 20.10, and both versions of Compose: a frontend reaches its backend by them.
test.each([
  "back",
  "BACK",
  "back.",
  "tp_back_1",
  "0123456789ab",
  "the-host",
  "alias-one",
  "alias-two",
  "api",
  "Api.",
  "back.tp_one",
  "back.tp_two.",
  "api.tp_one",
  "alias-two.tp_two",
  "172.30.7.2",
  "172.30.8.2",
  "fd00:1234::2",
  "[fd00:1234:0:0::2]",
  "extra",
  "extra6",
  "http://back",
  "http://back:8001/",
  "back:8001",
  "http://[fd00:1234::2]:8001",
])("%s is the backend", (value) => {
  expect(isName(value)).toBe(true);
});

test.each([
  "",
  "front",
  "db",
  "host",
  "localhost",
  "127.0.0.1",
  "172.17.0.1",
  "172.30.9.2",
  "alias-three",
  "back.tp_three",
  "alias-two.tp_one",
  "not a name",
])("%p is not", (value) => {
  expect(isName(value)).toBe(false);
});

test("on the default bridge only a link's alias and addresses are names", () => {
  const back = container("/back", { bridge: endpoint({ IPAddress: "172.17.0.2" }) });
  const front = container("/front", { bridge: endpoint() }, { Links: ["/back:/front/api", "/db:/front/db"] });
  const isNameThere = (value: string) => isBackend(value, back, front, ["bridge"]);
  expect(["api", "172.17.0.2"].map(isNameThere)).toEqual([true, true]);
  expect(["db", "172.17.0.3"].map(isNameThere)).toEqual([false, false]);
});
