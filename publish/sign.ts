// Signs what was pushed, and attaches what it holds and how it was built.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";
import {
  attest,
  makeKey,
  publicKeyOf,
  type Signer,
  type StatementName,
  sign,
  type Trust,
  verifySignature,
  verifyStatements,
} from "./cosign.ts";
import type { Layout, PlatformName } from "./oci-layout.ts";
import type { Statements } from "./statements.ts";
import { makeTemporaryFolder } from "./temporary.ts";

/** The key that `make push` makes, and uses if the user names none. */
const KEY = "cosign.key";

/** With what the images are signed: COSIGN_KEY, the identity of a hosted workflow, or this folder's own key. */
export async function findSigner(say: (line: string) => void): Promise<Signer> {
  const key = process.env.COSIGN_KEY;
  if (key) {
    if (!key.includes("://") && !existsSync(key)) throw new Refusal(`COSIGN_KEY=${key}: there is no such file.`);
    return withPublicKey(key);
  }
  // https://docs.github.com/actions/security-for-github-actions/security-hardening-your-deployments
  if (process.env.ACTIONS_ID_TOKEN_REQUEST_URL) return { key: undefined };
  if (!existsSync(KEY)) {
    say("making a key to sign with: cosign.key, which is secret, and cosign.pub, to be committed for those who verify");
    await makeKey("cosign");
  }
  return withPublicKey(KEY);
}

/**
 * Uses the key once, before anything is built: it may be damaged, and its password wrong.
 *
 * @throws {Refusal} also if the file beside it, with which others verify, is of another key
 */
async function withPublicKey(key: string): Promise<Signer> {
  const content = await publicKeyOf(key);
  const beside = key.replace(/(\.key)?$/, ".pub");
  if (key === KEY && !existsSync(beside)) await Bun.write(beside, content);
  const isOther = existsSync(beside) && (await Bun.file(beside).text()).trim() !== content.trim();
  if (isOther)
    throw new Refusal(
      `${beside} is not the public half of ${key}: nobody could verify with it.`,
      `To write the right one:  cosign public-key --key ${key} >${beside}`,
    );
  const publicKey = join(await makeTemporaryFolder(), "publisher.pub");
  await Bun.write(publicKey, content);
  return { key, publicKey };
}

/**
 * Signs an index and the images in it, and attaches the statements to each image; does nothing if that was done before,
 * with the same key.
 */
export async function signAll(
  repository: string,
  { index, images }: Layout,
  statements: ReadonlyMap<PlatformName, Statements>,
  signer: Signer,
): Promise<void> {
  const { publicKey } = signer;
  if (publicKey !== undefined && (await isSigned(repository, { index, images }, statements, { key: publicKey })))
    return;
  await sign(`${repository}@${index.digest}`, signer);
  for (const { platform, descriptor } of images) {
    for (const [type, statement] of Object.entries(statements.get(platform) ?? {}))
      await attest(`${repository}@${descriptor.digest}`, type as StatementName, statement, signer);
  }
}

async function isSigned(
  repository: string,
  { index, images }: Pick<Layout, "index" | "images">,
  statements: ReadonlyMap<PlatformName, Statements>,
  trust: Trust,
): Promise<boolean> {
  try {
    await verifySignature(`${repository}@${index.digest}`, trust);
    for (const { platform, descriptor } of images)
      for (const type of Object.keys(statements.get(platform) ?? {}))
        await verifyStatements(`${repository}@${descriptor.digest}`, type as StatementName, trust);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
