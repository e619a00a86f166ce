// What counts as a submission, where in it the submission is, and how it and its student are called.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { Ungradable } from "../errors.ts";
import { sourcesOfClass } from "../sources/class.ts";
import { parseMoodleName } from "../sources/moodle.ts";
import { addressIn } from "../sources/online-text.ts";
import { requireOne, rootOf } from "../sources/root.ts";
import { type Source, sourcesOf } from "../sources/source.ts";
import { Ids, idOf } from "../sources/student-id.ts";
import { tarOf, zipOf } from "./archives.ts";

let parent: string;
let folder: string;
let count = 0;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "sources-"));
  folder = join(parent, "folder");
  mkdirSync(folder);
});
afterEach(() => rmSync(parent, { recursive: true }));

const COMPOSE = "docker-compose.yaml";
/** A zip of a submission, whose Compose file says whose it is. */
const zipped = (text = "", inner = "") => zipOf([{ name: `${inner}${COMPOSE}`, content: text }]);

function add(path: string, content: string | Uint8Array = ""): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function newFolder(name: string): string {
  const path = join(parent, `${name}-${count++}`);
  mkdirSync(path);
  return path;
}

const sourcesIn = async (path = folder) => (await sourcesOfClass(path, newFolder("class"))).sources;
const idsIn = async (path = folder) => (await sourcesIn(path)).map(({ student }) => student.id);
const namesIn = async (path = folder) => (await sourcesIn(path)).map(({ student }) => student.name);

/** The text of the Compose file that a source brings. */
async function textOf(source: Source | undefined): Promise<string> {
  const opened = await source?.open(newFolder("work"));
  return Bun.file(join(opened ?? "", COMPOSE)).text();
}
const refusalOf = (trying: Promise<unknown>): Promise<string> =>
  trying.then(
    () => "",
    (error: Error) => (error instanceof Ungradable ? error.message : `not ungradable: ${error}`),
  );

describe("the root of a submission", () => {
  const rootIn = async () => (await rootOf(folder, newFolder("unpacked"))).slice(folder.length + 1);

  test.each([
    ["the folder itself", [COMPOSE, "tp/compose.yaml"], ""],
    ["the folder itself, without a Compose file", ["api-backend/api.py", "docs/a"], ""],
    ["the only folder", [`tp-main/${COMPOSE}`], "tp-main"],
    ["the only folder, beside other files", ["report.pdf", "report.docx", `a/b/${COMPOSE}`], "a/b"],
    ["the only folder, beside junk", ["__MACOSX/._a", ".DS_Store", ".git/HEAD", ".idea/a", `a/${COMPOSE}`], "a"],
    ["four levels down", [`1/2/3/4/${COMPOSE}`], "1/2/3/4"],
    ["not five levels down", [`1/2/3/4/5/${COMPOSE}`], "1/2/3/4"],
    ["the one of two folders that looks like it", [`a/${COMPOSE}`, "screenshots/1.png"], "a"],
    ["the folder itself, of two that look like it", [`a/${COMPOSE}`, `b/${COMPOSE}`], ""],
    ["the folder itself, of two that do not", ["a/1", "b/1"], ""],
    [
      "the folder itself, with services in folders of other names",
      ["back/Dockerfile", "front/Dockerfile", "a.zip"],
      "",
    ],
    ["the folder itself, with capitals", ["Docker-Compose.yaml"], ""],
    ["the folder itself, empty", [], ""],
  ])("is %s", async (_, files, root) => {
    for (const file of files) add(file);
    expect(await rootIn()).toBe(root);
  });

  test("is in the only archive", async () => {
    add("Moodle/tp.zip", zipped("", "tp-main/"));
    add("Moodle/report.pdf", "%PDF");
    add("Moodle/screenshots/1.png");
    expect(readdirSync(await rootOf(folder, newFolder("unpacked")))).toEqual([COMPOSE]);
  });

  test("is not guessed of several archives", async () => {
    for (const name of ["v1.zip", "v2.zip"]) add(name, zipped("", "tp-main/"));
    expect(await refusalOf(rootOf(folder, newFolder("unpacked")))).toBe(
      "has several archives, keep the right one only: v1.zip, v2.zip",
    );
  });

  test("is not behind a link", async () => {
    symlinkSync(parent, join(folder, "out"));
    expect(await rootIn()).toBe("");
  });
});

