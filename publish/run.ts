/** Who publishes. */
export interface Run {
  /** The workflow's file and revision on GitHub; left out on anybody's own machine. */
  readonly workflow?: string;
  /** Never the same twice. */
  readonly invocationId: string;
}

/**
 * What the environment says of who publishes. The variables are those of
 * https://docs.github.com/actions/reference/workflows-and-actions/variables
 *
 * Anybody can set variables: that a workflow has run is proven by the certificate in its signature, and by nothing here.
 * A runner of one's own is one's own machine.
 */
export function runOf(environment: Readonly<Record<string, string | undefined>>): Run {
  const {
    GITHUB_ACTIONS,
    GITHUB_REPOSITORY,
    GITHUB_RUN_ATTEMPT,
    GITHUB_RUN_ID,
    GITHUB_SERVER_URL,
    GITHUB_WORKFLOW_REF,
    RUNNER_ENVIRONMENT,
  } = environment;
  const hosted = GITHUB_ACTIONS === "true" && RUNNER_ENVIRONMENT === "github-hosted";
  if (!hosted) return { invocationId: `urn:uuid:${crypto.randomUUID()}` };
  const missing = Object.entries({
    GITHUB_REPOSITORY,
    GITHUB_RUN_ATTEMPT,
    GITHUB_RUN_ID,
    GITHUB_SERVER_URL,
    GITHUB_WORKFLOW_REF,
  }).find(([, value]) => !value);
  if (missing) throw new Error(`${missing[0]} is not set, but GITHUB_ACTIONS is`);
  return {
    workflow: `${GITHUB_SERVER_URL}/${GITHUB_WORKFLOW_REF}`,
    invocationId: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}/attempts/${GITHUB_RUN_ATTEMPT}`,
  };
}
