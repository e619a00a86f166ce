import { expect, test } from "bun:test";
import { ConfigError, host, oneOf, port, readConfig, upToAMinute, withDefault } from "./config.ts";

test.each(["1", "80", "8001", "65535"])("port %p is valid", (text) => {
  expect(port.parse(text)).toBe(Number(text));
});

test.each(["", "0", "65536", "99999", "080", "8001 ", "+80", "8e3", "0x50", "80.0", "-1", "http"])(
  "port %p is invalid",
  (text) => {
    expect(port.parse(text)).toBeUndefined();
  },
);

test.each(["0", "1", "5000", "60000"])("%p ms are valid", (text) => {
  expect(upToAMinute.parse(text)).toBe(Number(text));
});

test.each(["", "-1", "60001", "100000", "05", "5s", "1.5", "1e3", " 5", "none"])("%p ms are invalid", (text) => {
  expect(upToAMinute.parse(text)).toBeUndefined();
});

test.each([
  ["api-backend", "api-backend"],
  ["tp_api-backend_1", "tp_api-backend_1"],
  ["backend.example.org.", "backend.example.org."],
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "[::1]"],
  ["[fe80::1]", "[fe80::1]"],
])("host %p is %p in a URL", (text, expected) => {
  expect(host.parse(text)).toBe(expected);
});

test.each([
  "",
  " ",
  "http://api-backend",
  "api-backend:8001",
  "api-backend/",
  "a b",
  "user@host",
  "[::1",
  ":::",
  "a..b",
])("host %p is invalid", (text) => {
  expect(host.parse(text)).toBeUndefined();
});

test.each(["debug", "DEBUG", "Debug"])("the word %p is valid", (text) => {
  expect(oneOf(["debug", "info"]).parse(text)).toBe("debug");
});

test("readConfig names all variables that are missing or invalid at once", () => {
  const variables = {
    HOST: host,
    PORT: withDefault(port, 8000),
    LEVEL: withDefault(oneOf(["debug", "info", "warn"]), "info"),
  };
  const read = () => readConfig(variables, { PORT: "", LEVEL: "loud" });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(
    [
      "HOST is not set: expected a host name or an IP address, without scheme, port or path",
      'PORT="": expected a port number from 1 to 65535',
      'LEVEL="loud": expected debug, info or warn',
    ].join("\n"),
  );
});

test("readConfig returns the values, and the defaults of variables that are not set", () => {
  expect(readConfig({ A: port, B: withDefault(port, 2) }, { A: "1", C: "x" })).toEqual({ A: 1, B: 2 });
});