test.each([
  ["an empty folder", [], "it is empty"],
  ["a report only", ["report.pdf"], "report.pdf"],
  ["a service's folder", ["back/Dockerfile"], ""],
  ["a Compose file of another name", ["stack.yml"], ""],
])("%s", async (_, files, only) => {
  for (const file of files) add(file);
  const refusal = await refusalOf((async () => requireOne(folder, folder))());
  expect(refusal).toBe(only === "" ? "" : `holds no submission: ${only}`);
});

test.each([
  ["folders", ["alice/docker-compose.yaml", "bob/api-backend/app.py", "notes.txt"], "alice, bob"],
  ["folders in folders", ["alice/tp/docker-compose.yaml", "bob/bob-main/compose.yml"], "alice, bob"],
  ["Moodle's export", ["A_1_assignsubmission_file/tp.zip", "B_2_assignsubmission_file/tp.zip"], "A_1_a"],
])("several submissions are not one: %s", async (_, files, found) => {
  for (const file of files) add(file);
  const refusal = await refusalOf((async () => requireOne(folder, folder))());
  expect(refusal).toStartWith(`holds submissions, not one: ${found}`);
  expect(refusal).toEndWith(`keep one, or grade all of them:  bin/grader --class '${folder}'`);
});

test.each([
  ["with folders that are submissions too", ["docker-compose.yaml", "old/docker-compose.yaml", "new/compose.yml"]],
  ["with services in folders of other names", ["front/Dockerfile", "front/src/a", "back/Dockerfile"]],
  ["with another folder", ["tp/docker-compose.yaml", "report/report.pdf"]],
])("one submission is one, %s", async (_, files) => {
  for (const file of files) add(file);
  expect(await refusalOf((async () => requireOne(folder, folder))())).toBe("");
});

describe("named on the command line,", () => {
  test("a folder is opened as it is", async () => {
    add(COMPOSE);
    const [source] = await sourcesOf([folder]);
    expect(source?.student).toEqual({ id: "folder", name: folder });
    expect(await source?.open(newFolder("work"))).toBe(folder);
  });

  test.each([
    ["none", "no such folder"],
    ["none.zip", "no such file"],
    ["ext::sh -c true", "is not the address of a git repository"],
    ["https://github.com/a/b#--upload-pack=x", "is not the address of a git repository"],
  ])("%s is missed when it is opened, not when it is listed", async (name, reason) => {
    const [source] = await sourcesOf([name]);
    expect(await refusalOf(source?.open(newFolder("work")) ?? Promise.resolve())).toBe(`${name}: ${reason}`);
  });

  test("an archive is unpacked, up to the folder in it", async () => {
    const file = join(parent, "tp.zip");
    writeFileSync(file, zipped("mine", "b-0123456/"));
    const [source] = await sourcesOf([file]);
    expect(source?.student).toEqual({ id: "tp", name: file });
    expect(await textOf(source)).toBe("mine");
  });

  test("names are printable and ids are unique", async () => {
    const sources = await sourcesOf(["a/tp", "b/TP", "c/tp.zip", "https://u:pw@host/a/tp.git#v1", "\u001b[31mtp"]);
    expect(sources.map(({ student }) => student.id)).toEqual(["tp", "TP-2", "tp-3", "tp-4", "31mtp"]);
    expect(sources.map(({ origin }) => origin).slice(3)).toEqual(["https://u:***@host/a/tp.git#v1", "�[31mtp"]);
  });
});

