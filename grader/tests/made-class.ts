// A class that was not graded but made up, for the tests of the reports.

import type { Graded } from "../graded.ts";
import { markOf } from "../mark.ts";
import type { Report, Result, RuleInfo, Verdict } from "../rule.ts";
import { finding, text, untranslated } from "../text.ts";

const rule = (id: string, points: number, en: string, fr: string, source: string): RuleInfo => ({
  id,
  points,
  title: text(en, fr),
  source,
});

/** Some of the rules, with the points that they have. */
export const RULES: readonly RuleInfo[] = [
  rule("safe", 0, "nothing reaches for the machine", "rien n'atteint la machine qui corrige", "deux conteneurs"),
  rule(
    "tree",
    1,
    "the required files are there",
    "l'arborescence demandée est respectée",
    "une arborescence telle que",
  ),
  rule(
    "up",
    1,
    "Compose builds and starts both services",
    "Compose construit et lance les deux services",
    "un fichier",
  ),
  rule("published", 2, "both images are on Docker Hub", "les deux images sont sur Docker Hub", "publier vos images"),
  rule(
    "frontend",
    2,
    "port 8000 returns the backend's JSON",
    "le port 8000 renvoie le JSON du backend",
    "Cette requête",
  ),
  rule(
    "traceback",
    2,
    "/traceback ends the service",
    "/traceback arrête le service",
    "Ne devrait retourner aucun résultat",
  ),
];

const LONG = "x".repeat(400);

export interface Made {
  readonly name?: string;
  readonly participant?: string;
  readonly seen?: string;
  readonly advice?: Report["advice"];
}

/** A report: `fail`, `blocked` and `skipped` name the rules with that verdict, the others pass. */
export function report(
  verdicts: { [verdict in Exclude<Verdict, "pass">]?: readonly string[] },
  made: Made = {},
): Report {
  const results = RULES.map((info, index): Result => {
    const verdict: Verdict =
      (["fail", "blocked", "skipped"] as const).find((one) => verdicts[one]?.includes(info.id)) ?? "pass";
    const found = finding(
      untranslated(made.seen ?? 'port 8000 answered 200 with {"return": null}'),
      text("the JSON of the subject", "le JSON du sujet"),
      text("return what the backend sends", "renvoyez ce que le backend envoie"),
    );
    const reason = text("blocked by the rule up, which did not pass", "bloquée par la règle up, qui n'est pas validée");
    const base = { rule: info, verdict, seconds: index * 1.25, findings: verdict === "fail" ? [found] : [] };
    return verdict === "blocked" || verdict === "skipped" ? { ...base, reason } : base;
  });
  const advice = made.advice ?? [
    {
      id: "user.backend",
      met: true,
      text: text("backend: does not run as root", "backend : ne s'exécute pas en root"),
    },
    { id: "size.backend", met: false, text: text("backend: image of 900 MB", "backend : image de 900 Mo ; à réduire") },
  ];
  return { results, advice, mark: markOf(results) };
}

export function graded(id: string, verdicts: Parameters<typeof report>[0] = {}, made: Made = {}): Graded {
  return { ...who(id, made), report: report(verdicts, made), digest: `digest of ${id}` };
}

export const ungraded = (id: string, error: string, made: Made = {}): Graded => ({ ...who(id, made), error });

const who = (id: string, { name, participant }: Made) => ({
  id,
  name: name ?? id,
  ...(participant === undefined ? {} : { participant }),
  date: "2026-11-25T13:00:00.000Z",
  seconds: 42.4,
});

/** Names and texts that try to leave their place in every format. */
export const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</style></title></textarea>",
  "a\u202egnp.exe \u2066b",
  "=cmd|'/c calc'!A1",
  "@SUM(A1)\r\n::error::x",
  "]]></system-out><testcase/>",
  "\ufffe\ud800 \u0000 \u001b[31m",
  "| a | `b` | [c](javascript:d) &amp; &lt;",
] as const;

/** 16 submissions of all kinds. */
export const CLASS: readonly Graded[] = [
  graded("Chloé.Élan", {}, { name: "Chloé Élan", participant: "1000001" }),
  graded("bob", { fail: ["frontend"] }, { name: "Bob Martin", participant: "1000002" }),
  graded("carol", { skipped: ["published"] }, { participant: "1000003" }),
  graded(
    "dan",
    { fail: ["up"], blocked: ["frontend", "traceback"], skipped: ["published"] },
    { participant: "1000004" },
  ),
  ungraded("erin", "python:3.12 could not be pulled: 429 Too Many Requests", {
    name: "Erin O’Neil",
    participant: "1000005",
  }),
  graded("frank_2", { fail: ["tree", "traceback"] }, { seen: LONG }),
  ungraded("long-error", LONG),
  ...HOSTILE.map((name, index) => graded(`hostile-${index}`, { fail: ["traceback"] }, { name, seen: name })),
];
