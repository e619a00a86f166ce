import { dependenciesOf } from "../compose-file.ts";
import type { Rule } from "../rule.ts";
import { finding, type Text, text } from "../text.ts";

export const order: Rule = {
  id: "order",
  points: 2,
  title: text("the backend starts before the frontend", "le backend est lancé avant le frontend"),
  source: "Attention, le conteneur Backend devra être lancé avant le frontend lors d'un docker-compose up",
  needs: ["up"],
  async check({ submission, stack }) {
    const { backend, frontend } = submission.services;
    if (backend === undefined || frontend === undefined) return [];
    if (!dependenciesOf(submission.config, frontend.name).has(backend.name)) {
      const seen = text(
        `${frontend.name} has neither depends_on nor links to ${backend.name}`,
        `${frontend.name} n'a ni depends_on ni links vers ${backend.name}`,
      );
      return [wrongOrder(seen, frontend.name, backend.name)];
    }
    const [first, second] = [await stack.container("backend"), await stack.container("frontend")];
    if (Date.parse(first.State.StartedAt) <= Date.parse(second.State.StartedAt) || first.RestartCount > 0) return [];
    const seen = text(
      `Docker started the backend at ${first.State.StartedAt}, the frontend at ${second.State.StartedAt}`,
      `Docker a lancé le backend à ${first.State.StartedAt}, le frontend à ${second.State.StartedAt}`,
    );
    return [wrongOrder(seen, frontend.name, backend.name)];
  },
};

const wrongOrder = (seen: Text, frontend: string, backend: string) =>
  finding(
    seen,
    text("the frontend depends on the backend", "le frontend dépend du backend"),
    text(
      `In docker-compose.yaml, under ${frontend}:  depends_on: [${backend}]`,
      `Dans docker-compose.yaml, sous ${frontend} :  depends_on: [${backend}]`,
    ),
  );