describe("a name of Moodle's export", () => {
  const of = (name: string, participant: string | undefined, type = "file", rest = "") => ({
    name,
    participant,
    type,
    rest,
  });
  test.each([
    ["Alice Martin_1234567_assignsubmission_file", of("Alice Martin", "1234567")],
    ["Alice Martin_1234567_assignsubmission_file_", of("Alice Martin", "1234567")],
    ["Alice Martin_1234567_assignsubmission_onlinetext", of("Alice Martin", "1234567", "onlinetext")],
    ["Alice Martin_12_assignsubmission_file_my_tp 1.zip", of("Alice Martin", "12", "file", "my_tp 1.zip")],
    ["A_1_assignsubmission_onlinetext_onlinetext.html", of("A", "1", "onlinetext", "onlinetext.html")],
    ["Groupe 2-Éloïse d'Arc-Müller_9_assignsubmission_file_", of("Groupe 2-Éloïse d'Arc-Müller", "9")],
    ["Zoe\u0308 王_9_assignsubmission_file", of("Zoe\u0308 王", "9")],
    ["jean_luc_9_assignsubmission_file", of("jean_luc", "9")],
    ["Participant_1234567_assignsubmission_file_", of("Participant", "1234567")],
    ["Default group_assignsubmission_file", of("Default group", undefined)],
    ["A_1_assignsubmission_file_B_2_assignsubmission_file", of("A", "1", "file", "B_2_assignsubmission_file")],
  ])("%s", (text, read) => {
    expect(parseMoodleName(text)).toEqual(read);
  });

  test.each(["Alice Martin_1234567", "alice", "_assignsubmission_file", "tp_docker_2024.zip"])("%s is none", (text) => {
    expect(parseMoodleName(text)).toBeUndefined();
  });
});

describe("a class", () => {
  test("is all folders and archives, in the order of names", async () => {
    for (const name of ["zoé", "Zoe", "alice", "Émile", "tp10", "tp9"]) add(`${name}/${COMPOSE}`);
    add("bob.zip", zipped("bob's"));
    add(
      "carol.tar.gz",
      Bun.gzipSync(tarOf([{ name: `tp/${COMPOSE}`, content: "carol's" }]) as Uint8Array<ArrayBuffer>),
    );
    expect(await namesIn()).toEqual(["alice", "bob", "carol", "Émile", "tp9", "tp10", "Zoe", "zoé"]);
    const [, bob, carol] = await sourcesIn();
    expect([await textOf(bob), await textOf(carol)]).toEqual(["bob's", "carol's"]);
  });

  test("is not what else lies there, and says so", async () => {
    for (const path of ["alice/a", "__MACOSX/a", ".git/a", "marks.csv", "subject.docx", ".hidden"]) add(path);
    symlinkSync(parent, join(folder, "link"));
    const { sources, ignored } = await sourcesOfClass(folder, newFolder("class"));
    expect(sources.map(({ student }) => student.name)).toEqual(["alice"]);
    expect(ignored).toEqual([".git", ".hidden", "__MACOSX", "link", "marks.csv", "subject.docx"]);
  });

  test.each([
    ["one submission", [COMPOSE, "api-backend/a"], "looks like one submission, not a class"],
    ["empty", [], "has no submission: no folder and no archive"],
    ["nothing but other files", ["marks.csv", ".git/a"], "has no submission: no folder and no archive"],
  ])("is an error if it is %s", async (_, files, reason) => {
    for (const file of files) add(file);
    expect(await refusalOf(sourcesIn())).toBe(`${folder}: ${reason}`);
  });

  test("is an error if it is not there", async () => {
    expect(await refusalOf(sourcesIn(join(parent, "none")))).toEndWith("none: no such folder");
  });

  test("with a broken archive has that student, who cannot be opened", async () => {
    add("alice.zip", "PK\x03\x04");
    const [alice] = await sourcesIn();
    expect(await refusalOf(textOf(alice))).toStartWith("alice: it is damaged");
  });

  test("with two students of one name has both", async () => {
    add("Alice/a");
    add("alice.zip", zipped());
    add("ALICE.tar", tarOf([]));
    expect(await idsIn()).toEqual(["alice", "Alice-2", "ALICE-3"]);
  });
});

