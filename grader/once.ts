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
