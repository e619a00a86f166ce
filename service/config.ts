/** An environment variable: its valid values, and its default. Without a default it is required. */
export interface Variable<T> {
  /** What a valid value looks like, for the error message. */
  readonly expected: string;
  readonly fallback?: T;
  /** The value, or `undefined` if the text is not valid. */
  parse(text: string): T | undefined;
}

export type Variables = Record<string, Variable<unknown>>;
export type Values<V extends Variables> = { [Name in keyof V]: V[Name] extends Variable<infer T> ? T : never };

/** All variables that are missing or invalid, one line each. */
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

/** A number of milliseconds up to a minute, in plain decimal digits. */
export const upToAMinute: Variable<number> = {
  expected: "milliseconds, from 0 to 60000",
  parse: (text) => (/^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 60_000 ? Number(text) : undefined),
};

/**
 * A host name or an address, IPv6 with or without brackets; not a URL. The value can be used in a URL.
 * Underscores are allowed: names of Compose services have them, although RFC 952 does not.
 */
export const host: Variable<string> = {
  expected: "a host name or an IP address, without scheme, port or path",
  parse(text) {
    const name = /^[\da-f:.]*:[\da-f:.]*$/i.test(text) ? `[${text}]` : text;
    const isWellFormed = /^\[[\da-f:.]+\]$/i.test(name) || /^(?=.{1,253}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(name);
    return isWellFormed && URL.canParse(`http://${name}/`) ? name : undefined;
  },
};

/** One word of a list, in upper or lower case. */
export const oneOf = <const Word extends string>(words: readonly Word[]): Variable<Word> => ({
  expected: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
  parse: (text) => words.find((word) => word === text.toLowerCase()),
});

export const withDefault = <T>(variable: Variable<T>, fallback: T): Variable<T> => ({ ...variable, fallback });

/**
 * Reads variables from an environment. A variable that is set but empty is invalid, not unset: it is nearly always a
 * mistake in the file that set it.
 *
 * @throws {ConfigError} naming all variables that are missing or invalid at once
 */
export function readConfig<V extends Variables>(
  variables: V,
  environment: Record<string, string | undefined>,
): Values<V> {
  const errors: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const text = environment[name];
    values[name] = text === undefined ? variable.fallback : variable.parse(text);
    if (values[name] !== undefined) continue;
    const found = text === undefined ? `${name} is not set` : `${name}=${JSON.stringify(text)}`;
    errors.push(`${found}: expected ${variable.expected}`);
  }
  if (errors.length > 0) throw new ConfigError(errors);
  return values as Values<V>;
}
