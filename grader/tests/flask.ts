// The lab's two applications in Flask, as people write them, and the real Flask for them, from Debian's packages.

import { cpSync, existsSync, mkdtempSync, readlinkSync, renameSync } from "node:fs";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { RUNTIME } from "../../testing/base-images.ts";

/** What Flask and requests need, besides Python itself. Some are in one release of Debian only. */
const MODULES = ["flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker"];
const REQUESTS = ["requests", "urllib3", "six", "chardet", "charset-normalizer", "idna", "certifi"];
const LIBRARIES = ["libexpat1", "libffi8", "zlib1g"];

const candidate = async (name: string) => (await run(["sh", "scripts/apt", "version", name])).stdout.trim();
const unpack = (name: string) => runOrThrow(["sh", "scripts/apt", "unpack", name]);

/** Whether this machine has a source of Flask's packages. */
export const hasFlask = (await candidate("python3-flask")) !== "";
if (!hasFlask) console.error("this system has no package python3-flask: skipping the submissions written with Flask");

let unpacked: Promise<string> | undefined;

/** A folder with Python, Flask and requests, to be copied to /usr. */
export const flaskFolder = (): Promise<string> => (unpacked ??= unpackFlask());

async function unpackFlask(): Promise<string> {
  const folder = join(".cache", "flask");
  if (existsSync(folder)) return folder;
  // Its link names the version: python3.11 in Debian 12.
  const python = readlinkSync(`${await unpack("python3-minimal")}/usr/bin/python3`);
  const interpreter = ["python3-minimal", `${python}-minimal`, `lib${python}-minimal`, `lib${python}-stdlib`];
  // Debian 12 has the second name; one that was upgraded from it may still have that package, but no source of it.
  const ssl = (await candidate("libssl3t64")) === "" ? "libssl3" : "libssl3t64";
  const names = [...interpreter, ...[...MODULES, ...REQUESTS].map((name) => `python3-${name}`), ...LIBRARIES, ssl];
  const merged = mkdtempSync(`${folder}-`);
  for (const name of names) {
    if ((await candidate(name)) === "") continue;
    const root = await unpack(name);
    // A Debian that has merged /lib into /usr has the libraries there.
    for (const part of ["lib", "usr/lib", "usr/bin"])
      if (existsSync(join(root, part)))
        cpSync(join(root, part), join(merged, part.replace("usr/", "")), { recursive: true, verbatimSymlinks: true });
  }
  renameSync(merged, folder);
  return folder;
}

const application = (body: string, port: number, run: string) => `# -*- coding: utf-8 -*-
import os
import sys

import requests
from flask import Flask, jsonify

app = Flask(__name__)


@app.route("/")
def index():
${body}

@app.route("/traceback")
def traceback():
    os._exit(1)


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=${port}${run})
`;

const BACKEND = `    return jsonify({"body": u"Je suis une réponse du backend"})
`;

const FRONTEND = `    url = "http://{}:{}/".format(os.environ["API_BACKEND_URL"], os.environ["API_BACKEND_PORT"])
    return jsonify({"return": requests.get(url).json(), "status": "[SUCESS]"})
`;

const image = (name: string) => `FROM ${RUNTIME}
COPY python/ /usr/
WORKDIR /app
COPY api.py .
LABEL hub_url="https://hub.docker.com/r/student/${name}"
EXPOSE ${name === "api-backend" ? 8001 : 8000}
CMD ["python3", "api.py"]
`;

/**
 * The two applications.
 *
 * @param run more arguments of `app.run`
 */
export const flask = (run: string): Record<string, string> => ({
  LICENSE: "MIT\n",
  "README.md": "# TP\n",
  "api-backend/Dockerfile": image("api-backend"),
  "api-backend/api.py": application(BACKEND, 8001, run),
  "api-frontend/Dockerfile": image("api-frontend"),
  "api-frontend/api.py": application(FRONTEND, 8000, run),
  "docker-compose.yaml": `version: "3"
services:
  api-backend:
    build: ./api-backend
    container_name: api-backend
    restart: always
    ports:
      - "8001:8001"
  api-frontend:
    build: ./api-frontend
    container_name: api-frontend
    restart: always
    ports:
      - "8000:8000"
    environment:
      - API_BACKEND_URL=api-backend
      - API_BACKEND_PORT=8001
    depends_on:
      - api-backend
`,
});
