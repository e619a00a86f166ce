// The real stack under load, while its containers crash, are killed, stopped, recreated or overloaded.

import { afterAll, beforeAll, setDefaultTimeout } from "bun:test";
import { describeWithEngine } from "../../testing/engine.ts";
import { testBackendOutages } from "./backend-outages.ts";
import { testFrontendOutages } from "./frontend-outages.ts";
import { LoadedStack } from "./loaded-stack.ts";
import { testManyBackends } from "./many-backends.ts";

setDefaultTimeout(300_000);

describeWithEngine("the stack under load", () => {
  const loaded = new LoadedStack();
  beforeAll(() => loaded.start());
  afterAll(() => loaded.stop());

  testBackendOutages(loaded);
  testFrontendOutages(loaded);
  testManyBackends(loaded);
});
