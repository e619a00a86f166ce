/** Names what this process makes on the engine and among the temporary files; no other process has the same. */
export const SESSION = `grader${process.pid}x${crypto.randomUUID().slice(0, 6)}`;

/** Whether a text read from a file may be the name of another process of the grader. */
export const isSession = (text: unknown): boolean => typeof text === "string" && /^grader\d+x[0-9a-f]{6}$/.test(text);
