// An animated picture of a recording, without scripts, so that it moves in <img> too. All lines lie below each other on
// one sheet, which moves up behind the window as the terminal scrolls; each version of a line is shown for its time.

import type { Cast } from "./cast.ts";
import type { Run, Screen } from "./screen.ts";

/** In pixels. Nearly as high as the characters, so that the lines of a table meet. */
const CELL = { width: 8.4, height: 16 };
const FONT_SIZE = 14;
/** Of the first line's base line in its cell. */
const BASELINE = 12.5;
const PADDING = 14;
/** Of the last screen, before it begins again, in seconds. */
const LAST_S = 2;

/** The terminal is dark on light pages too. All colours have a contrast of at least 4.5 to it. */
const BACKGROUND = "#161b22";
const FOREGROUND = "#e6edf3";
const COLOURS = [
  ...["#8b949e", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"],
  ...["#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#7ce0e8", "#ffffff"],
];

/** What is drawn from one time to another, in seconds; without an end, until all begins again. */
interface Shown {
  readonly from: number;
  readonly to: number | undefined;
  readonly drawn: string[];
}

/**
 * @param screens that the recording leads to
 * @param title for those who cannot see it
 * @param still a text; who has switched animations off sees the last screen with it
 * @throws {Error} if there is none
 */
export function svgOf(cast: Cast, screens: readonly Screen[], title: string, still: string): string {
  const seconds = (screens.at(-1)?.at ?? 0) + LAST_S;
  const stillScreen = screens.findLast(({ lines }) => JSON.stringify(lines).includes(still));
  if (stillScreen === undefined) throw new Error(`the recording does not show: ${still}`);
  const shown = [...versionsOf(screens).values()];
  const isStill = ({ from, to = seconds }: Shown) => from <= stillScreen.at && stillScreen.at < to;
  const [width, height] = [cast.columns * CELL.width, cast.rows * CELL.height];
  const [fullWidth, fullHeight] = [width + 2 * PADDING, height + 2 * PADDING];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${fullWidth} ${fullHeight}" width="${fullWidth}" height="${fullHeight}" role="img">`,
    `<title>${Bun.escapeHTML(title)}</title>`,
    "<style>",
    ...styleOf(stillScreen),
    ...animationOf(screens, shown, seconds),
    "</style>",
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<clipPath id="window"><rect width="${width}" height="${height}"/></clipPath>`,
    `<g clip-path="url(#window)" transform="translate(${PADDING} ${PADDING})"><g class="sheet">`,
    ...shown.map(
      (one, n) => `<g class="v${isStill(one) ? " s" : ""}" style="animation-name:v${n}">${one.drawn.join("")}</g>`,
    ),
    "</g></g></svg>\n",
  ].join("\n");
}

/** Without the animation this shows one screen. */
const styleOf = (still: Screen): string[] => [
  `text{font:${FONT_SIZE}px Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:${FOREGROUND};white-space:pre}`,
  ".b{font-weight:bold}",
  ...COLOURS.map((colour, number) => `.c${number}{fill:${colour}}`),
  ".v{visibility:hidden}.s{visibility:visible}",
  `.sheet{transform:${moved(still)}}`,
];

function animationOf(screens: readonly Screen[], shown: readonly Shown[], seconds: number): string[] {
  const percent = (at: number) => `${Number(((at / seconds) * 100).toFixed(3))}%`;
  const scrolling = screens.filter(({ scrolled }, index) => scrolled !== screens[index - 1]?.scrolled);
  return [
    "@media(prefers-reduced-motion:no-preference){",
    `.v,.sheet{animation:${Number(seconds.toFixed(2))}s step-end infinite}`,
    ".v{visibility:hidden}.sheet{animation-name:sheet}",
    "}",
    `@keyframes sheet{${scrolling.map((screen) => `${percent(screen.at)}{transform:${moved(screen)}}`).join("")}}`,
    ...shown.map(({ from, to }, n) => {
      const end = to === undefined ? "to{visibility:visible}" : `${percent(to)}{visibility:hidden}`;
      return `@keyframes v${n}{${percent(from)}{visibility:visible}${end}}`;
    }),
  ];
}

const moved = ({ scrolled }: Screen) => `translateY(${-scrolled * CELL.height}px)`;

/** The versions of all lines, those together that come and go at the same time. */
function versionsOf(screens: readonly Screen[]): Map<string, Shown> {
  const versions = new Map<string, Shown>();
  const current: { since: number; drawn: string }[] = [];
  const end = (y: number, at: number | undefined) => {
    const version = current[y];
    if (version === undefined || version.drawn === "") return;
    const key = `${version.since} ${at}`;
    const shown = versions.get(key) ?? { from: version.since, to: at, drawn: [] };
    shown.drawn.push(version.drawn);
    versions.set(key, shown);
  };
  for (const { at, lines } of screens)
    for (const [y, runs] of lines.entries()) {
      const drawn = runs.map((run) => draw(run, y)).join("");
      if (current[y]?.drawn === drawn) continue;
      end(y, at);
      current[y] = { since: at, drawn };
    }
  for (const y of current.keys()) end(y, undefined);
  return versions;
}

/** The length keeps the columns below each other, whichever font there is. */
function draw({ column, text, colour, bold }: Run, y: number): string {
  const indent = text.length - text.trimStart().length;
  const words = text.slice(indent);
  const number = (pixels: number) => Number(pixels.toFixed(1));
  const classes = [...(bold ? ["b"] : []), ...(colour === undefined ? [] : [`c${colour}`])];
  const attributes = [
    `x="${number((column + indent) * CELL.width)}"`,
    `y="${number(y * CELL.height + BASELINE)}"`,
    `textLength="${number(words.length * CELL.width)}"`,
    ...(classes.length > 0 ? [`class="${classes.join(" ")}"`] : []),
  ];
  return `<text ${attributes.join(" ")} lengthAdjust="spacingAndGlyphs">${Bun.escapeHTML(words)}</text>`;
}
