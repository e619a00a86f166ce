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
  return start(folder, login && (await passwords(folder, login)));
}

/** Starts an empty registry that asks for the login, and has a certificate that nobody knows. */
export async function startTlsRegistry(login: Login) {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
  const tls = await makeCertificate(folder, "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1");
  return { ...(await start(folder, await passwords(folder, login), tls)), certificate: tls.certificate };
}

async function passwords(folder: string, { username, password }: Login): Promise<object> {
  const path = join(folder, "htpasswd");
  const hash = await Bun.password.hash(password, { algorithm: "bcrypt", cost: 4 });
  writeFileSync(path, `${username}:${hash}\n`);
  return { htpasswd: { realm: "test", path } };
}

/** Files in PEM. */
interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

async function makeCertificate(folder: string, subject: string, ...options: string[]): Promise<Certificate> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, ...options];
  await runOrThrow([await program("openssl"), ...request, "-keyout", key, "-out", certificate]);
  return { certificate, key };
}

/** Starts a registry with a token server of its own, as Docker Hub has. Its tokens allow to pull, not to push. */
export async function startReadOnlyRegistry() {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
  const { key, certificate } = await makeCertificate(folder, "/CN=test");
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
async function start(folder: string, auth: object | undefined, tls?: Certificate) {
  const address = `127.0.0.1:${await freePort()}`;
  const child = await serve(folder, address, auth, { tls });
  const [scheme, status] = [tls ? "https" : "http", auth ? 401 : 200];
  const answer = () => fetch(`${scheme}://${address}/v2/`, { tls: { rejectUnauthorized: false } });
  await waitUntil("the registry answers", async () => (await answer()).status === status);
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
  const child = await serve(folder, address, undefined, { wrap });
  return {
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}

interface ServeOptions {
  readonly wrap?: (...command: string[]) => string[];
  readonly tls?: Certificate | undefined;
}

async function serve(
  folder: string,
  address: string,
  auth: object | undefined,
  { wrap = (...command: string[]) => command, tls }: ServeOptions,
): Promise<Bun.Subprocess> {
  const config = join(folder, `${address}.yml`);
  const storage = { filesystem: { rootdirectory: folder } };
  writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: address, tls }, auth }));
  const command = wrap(await program("docker-registry"), "serve", config);
  return Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
}
