import { expect, test } from "bun:test";
import { printable } from "./refusal.ts";

test("what a terminal would obey is shown, and all else is as it was", () => {
  expect(printable("a\u001b[2K\r✓\u009b1A\u202eb")).toBe("a\\u{1b}[2K\\u{d}✓\\u{9b}1A\\u{202e}b");
  expect(printable("une ligne,\n\tété ✗")).toBe("une ligne,\n\tété ✗");
});
