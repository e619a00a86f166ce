/** One variable of the environment: what it may hold, and what it is where it is not set (without `fallback`: required). */
export interface Variable<T> {
  /** What a right value looks like, for the one who typed a wrong one. */
  readonly expected: string;
  readonly fallback?: T;
  /** The value, or `undefined` where the text is none. */
  parse(text: string): T | undefined;
}

export type Variables = Record<string, Variable<unknown>>;
export type Values<V extends Variables> = { [Name in keyof V]: V[Name] extends Variable<infer T> ? T : never };

/** Every variable that is missing or wrong, one line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly lines: readonly string[]) {
    super(lines.join("\n"));
  }
}

/** A TCP port, 1 to 65535, in plain decimal digits. */
export const port: Variable<number> = {
  expected: "a port number from 1 to 65535",
  parse: (text) => (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined),
};

/**
 * A host name or an address, IPv6 with or without brackets; not a URL. The value is ready to stand in a URL.
 * Underscores are let in: they are usual in the names of Compose services, though RFC 952 has none.
 */
export const host: Variable<string> = {
  expected: "a host name or an IP address, without scheme, port or path",
  parse(text) {
    const name = /^[\da-f:.]*:[\da-f:.]*$/i.test(text) ? `[${text}]` : text;
    const shaped = /^\[[\da-f:.]+\]$/i.test(name) || /^(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(name);
    return shaped && URL.canParse(`http://${name}/`) ? name : undefined;
  },
};

/** One word out of a list. */
export const oneOf = <const Word extends string>(...words: Word[]): Variable<Word> => ({
  expected: words.join(" or "),
  parse: (text) => words.find((word) => word === text),
});

export const withDefault = <T>(variable: Variable<T>, fallback: T): Variable<T> => ({ ...variable, fallback });

/**
 * Reads variables from an environment. A variable that is set but empty counts as wrong, not as unset:
 * it is nearly always a mistake in the file that set it.
 *
 * @throws {ConfigError} naming all that is missing or wrong at once
 */
export function readConfig<V extends Variables>(
  variables: V,
  environment: Record<string, string | undefined>,
): Values<V> {
  const wrong: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const text = environment[name];
    values[name] = text === undefined ? variable.fallback : variable.parse(text);
    if (values[name] !== undefined) continue;
    const seen = text === undefined ? `${name} is not set` : `${name}=${JSON.stringify(text)}`;
    wrong.push(`${seen}: expected ${variable.expected}`);
  }
  if (wrong.length > 0) throw new ConfigError(wrong);
  return values as Values<V>;
}
