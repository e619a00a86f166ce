import { expect, test } from "bun:test";
import { parseHubAddress } from "../hub-address.ts";

const ALICE = "alice/api-backend";

test.each([
  ALICE,
  `  ${ALICE}/ `,
  `${ALICE}:latest`,
  `"${ALICE}"`,
  `'docker.io/${ALICE}'`,
  `<https://hub.docker.com/r/${ALICE}>`,
  `docker.io/${ALICE}`,
  `docker://docker.io/${ALICE}:latest`,
  `docker pull ${ALICE}`,
  `\`docker pull ${ALICE}:latest\``,
  `$ sudo docker image pull docker.io/${ALICE}`,
  `docker push ${ALICE}:latest`,
  `index.docker.io/v1/${ALICE}`,
  `https://index.docker.io/v1/repositories/${ALICE}/images`,
  `https://registry-1.docker.io/v2/${ALICE}/manifests/latest`,
  `registry.hub.docker.com/${ALICE}`,
  `https://registry.hub.docker.com/v2/repositories/${ALICE}/tags?page_size=100`,
  `https://registry.hub.docker.com/r/${ALICE}/`,
  `https://hub.docker.com/v2/namespaces/alice/repositories/api-backend/tags`,
  `https://hub.docker.com/r/${ALICE}`,
  `HTTPS://Hub.Docker.com/r/${ALICE}/`,
  `http://www.hub.docker.com:443/r/${ALICE}/builds`,
  `https://hub.docker.com/r/${ALICE}#how-to-use`,
  `https://hub.docker.com/r/${ALICE}/tags?page=1&ordering=last_updated`,
  `https://hub.docker.com/repository/docker/${ALICE}`,
  `https://hub.docker.com/repository/docker/${ALICE}/general`,
  `https://hub.docker.com/repository/docker/${ALICE}/tags?page=1`,
  `https://hub.docker.com/repository/registry-1.docker.io/${ALICE}/tags?page=1`,
  `https://hub.docker.com/layers/${ALICE}/latest/images/sha256-0123?context=repo`,
  `https://hub.docker.com/layers/146583094/${ALICE}/latest/images/sha256-0123`,
  `https://cloud.docker.com/repository/docker/${ALICE}`,
  `https://cloud.docker.com/repository/registry-1.docker.io/${ALICE}/builds`,
  `https://cloud.docker.com/u/alice/repository/docker/${ALICE}/general`,
  `https://cloud.docker.com/app/alice/repository/docker/${ALICE}`,
  `https://store.docker.com/community/images/${ALICE}`,
])("%s is an address on Docker Hub", (address) => {
  expect(parseHubAddress(address)).toEqual({ repository: ALICE });
});

test("accounts of digits and images with dots and underscores are right", () => {
  expect(parseHubAddress("https://hub.docker.com/r/1234567/api.back_end")).toEqual({
    repository: "1234567/api.back_end",
  });
  expect(parseHubAddress("https://hub.docker.com/layers/1234567/api/latest")).toEqual({ repository: "1234567/api" });
});

const fault = (address: string) => {
  const parsed = parseHubAddress(address);
  return "fault" in parsed ? parsed.fault.en : undefined;
};

test.each([
  "",
  "alice",
  "docker.io/alice",
  "https://hub.docker.com",
  "https://hub.docker.com/u/alice",
  "https://hub.docker.com/repositories/alice",
  "https://hub.docker.com/repository/docker/alice",
  "https://github.com/alice/api-backend",
  "ghcr.io/alice/api-backend",
  "quay.io/alice/x",
  "localhost:5000/alice/api",
  "docker.io/alice/tp/api",
  "docker.io/$ACCOUNT/api",
  "docker.io/<account>/api",
  "docker.io/-alice/api",
  "a docker image: alice/api",
])("%p names no image on Docker Hub", (address) => {
  expect(fault(address)).toBe("it names no image on Docker Hub");
});

test.each([
  ["docker.io/Alice/api", "lower case: alice/api, not Alice/api"],
  ["https://hub.docker.com/r/alice/API-Backend", "lower case: alice/api-backend, not alice/API-Backend"],
  ["https://hub.docker.com/_/nginx", "nginx is an image of Docker's own"],
  ["https://hub.docker.com/r/_/nginx/", "nginx is an image of Docker's own"],
  ["library/nginx", "nginx is an image of Docker's own"],
  ["docker.io/library/nginx:latest", "nginx is an image of Docker's own"],
  ["alice/api:1.0", "the tag 1.0, not latest"],
])("%s: the reason says what is wrong", (address, reason) => {
  expect(fault(address)).toContain(reason);
});
