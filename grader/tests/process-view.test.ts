// What is made of the helper's output, which a submission may try to forge.

import { expect, test } from "bun:test";
import { listenersOn, parseView } from "../process-view.ts";

/** A line of /proc/net/tcp or tcp6. */
const line = (address: string, inode: number, state = "0A") =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 000000001c9da2a6 100 0 0 10 0`;

const output = (...lines: string[]) => `${[...lines, "end"].join("\n")}\n`;

const PID1 = { id: 1, name: "bun" };

test("IPv4, IPv6, several ports, and a socket that two processes share", () => {
  const view = parseView(
    output(
      line("00000000:1F41", 10),
      line("00000000000000000000000000000000:1F40", 11),
      "socket 10 /proc/1/fd/3",
      "socket 99 /proc/1/fd/4",
      "socket 10 /proc/17/fd/3",
      "socket 10 /proc/17/fd/5",
      "socket 11 /proc/17/fd/6",
      "name 1 bun",
      "name 17 worker",
    ),
  );
  const worker = { id: 17, name: "worker" };
  const sockets = [
    { port: 8001, holders: [PID1, worker] },
    { port: 8000, holders: [worker] },
  ];
  expect(view).toEqual({ pid1: PID1, sockets });
  expect(listenersOn(8000, view ?? expect.unreachable())).toEqual([worker]);
  // No socket has that port.
  expect(listenersOn(9000, view ?? expect.unreachable())).toEqual([PID1, worker, worker]);
});

test("Docker's DNS server, and connections, do not listen", () => {
  const lines = [line("0B00007F:9C41", 10), line("0100007F:1F41", 11, "01"), "name 1 bun"];
  expect(parseView(output(...lines))).toEqual({ pid1: PID1, sockets: [] });
});

test.each([
  ["nothing", ""],
  ["no end", `${line("00000000:1F41", 10)}\nname 1 bun\n`],
  ["an end within a name", "name 1 end\n"],
  ["an end cut off", "name 1 bun\nend"],
])("%s: the helper was killed", (_, text) => {
  expect(parseView(text)).toBeUndefined();
});

test.each([
  ["of other lines", `socket 10 /proc/1/fd/3 ${line("00000000:1F41", 10)}`],
  ["of a name line", "name 1 bun"],
  ["of the end", "end"],
])("a name in the form %s names one process only", (_, name) => {
  const view = parseView(output(line("00000000:1F41", 10), "socket 10 /proc/7/fd/3", "name 1 sh", `name 7 ${name}`));
  expect(view).toEqual({ pid1: { id: 1, name: "sh" }, sockets: [{ port: 8001, holders: [{ id: 7, name }] }] });
});

test("a name's bytes that are not printable ASCII become question marks", () => {
  const view = parseView(output("name 1 \x1b[31m\r\0\x7f\u2028\u202eé\ufffd"));
  expect(view?.pid1.name).toBe("?[31m???????");
});

test("missing names, and lines that were cut or changed, are no error", () => {
  const lines = [
    line("00000000:1F41", 10),
    line("00000000:1F42", 12).slice(0, -60),
    line("xyz:1F43", 13),
    "socket 10 /proc/7/fd/3",
    "socket 10 /proc/",
    "socket -1 /proc/1/fd/3",
    "socket 10 /proc/1/fd/x",
    "name",
    "name x y",
    "",
  ];
  const sockets = [{ port: 8001, holders: [{ id: 7, name: "?" }] }];
  expect(parseView(output(...lines))).toEqual({ pid1: { id: 1, name: "?" }, sockets });
});

test("thousands of processes are read at once", () => {
  const ids = Array.from({ length: 10_000 }, (_, i) => i + 1);
  const lines = ids.flatMap((id) => [`socket 10 /proc/${id}/fd/3`, `name ${id} bun`]);
  const start = performance.now();
  expect(parseView(output(line("00000000:1F41", 10), ...lines))?.sockets[0]?.holders).toHaveLength(10_000);
  expect(performance.now() - start).toBeLessThan(1000);
});
