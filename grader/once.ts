/** Does something once, at the first call. A failure is not remembered: the next call tries again. */
export function once<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= action();
    result.catch(() => {
      result = undefined;
    });
    return result;
  };
}

/** Does something for all who ask while it goes on, together; who asks later has it done again. */
export function shared<A extends unknown[], T>(action: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  let running: Promise<T> | undefined;
  return (...args) => {
    running ??= action(...args).finally(() => {
      running = undefined;
    });
    return running;
  };
}
