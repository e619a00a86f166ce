/** Thrown if a folder cannot be graded at all, through no fault of the submission's. */
export class Ungradable extends Error {
  override readonly name = "Ungradable";
  /** @param passes whether it may pass, so that the folder is worth another try at the end */
  constructor(
    message: string,
    readonly passes = false,
  ) {
    super(message);
  }
}

/** What Docker says when the machine, the network or a registry is in trouble, not the submission. */
const TROUBLE =
  /no space left on device|cannot connect to the docker daemon|error during connect|toomanyrequests|too many requests|rate limit|tls handshake timeout|i\/o timeout|context deadline exceeded|temporary failure in name resolution|no such host|network is unreachable|non-overlapping IPv4 address pool|pool overlaps with other one|failed programming external connectivity|address pools have been fully subnetted/i;

/** The line in which Docker reports a trouble that is not the submission's, if there is one. */
export const troubleIn = (output: string): string | undefined => output.split("\n").find((line) => TROUBLE.test(line));
