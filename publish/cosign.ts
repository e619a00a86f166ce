// Signatures and signed statements, by Cosign: https://docs.sigstore.dev/cosign/
import { join } from "node:path";
import { type Environment, type Outcome, run } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { reasonOf } from "./registry.ts";
import { inTemporaryFolder } from "./temporary.ts";
import { cosignOptions } from "./transport.ts";

/** The types of statements about an image. By its URI, Cosign leaves a predicate as it is; by its name, it rewrites it. */
export const STATEMENT = {
  sbom: "https://cyclonedx.org/bom",
  provenance: "https://slsa.dev/provenance/v1",
} as const;
export type StatementName = keyof typeof STATEMENT;

/** With what is signed. Without a key, with the identity that a hosted workflow has, for which Sigstore gives a certificate. */
export interface Signer {
  /** A file, or what else Cosign takes as `--key`; `undefined` for none. */
  readonly key: string | undefined;
  /** The file with the key's public half. */
  readonly publicKey?: string;
}

/** Whose signature is asked for: that of a key, or of an identity. */
export type Trust =
  | { readonly key: string }
  | {
      /** For example the address of a workflow. */
      readonly identity: string;
      readonly issuer: string;
    };

const TIMEOUT_S = 120;

const PASSWORD = "A key with a password needs it in COSIGN_PASSWORD.";

/** Without one, Cosign would ask for a password of the key, which may have none. */
const env = (): Environment => ({ COSIGN_PASSWORD: process.env.COSIGN_PASSWORD ?? "" });

async function cosign(command: string, options: readonly string[], image: string): Promise<Outcome> {
  return run(["cosign", command, ...(await cosignOptions(image)), ...options, image], {
    env: env(),
    ownGroup: true,
    seconds: TIMEOUT_S,
  });
}

/** A key's signatures are not in Sigstore's public log: nobody but the registry needs to be reached. */
const signingOptions = ({ key }: Signer) =>
  key === undefined ? ["--yes"] : ["--key", key, "--tlog-upload=false", "--yes"];

async function orRefusal(outcome: Promise<Outcome>, what: string, ...hints: string[]): Promise<Outcome> {
  const { code } = await outcome;
  if (code !== 0) throw new Refusal(`${what}: ${reasonOf(await outcome)}`, ...hints);
  return outcome;
}

/** Makes a key pair, without a password unless COSIGN_PASSWORD has one: `<prefix>.key` and `<prefix>.pub`. */
export async function makeKey(prefix: string): Promise<void> {
  const command = ["cosign", "generate-key-pair", "--output-key-prefix", prefix];
  await orRefusal(run(command, { env: env() }), `the key ${prefix}.key could not be made`);
}

/**
 * The public half of a key.
 *
 * @throws {Refusal} if the key cannot be used
 */
export async function publicKeyOf(key: string): Promise<string> {
  const outcome = run(["cosign", "public-key", "--key", key], { env: env(), ownGroup: true, seconds: TIMEOUT_S });
  return (await orRefusal(outcome, `the key ${key} cannot be used`, PASSWORD)).stdout;
}

/** Signs an index by its digest, and the image of each platform. */
export async function sign(image: string, signer: Signer): Promise<void> {
  const options = [...signingOptions(signer), "--recursive"];
  await orRefusal(cosign("sign", options, image), `${image} could not be signed`, PASSWORD);
}

/** Attaches a signed statement to an image, as its referrer. */
export async function attest(image: string, name: StatementName, predicate: object, signer: Signer): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const file = join(folder, "predicate.json");
    await Bun.write(file, JSON.stringify(predicate));
    const options = [...signingOptions(signer), "--new-bundle-format", "--type", STATEMENT[name], "--predicate", file];
    await orRefusal(cosign("attest", options, image), `a statement could not be attached to ${image}`);
  });
}

const trustOptions = (trust: Trust) =>
  "key" in trust
    ? ["--key", trust.key, "--insecure-ignore-tlog=true"]
    : ["--certificate-identity", trust.identity, "--certificate-oidc-issuer", trust.issuer];

/** @throws {Refusal} if there is no such signature of an image */
export async function verifySignature(image: string, trust: Trust): Promise<void> {
  await orRefusal(cosign("verify", trustOptions(trust), image), `${image} has no valid signature`);
}

/** For a key, Cosign needs nothing of Sigstore's, but asks for it. */
const NO_ROOT = JSON.stringify({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });

/**
 * The statements of a type about an image that have a valid signature, in no order: a push attaches one, but one that was
 * interrupted and run again may have attached several.
 *
 * @throws {Refusal} if there is none
 */
export async function verifyStatements(image: string, name: StatementName, trust: Trust): Promise<object[]> {
  return inTemporaryFolder(async (folder) => {
    const root = join(folder, "trusted-root.json");
    await Bun.write(root, NO_ROOT);
    const options = [...trustOptions(trust), "--new-bundle-format", "--type", STATEMENT[name]];
    if ("key" in trust) options.push("--trusted-root", root);
    const what = `${image} has no validly signed statement of the type ${STATEMENT[name]}`;
    const { stdout } = await orRefusal(cosign("verify-attestation", options, image), what);
    return stdout.trim().split("\n").map(predicateOf);
  });
}

/** Cosign prints a DSSE envelope a line: https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md */
function predicateOf(line: string): object {
  const { payload } = JSON.parse(line) as { payload: string };
  return (JSON.parse(Buffer.from(payload, "base64").toString()) as { predicate: object }).predicate;
}
