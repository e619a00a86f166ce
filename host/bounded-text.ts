/** A stream that is being read, of which no more than a bounded part is kept. */
export interface BoundedText {
  /** Settles when the stream has ended. */
  readonly ended: Promise<void>;
  /** What has come so far: its beginning and its end, if it is longer than the bound. */
  text(): string;
}

/**
 * Reads a stream to its end in bounded memory.
 *
 * @param maxBytes how much is kept: half of it from the beginning, half from the end
 * @param onText is given all of it, as it comes
 */
export function readBounded(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  onText?: (text: string) => void,
): BoundedText {
  const decoder = new TextDecoder();
  const half = Math.floor(maxBytes / 2);
  const head: Uint8Array[] = [];
  const tail: Uint8Array[] = [];
  let [headBytes, tailBytes, leftOut] = [0, 0, 0];

  function keep(bytes: Uint8Array) {
    const first = bytes.subarray(0, half - headBytes);
    if (first.length > 0) head.push(first.slice());
    headBytes += first.length;
    const rest = bytes.subarray(first.length);
    if (rest.length === 0) return;
    tail.push(rest.slice());
    tailBytes += rest.length;
    for (let oldest = tail[0]; oldest !== undefined && tailBytes - oldest.length >= half; oldest = tail[0]) {
      tail.shift();
      tailBytes -= oldest.length;
      leftOut += oldest.length;
    }
  }

  const read = async () => {
    for await (const bytes of stream) {
      keep(bytes);
      onText?.(decoder.decode(bytes, { stream: true }));
    }
  };
  return {
    ended: read(),
    text() {
      const end = Buffer.concat(tail).subarray(-half);
      const missing = leftOut + tailBytes - end.length;
      const gap = missing > 0 ? `\n[… ${missing} bytes left out …]\n` : "";
      return `${Buffer.concat(head)}${gap}${end}`;
    },
  };
}
