declare module "spdx-expression-parse" {
  /** @throws {Error} if it is no license expression of SPDX */
  export default function parse(expression: string): unknown;
}
