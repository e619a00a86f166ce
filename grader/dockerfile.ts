import { type Arg, type Dockerfile, DockerfileParser, type Env, type Instruction, type Label } from "dockerfile-ast";

/** How an image is built from a Dockerfile. */
export interface BuildOptions {
  /** The stage to build, by name or number; the last one by default. */
  readonly target?: string | undefined;
  /** Names of further build contexts, which a Dockerfile uses as it uses images. */
  readonly contexts?: readonly string[];
  /** Values for the Dockerfile's build arguments; an empty one is not known. */
  readonly args?: Readonly<Record<string, string>>;
}

type Values = Map<string, string | undefined>;

/**
 * The labels that a Dockerfile gives its image: those of the stage that is built and of the stages that it is based on,
 * with build arguments and variables replaced. A value that depends on one that the file does not set is `undefined`.
 */
export function labelsOf(dockerfile: string, { target, args = {} }: BuildOptions = {}): Values {
  const file = DockerfileParser.parse(dockerfile);
  const stages = stagesOf(file);
  const globals = globalsOf(file, args);
  const labels: Values = new Map();
  const argumentsInScope: Values = new Map();
  const environment: Values = new Map();
  for (const instruction of stagesUpTo(target, stages).flat()) {
    const values = new Map([...argumentsInScope, ...environment]);
    const keyword = instruction.getKeyword();
    if (keyword === "ARG") declare(instruction as Arg, argumentsInScope, args, globals);
    if (keyword === "ENV") assign(instruction as Env, environment, values);
    if (keyword === "LABEL") assign(instruction as Label, labels, values);
  }
  return labels;
}

/**
 * The images that a Dockerfile starts from or copies from, with build arguments replaced; not its own stages, and not
 * `scratch`, which is none.
 */
export function baseImagesOf(dockerfile: string, { args = {}, contexts = [] }: BuildOptions = {}): string[] {
  const file = DockerfileParser.parse(dockerfile);
  const globals = globalsOf(file, args);
  const copied = file.getCOPYs().flatMap((copy) => copy.getFlags().filter((flag) => flag.getName() === "from"));
  const named = [...file.getFROMs().map((from) => from.getImage()), ...copied.map((flag) => flag.getValue())];
  const names = file.getFROMs().map((from) => from.getBuildStage()?.toLowerCase());
  // A number is a stage as well.
  const isImage = (name: string) =>
    !["", "scratch", ...names, ...contexts].includes(name.toLowerCase()) && !/^\d+$/.test(name);
  return [...new Set(named.map((name) => expand(name ?? "", globals) ?? "").filter(isImage))];
}

/** The build arguments in front of the first stage. */
function globalsOf(file: Dockerfile, given: Readonly<Record<string, string>>): Values {
  const globals: Values = new Map();
  for (const argument of file.getInitialARGs()) declare(argument, globals, given, new Map());
  return globals;
}

/** The instructions of each stage, starting with its FROM. */
function stagesOf(file: Dockerfile): Instruction[][] {
  const stages: Instruction[][] = [];
  for (const instruction of file.getInstructions()) {
    if (instruction.getKeyword() === "FROM") stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

/** A stage, after those that it is based on. */
function stagesUpTo(target: string | undefined, stages: Instruction[][]): Instruction[][] {
  const names = stages.map(([from]) => /\sas\s+(\S+)\s*$/i.exec(from?.getTextContent() ?? "")?.[1]?.toLowerCase());
  const named = (name: string | undefined) => names.lastIndexOf(name?.toLowerCase() ?? "");
  const numbered = /^\d+$/.test(target ?? "") ? Number(target) : -1;
  let index = [named(target), numbered].find((found) => found in stages) ?? stages.length - 1;
  const chain: Instruction[][] = [];
  while (index >= 0) {
    const stage = stages[index] ?? [];
    chain.unshift(stage);
    const base = stage[0]
      ?.getArguments()
      .find((argument) => !argument.getValue().startsWith("--"))
      ?.getValue();
    index = names.slice(0, index).lastIndexOf(base?.toLowerCase() ?? "");
  }
  return chain;
}

/** Declares a build argument: its value is the one of the build, else its default, else the one before the first stage. */
function declare(instruction: Arg, scope: Values, given: Readonly<Record<string, string>>, globals: Values): void {
  const property = instruction.getProperty();
  if (property === null) return;
  const name = property.getName();
  const preset = property.getValue() ?? undefined;
  const value = preset === undefined ? globals.get(name) : expand(preset, scope);
  scope.set(name, given[name] || value);
}

function assign(instruction: Env | Label, target: Values, values: Values): void {
  for (const property of instruction.getProperties()) {
    const value = property.getValue() ?? "";
    // Docker replaces nothing within single quotes; despite its name, this method keeps them.
    const isLiteral = property.getUnescapedValue()?.startsWith("'") === true;
    target.set(property.getName(), isLiteral ? value : expand(value, values));
  }
}

/** No label or image has more; values may contain each other several times. */
const MAX_VALUE_CHARACTERS = 4096;

/** Replaces `$name`, `${name}` and `${name:-default}`; `undefined` if a value is not known. */
function expand(value: string, values: Values): string | undefined {
  let isKnown = true;
  const expanded = value.replace(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (_, plain: string | undefined, braced: string | undefined, otherwise: string | undefined) => {
      const found = values.get(plain ?? braced ?? "") ?? otherwise;
      if (found === undefined) isKnown = false;
      return found ?? "";
    },
  );
  // Other forms of a variable, such as ${name:+value}, are not replaced.
  return isKnown && expanded.length <= MAX_VALUE_CHARACTERS && !/\$\{[^}]*\}/.test(expanded) ? expanded : undefined;
}
