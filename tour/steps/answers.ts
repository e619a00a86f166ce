import { BODY, SERVICES, type ServiceName } from "../../lab/services.ts";
import { type Claim, claim } from "../claim.ts";
import { showCurl } from "../shell.ts";
import type { Step } from "../step.ts";

/** What curl prints after a body. */
const FACTS = "%{http_code} %{content_type}";

/** @param response the body and, as the last line, the status and the type of the content */
export function judgeAnswer(service: ServiceName, response: string): Claim {
  const expected = `${BODY[service]}200 application/json\n`;
  return claim(
    response === expected,
    `${service}: 200, and all ${BODY[service].length} bytes of its JSON are as the subject has them.`,
    `${service}: not what the subject asks for: ${JSON.stringify(expected)}.`,
  );
}

export const answers: Step = {
  title: "Both answer",
  why:
    "The backend answers with a constant. The frontend calls the backend for each request, and puts its JSON under " +
    '"return". The subject spells [SUCESS] so.',
  async show({ screen, stack }) {
    const claims: Claim[] = [];
    for (const service of SERVICES) {
      const { stdout } = await showCurl(screen, "-w", `${FACTS}\\n`, stack.address(service));
      claims.push(judgeAnswer(service, stdout));
    }
    return claims;
  },
};
