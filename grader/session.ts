/** Names what this process makes on the engine and among the temporary files; no other process has the same. */
export const SESSION = `grader${process.pid}x${crypto.randomUUID().slice(0, 6)}`;

/** The form of such a name, also of another process. */
export const SESSION_FORM = /^grader\d+x[0-9a-f]{6}$/;
