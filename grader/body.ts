/** A body, or its first `maxBytes` and what came with them: the rest of a longer one is not waited for. */
export async function readBody({ body }: Response, maxBytes: number): Promise<{ text: string; isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) break;
  }
  return { text: Buffer.concat(chunks).toString(), isWhole: bytes <= maxBytes };
}
