import { crash, judgeCrash } from "../crash.ts";
import type { Step } from "../step.ts";

export const backendCrash: Step = {
  title: "The backend crashes",
  why:
    "GET /traceback ends the process. It is process 1, so its container ends with it, and Docker starts the container " +
    "again, because docker-compose.yaml says restart: always.",
  show: async (scene) => judgeCrash(await crash(scene, "api-backend")),
};

export const frontendCrash: Step = {
  title: "The frontend crashes",
  why:
    "The same for the frontend. There is one of it: while it is away, nobody can answer its clients. Most of the time " +
    "is what Docker needs to start a container.",
  show: async (scene) => judgeCrash(await crash(scene, "api-frontend")),
};