describe("Moodle's export", () => {
  const exported = {
    "Alice Martin_101_assignsubmission_file/tp.zip": zipped("alice's", "tp/"),
    "Alice Martin_102_assignsubmission_file_/docker-compose.yaml": "other alice's",
    "E\u0301ric_103_assignsubmission_file/tp.tar": tarOf([{ name: COMPOSE, content: "éric's" }]),
    "Éric_104_assignsubmission_file/a/b/docker-compose.yaml": "other éric's",
  };
  const expected = [
    { id: "Alice-Martin_101", name: "Alice Martin", participant: "101" },
    { id: "Alice-Martin_102", name: "Alice Martin", participant: "102" },
    { id: "Éric_103", name: "E\u0301ric", participant: "103" },
    { id: "Éric_104", name: "Éric", participant: "104" },
  ];
  const texts = ["alice's", "other alice's", "éric's", "other éric's"];

  test("with folders", async () => {
    for (const [path, content] of Object.entries(exported)) add(path, content);
    const sources = await sourcesIn();
    expect(sources.map(({ student }) => student)).toEqual(expected);
    for (const [index, source] of sources.entries()) expect(await textOf(source)).toBe(texts[index] ?? "");
  });

  test.each(["", "TP 3/"])("as it is downloaded, in %j", async (top) => {
    const archive = join(parent, "export.zip");
    writeFileSync(archive, zipOf(Object.entries(exported).map(([name, content]) => ({ name: top + name, content }))));
    const sources = await sourcesIn(archive);
    expect(sources.map(({ student }) => student)).toEqual(expected);
    for (const [index, source] of sources.entries()) expect(await textOf(source)).toBe(texts[index] ?? "");
  });

  test("without folders", async () => {
    add("Alice_1_assignsubmission_file_tp.zip", zipped("alice's"));
    add("Alice_1_assignsubmission_file_report.pdf", "%PDF");
    add("Alice_1_assignsubmission_onlinetext_onlinetext.html", "done: https://example.org/a");
    add("Bob_2_assignsubmission_file_docker-compose.yaml", "bob's");
    add("Eve_3_assignsubmission_file_..", "eve's");
    const sources = await sourcesIn();
    expect(sources.map(({ student }) => student.id)).toEqual(["Alice_1", "Bob_2", "Eve_3"]);
    expect([await textOf(sources[0]), await textOf(sources[1])]).toEqual(["alice's", "bob's"]);
    expect(readdirSync((await sources[2]?.open(newFolder("work"))) ?? "")).toEqual([]);
  });

  test("of blind marking and of teams", async () => {
    add("Participant_12_assignsubmission_file_/tp.zip", zipped());
    add("Participant_7_assignsubmission_file_/tp.zip", zipped());
    add("Default group_assignsubmission_file/tp.zip", zipped());
    expect(await idsIn()).toEqual(["Default-group", "Participant_12", "Participant_7"]);
  });

  test("with a text without an address is not gradable, with the reason", async () => {
    add("Alice_1_assignsubmission_onlinetext/onlinetext.html", "<p>I forgot</p>");
    const [alice] = await sourcesIn();
    expect(await refusalOf(textOf(alice))).toBe("Alice: handed in no file, and no text with one git address");
  });
});

