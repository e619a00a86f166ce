import { barY, plot, ruleY, text } from "@observablehq/plot";
// The build for workers: the other one looks for the package `canvas`, which a bundler cannot find.
import { parseHTML } from "linkedom/worker";
import type { Language } from "../../text.ts";
import { countMarks } from "./statistics.ts";
import { PAGE_WORDS } from "./words.ts";

const SIZE = { width: 420, height: 170 };

/**
 * The distribution of some marks as SVG, a bar for each mark rounded down. It has the colours of the text around it, by
 * the classes of page.css, and no styles of its own, which the page's policy would refuse.
 */
export function distribution(marks: readonly number[], language: Language): string {
  const words = PAGE_WORDS[language];
  const { document } = parseHTML("<!doctype html><html></html>");
  const bars = countMarks(marks).map((count, mark) => ({ mark, count }));
  const shown = bars.filter(({ count }) => count > 0);
  const svg = plot({
    ...SIZE,
    document,
    marginTop: 22,
    marginBottom: 40,
    marginLeft: 4,
    marginRight: 4,
    style: { fontSize: "12px" },
    x: {
      label: words.distributionAxis,
      labelArrow: "none",
      domain: bars.map(({ mark }) => mark),
      ticks: bars.filter(({ mark }) => mark % 2 === 0).map(({ mark }) => mark),
      tickSize: 0,
      padding: 0.15,
    },
    y: { axis: null },
    marks: [
      barY(shown, { x: "mark", y: "count", className: "bar", fill: "currentColor" }),
      text(shown, { x: "mark", y: "count", text: ({ count }) => String(count), dy: -8 }),
      ruleY([0]),
    ],
  });
  svg.querySelector("style")?.remove();
  for (const part of svg.querySelectorAll("[aria-label], [aria-hidden]")) {
    part.removeAttribute("aria-label");
    part.removeAttribute("aria-hidden");
  }
  svg.removeAttribute("style");
  svg.setAttribute("class", "distribution");
  svg.setAttribute("font-size", "12");
  svg.setAttribute("role", "img");
  const list = shown.map(({ mark, count }) => words.bar(mark, count)).join(", ");
  svg.setAttribute("aria-label", words.distributionLabel(list));
  return svg.outerHTML;
}
