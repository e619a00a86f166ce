// What the user has set, and what git says, as scripts/publish hands it over.
import type { Environment } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { fullName, repositoryOf } from "./addresses.ts";
import type { BuildInputs } from "./builder.ts";

export interface Settings {
  /** Where the images go, without a tag: "docker.io/alice/api-backend". */
  readonly repositories: Readonly<Record<ServiceName, string>>;
  /** The registry, with the path of a group in it, if there is one. */
  readonly registry: string;
  readonly account: string;
  readonly labels: BuildInputs["labels"];
  /** Where the commit is, as a browser has it; `undefined` if that is not known. */
  readonly source: string | undefined;
  /** The whole hash; empty outside of a Git repository, or without a commit. */
  readonly commit: string;
  /** The files are not, or not all, those of the commit. */
  readonly isDirty: boolean;
  /** Of the commit, in seconds. */
  readonly epoch: number;
  readonly bunImage: string;
  readonly runtimeImage: string;
  readonly allowStandins: boolean;
  readonly force: boolean;
}

/** The label with the sources' place: the account's page, if they have none. */
export const sourceLabel = (source: string | undefined, account: string): string =>
  source || `https://hub.docker.com/u/${account}`;

/**
 * @param env LAB_SETTINGS has what scripts/config prints; LAB_VERSION, LAB_REVISION and LAB_SOURCE are those of the
 *   images' labels; LAB_EPOCH is the commit's time
 * @throws {Refusal} if a variable has a wrong value
 */
export function readSettings(env: Environment): Settings {
  const lines = (env.LAB_SETTINGS ?? "").split("\n").map((line) => line.split(/=(.*)/, 2));
  const set = Object.fromEntries(lines) as Record<string, string | undefined>;
  const account = set.HUB_USER ?? "";
  const repositories = Object.fromEntries(
    SERVICES.map((name) => [name, repositoryOf(fullName(set[`${name}.image`] ?? ""))]),
  ) as Settings["repositories"];
  const revision = env.LAB_REVISION ?? "";
  const commit = /^[0-9a-f]{40,64}/.exec(revision)?.[0] ?? "";
  const isDirty = commit !== revision;
  const seconds = env.SOURCE_DATE_EPOCH || env.LAB_EPOCH || "";
  const epoch = Number(seconds);
  if (!/^\d+$/.test(seconds) || !Number.isSafeInteger(epoch))
    throw new Refusal(`SOURCE_DATE_EPOCH=${seconds}: expected a number of seconds since 1970.`);
  const version = `${env.LAB_VERSION}${isDirty ? "-dirty" : ""}`;
  return {
    repositories,
    registry: repositories["api-backend"].replace(`/${account}/api-backend`, ""),
    account,
    labels: {
      HUB_USER: account,
      SOURCE: sourceLabel(env.LAB_SOURCE, account),
      VERSION: version,
      REVISION: revision,
    },
    source: env.LAB_SOURCE || undefined,
    commit,
    isDirty,
    epoch,
    bunImage: fullName(set.BUN_IMAGE ?? ""),
    runtimeImage: fullName(set.RUNTIME_IMAGE ?? ""),
    allowStandins: env.ALLOW_STANDINS === "yes",
    force: env.FORCE === "1",
  };
}
