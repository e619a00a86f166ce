// A real image registry on this machine: Debian's docker-registry.

import { sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { waitUntil } from "./wait-until.ts";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A program of a Debian package, installed or downloaded. */
const program = async (name: string): Promise<string> =>
  Bun.which(name) ?? `${await runOrThrow(["sh", "scripts/apt", "unpack", name])}/usr/bin/${name}`;

/** Starts an empty registry. It asks for the login, if there is one. */
export async function startRegistry(login?: Login) {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
  if (!login) return start(folder, undefined);
  const path = join(folder, "htpasswd");
  const hash = await Bun.password.hash(login.password, { algorithm: "bcrypt", cost: 4 });
  writeFileSync(path, `${login.username}:${hash}\n`);
  return start(folder, { htpasswd: { realm: "test", path } });
}

/** Starts a registry with a token server of its own, as Docker Hub has. Its tokens allow to pull, not to push. */
export async function startReadOnlyRegistry() {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"];
  await runOrThrow([await program("openssl"), ...request, "-keyout", key, "-out", certificate]);
  const [iss, service] = ["test issuer", "test registry"];

  /** A JSON Web Token as https://distribution.github.io/distribution/spec/auth/jwt/ describes it. */
  function token(name: string | undefined): string {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const x5c = [readFileSync(certificate, "utf8").replace(/-----.+-----|\n/g, "")];
    const now = Math.floor(Date.now() / 1000);
    const access = name === undefined ? [] : [{ type: "repository", name, actions: ["pull"] }];
    const claims = { iss, aud: service, sub: "test", nbf: now - 60, exp: now + 300, access };
    const signed = `${encode({ typ: "JWT", alg: "RS256", x5c })}.${encode(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), readFileSync(key)).toString("base64url")}`;
  }
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    // The scope is, for example, repository:alice/api-backend:pull,push.
    fetch: ({ url }) => Response.json({ token: token(new URL(url).searchParams.get("scope")?.split(":")[1]) }),
  });
  const realm = `${server.url}token`;
  const registry = await start(folder, { token: { realm, service, issuer: iss, rootcertbundle: certificate } });
  return {
    ...registry,
    async stop() {
      await registry.stop();
      await server.stop(true);
    },
  };
}

/** Starts a registry that keeps its files in a folder, on loopback. */
async function start(folder: string, auth: object | undefined) {
  const address = `127.0.0.1:${await freePort()}`;
  const child = await serve(folder, address, auth);
  const status = auth ? 401 : 200;
  await waitUntil("the registry answers", async () => (await fetch(`http://${address}/v2/`)).status === status);
  return {
    address,
    /** Where it keeps its files. */
    folder,
    async stop() {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Serves the files of a registry at another address too.
 *
 * @param wrap makes the command one that runs where that address is
 */
export async function serveElsewhere(folder: string, address: string, wrap: (...command: string[]) => string[]) {
  const child = await serve(folder, address, undefined, wrap);
  return {
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

async function serve(
  folder: string,
  address: string,
  auth: object | undefined,
  wrap = (...command: string[]) => command,
): Promise<Bun.Subprocess> {
  const config = join(folder, `${address}.yml`);
  const storage = { filesystem: { rootdirectory: folder } };
  writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: address }, auth }));
  const command = wrap(await program("docker-registry"), "serve", config);
  return Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
}
