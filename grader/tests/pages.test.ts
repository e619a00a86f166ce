// The web pages of a class: what they hold, and how a real browser shows them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseHTML } from "linkedom";
import { type Browser, chromium } from "playwright-core";
import { writePages } from "../report/pages/pages.ts";
import { median } from "../report/pages/statistics.ts";
import { isPublishedPartly } from "../report/published.ts";
import { writeWhole } from "../write-file.ts";
import { CLASS, graded, HOSTILE, ungraded } from "./made-class.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const folder = mkdtempSync(join(tmpdir(), "pages-"));
const inFolder = (path: string) => join(folder, path);
const documentOf = (path: string): Document => parseHTML(readFileSync(path, "utf8")).document;
const textOf = (path: string) => documentOf(path).body.textContent?.replace(/\s+/g, " ") ?? "";

writeWhole(inFolder("submissions/bob/build.log"), "built\n");
writeWhole(inFolder("submissions/bob/notes.txt"), "not a log\n");
const pages = writePages(folder, CLASS);

afterAll(() => rmSync(folder, { recursive: true }));

test("two pages for the class and for each submission, and no others", () => {
  expect(pages).toHaveLength(2 * (CLASS.length + 1));
  expect(pages.every((path) => existsSync(path))).toBeTrue();
});

test.each(["index.html", "index.fr.html"])("every submission is on %s, with its mark or why it has none", (file) => {
  const rows = [...documentOf(inFolder(file)).querySelectorAll("table.submissions tbody tr")];
  expect(rows).toHaveLength(CLASS.length);
  expect(isPublishedPartly(CLASS)).toBeTrue();
  const cells = rows.map((row) => [...row.children].map((cell) => cell.textContent?.replace(/\s+/g, " ").trim()));
  const isFrench = file.includes("fr");
  expect(cells.slice(0, 5)).toEqual(
    isFrench
      ? [
          ["Chloé Élan", "20/20", "aucune"],
          ["Bob Martin", "13,3/20", "frontend"],
          ["carol", "20/20", "aucune"],
          ["dan", "3,3/20", "up (2 bloquées)"],
          ["Erin O’Neil", "–", "⊘ correction impossiblepython:3.12 could not be pulled: 429 Too Many Requests"],
        ]
      : [
          ["Chloé Élan", "20/20", "none"],
          ["Bob Martin", "13.3/20", "frontend"],
          ["carol", "20/20", "none"],
          ["dan", "3.3/20", "up (2 blocked)"],
          ["Erin O’Neil", "–", "⊘ could not be gradedpython:3.12 could not be pulled: 429 Too Many Requests"],
        ],
  );
});

test("links lead to files that exist", () => {
  for (const path of pages) {
    for (const link of documentOf(path).querySelectorAll("a")) {
      const target = new URL(link.getAttribute("href") ?? "", pathToFileURL(path));
      expect(target.protocol).toBe("file:");
      expect(existsSync(fileURLToPath(target)), `${path}: ${target}`).toBeTrue();
    }
  }
});

test("the two languages link to each other, and have the same sections", () => {
  const shape = (path: string) =>
    [...documentOf(path).querySelectorAll("main *")].map(({ tagName, className }) => `${tagName}.${className}`);
  for (const english of pages.filter((path) => path.endsWith("index.html"))) {
    const french = join(dirname(english), "index.fr.html");
    expect(shape(french)).toEqual(shape(english));
    expect(documentOf(english).documentElement.lang).toBe("en");
    expect(documentOf(french).documentElement.lang).toBe("fr");
    expect(documentOf(english).querySelector("nav a[hreflang=fr]")?.getAttribute("href")).toBe("index.fr.html");
    expect(documentOf(french).querySelector("nav a[hreflang=en]")?.getAttribute("href")).toBe("index.html");
  }
});

test("a page says what failed, what was blocked, what to do, and which logs there are", () => {
  const dan = textOf(inFolder("submissions/dan/index.fr.html"));
  expect(dan).toContain("Note (1 sur 6 points)3,3/20");
  expect(dan).toContain("Constatéport 8000 answered 200");
  expect(dan).toContain("bloquée par la règle up");
  expect(dan).toContain("à faire");
  expect(dan).toContain("« un fichier »");
  const logs = [...documentOf(inFolder("submissions/bob/index.html")).querySelectorAll(".logs a")];
  expect(logs.map((link) => link.getAttribute("href"))).toEqual(["build.log"]);
  expect(textOf(inFolder("submissions/erin/index.html"))).toMatch(/has no mark: it could not be graded.*429 Too Many/);
  expect(textOf(inFolder("submissions/erin/index.html"))).not.toContain("/20");
});

