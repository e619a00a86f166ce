// What submissions write, made harmless for who reads it.

import { expect, test } from "bun:test";
import { printable } from "../text.ts";

test.each([
  ["plain, é, 日本語, 😀", "plain, é, 日本語, 😀"],
  ["a\x1b[31mred\x07", "a�[31mred�"],
  ["a\r\nb\tc", "a��b�c"],
  ["abc\u202egnp", "abc�gnp"],
  ["::error::text", ": :error::text"],
  ["  ::add-mask::x", ": :add-mask::x"],
  ["\t::error::x", "�::error::x"],
  ["a ##[error]b##[debug]", "a ## [error]b## [debug]"],
  ["a##vso[task.complete]", "a## vso[task.complete]"],
  ["a\u2028b", "a�b"],
  ["::1", ": :1"],
  ["http://[::1]/", "http://[::1]/"],
])("%j", (words, expected) => expect(printable(words)).toBe(expected));

test("no more than 2,000 characters", () => expect(printable("x".repeat(3000))).toHaveLength(2000));