describe("an address in a student's text", () => {
  let server: ReturnType<typeof Bun.serve>;
  let repository: string;
  beforeAll(async () => {
    // Git's simple protocol over HTTP is files (gitprotocol-http(5)).
    repository = mkdtempSync(join(tmpdir(), "sources-git-"));
    const script = `git init -q . && echo cloned > ${COMPOSE} && git add . &&
      git -c user.name=a -c user.email=a@b commit -qm a && git update-server-info`;
    await runOrThrow(["sh", "-c", `cd ${repository} && ${script}`]);
    server = Bun.serve({
      port: 0,
      async fetch(request) {
        const file = Bun.file(join(repository, ".git", new URL(request.url).pathname.replace(/^\/a\/b(\.git)?/, "")));
        return (await file.exists()) ? new Response(file) : new Response("", { status: 404 });
      },
    });
  });
  afterAll(async () => {
    await server.stop(true);
    rmSync(repository, { recursive: true });
  });

  const page = (html: string): string[] => {
    add("onlinetext.html", html);
    return [join(folder, "onlinetext.html")];
  };

  test("is opened if there is no file, or only a report", async () => {
    const link = `<a href="http://127.0.0.1:${server.port}/a/b">http://127.0.0.1:${server.port}/a/b</a>`;
    add("Alice_1_assignsubmission_onlinetext/onlinetext.html", link);
    add("Bob_2_assignsubmission_onlinetext_/onlinetext.html", link);
    add("Bob_2_assignsubmission_file_/report.pdf", "%PDF");
    add("Carol_3_assignsubmission_onlinetext_/onlinetext.html", link);
    add("Carol_3_assignsubmission_file_/tp.zip", zipped("packed"));
    const sources = await sourcesIn();
    expect(sources.map(({ student }) => student.name)).toEqual(["Alice", "Bob", "Carol"]);
    const texts = [await textOf(sources[0]), await textOf(sources[1]), await textOf(sources[2])];
    expect(texts).toEqual(["cloned\n", "cloned\n", "packed"]);
  });

  test.each([
    ["in a link and its text", '<a href="https://github.com/a/b">https://github.com/a/b</a>', "https://github.com/a/b"],
    ["at the end of a sentence", "<p>See (https://github.com/a/b.git).</p>", "https://github.com/a/b.git"],
    ["of any host", "https://example.org/a/b&nbsp;", "https://example.org/a/b"],
    ["of a repository, beside others", "https://docs.docker.com/x https://gitlab.com/a/b", "https://gitlab.com/a/b"],
    ["of two repositories", "https://github.com/a/b https://github.com/a/c", undefined],
    ["of this machine", "file:///etc ssh://a/b git@host:a/b", undefined],
    ["nowhere", "<p></p>", undefined],
  ])("%s", (_, html, url) => {
    expect(addressIn(page(html))?.url).toBe(url as string);
  });

  test("is not looked for behind a link of the file system", () => {
    writeFileSync(join(parent, "secret"), "https://github.com/a/b");
    symlinkSync(join(parent, "secret"), join(folder, "onlinetext.html"));
    expect(addressIn([join(folder, "onlinetext.html")])).toBeUndefined();
  });
});

describe("an id", () => {
  test.each([
    ["Alice Martin", "Alice-Martin"],
    ["E\u0301loïse", "Éloïse"],
    ["王小明", "王小明"],
    ["a/b\\c:d", "a-b-c-d"],
    ["..", "submission"],
    ["-rf", "rf"],
    ["../../etc", "etc"],
    ["", "submission"],
    ["a!?", "a"],
    [".env", "env"],
  ])("of %j is %s", (name, id) => {
    expect(idOf(name)).toBe(id);
  });

  test("has at most 100 bytes, and whole characters", () => {
    expect(Buffer.byteLength(idOf("é".repeat(300)))).toBe(100);
    expect(idOf("王".repeat(300), "_1")).toBe(`${"王".repeat(32)}_1`);
  });

  test("differs from all others, whatever their case, even if it is long", () => {
    const ids = new Ids();
    const all = ["a", "A", "a-2", "É", "e\u0301", "x".repeat(200), "x".repeat(300)].map((name) => ids.next(name));
    expect(all.slice(0, 5)).toEqual(["a", "A-2", "a-2-2", "É", "é-2"]);
    expect(all.slice(5)).toEqual(["x".repeat(100), `${"x".repeat(98)}-2`]);
  });
});