test("hostile texts stay texts", () => {
  for (const path of pages) {
    const document = documentOf(path);
    expect(document.querySelectorAll("script, img, iframe, object, testcase, textarea")).toHaveLength(0);
    expect(document.querySelectorAll("style")).toHaveLength(1);
    expect([...document.querySelectorAll("[onerror], [onclick], [style]")]).toHaveLength(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(readFileSync(path, "utf8")).not.toMatch(/[\u0000-\u0009\u000b-\u001f\p{Bidi_Control}]/u);
  }
  const [script] = HOSTILE;
  expect(textOf(inFolder("index.html"))).toContain(script);
  expect(textOf(inFolder("submissions/hostile-0/index.html"))).toContain(`Seen${script}`);
});

test("the policy allows the page's own style, and nothing else", () => {
  const [style] = /(?<=<style>).*?(?=<\/style>)/s.exec(readFileSync(inFolder("index.html"), "utf8")) ?? [""];
  const policy = documentOf(inFolder("index.html")).querySelector("meta[http-equiv]")?.getAttribute("content");
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  expect(policy).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
});

test("French spaces and commas", () => {
  const french = readFileSync(inFolder("index.fr.html"), "utf8").replace(/<style>.*<\/style>/s, "");
  expect(french).toContain("TP Docker\u00a0: les notes");
  expect(french).toContain("13,3<");
  expect(documentOf(inFolder("index.fr.html")).body.textContent).not.toMatch(/ [:;!?»](?!\w)/);
});

test("classes of one, of none that was graded, and of 200", () => {
  const figures = (rows: Parameters<typeof writePages>[1]) => {
    const place = mkdtempSync(join(folder, "class-"));
    writePages(place, rows);
    return documentOf(join(place, "index.html"));
  };
  const one = figures([graded("a", { fail: ["tree"] })]);
  expect(one.querySelector("figcaption")?.textContent).toBe("One graded submission: 17.5");
  expect(one.querySelector("svg.distribution")?.getAttribute("aria-label")).toEndWith(": 17: 1");
  const none = figures([ungraded("a", "no engine")]);
  expect(none.querySelector("svg")).toBeNull();
  expect(none.body.textContent).not.toContain("NaN");
  const many = figures(
    Array.from({ length: 200 }, (_, index) => graded(`s${index}`, { fail: index % 2 ? ["up"] : [] })),
  );
  expect(many.querySelectorAll("table.submissions tbody tr")).toHaveLength(200);
  expect(many.querySelector("svg.distribution")?.getAttribute("aria-label")).toEndWith("17: 100, 20: 100");
});

test("the median of an odd and an even number of marks", () => {
  expect([[3], [1, 9], [9, 1, 5], [4, 1, 2, 20]].map(median)).toEqual([3, 5, 5, 3]);
});

test("texts have enough contrast in light and dark: WCAG 2.2 AA, 4.5 to 1", () => {
  const css = readFileSync(join(import.meta.dir, "../report/pages/page.css"), "utf8");
  const themes = [...css.matchAll(/:root \{([^}]*--ink[^}]*)\}/g)].map(([, body = ""]) =>
    Object.fromEntries([...body.matchAll(/--(\w+): (#\w{6})/g)].map(([, name, colour]) => [name, colour as string])),
  );
  expect(themes).toHaveLength(2);
  for (const theme of themes) {
    for (const ground of ["paper", "panel"]) {
      for (const ink of ["ink", "soft", "link", "pass", "fail", "blocked", "skipped"]) {
        expect(contrast(theme[ink] ?? "", theme[ground] ?? ""), `${ink} on ${ground}`).toBeGreaterThan(4.5);
      }
    }
  }
});

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.skipIf(!existsSync(CHROMIUM))("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS.split(" ") });
  });
  afterAll(() => browser.close());

  const views = (["light", "dark"] as const).flatMap((colorScheme) =>
    [390, 1280].map((width) => ({ colorScheme, width })),
  );
  test.each(views)("$colorScheme, $width px: fits, is quiet and loads nothing", async ({ colorScheme, width }) => {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("dialog", (dialog) => said.push(dialog.message()));
    page.on("request", (request) => asked.push(request.url()));
    for (const path of pages) {
      const { href } = pathToFileURL(path);
      asked.length = 0;
      await page.goto(href);
      expect(asked).toEqual([href]);
      expect(await page.evaluate("document.documentElement.scrollWidth"), path).toBe(width);
      const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(ground).toBe(colorScheme === "light" ? "rgb(253, 253, 252)" : "rgb(22, 24, 27)");
    }
    expect(said).toEqual([]);
    await page.close();
  });

  test("rows stay rows for screen readers where they are shown as cards", async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    await page.goto(pathToFileURL(inFolder("index.html")).href);
    expect(await page.getByRole("rowheader", { name: "Bob Martin" }).count()).toBe(1);
    expect(await page.getByRole("row").count()).toBe(CLASS.length + 6 + 2);
    await page.close();
  });
});

test("a file is written whole, or stays as it was", () => {
  const path = inFolder("whole/a.txt");
  writeWhole(path, "one");
  writeWhole(path, "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  writeFileSync(inFolder("whole/file"), "");
  expect(() => writeWhole(inFolder("whole/file/a.txt"), "x")).toThrow("whole/file");
  expect(() => writeWhole(inFolder("whole"), "x")).toThrow();
  expect([...new Bun.Glob("**/.*").scanSync({ cwd: folder, dot: true })]).toEqual([]);
});
