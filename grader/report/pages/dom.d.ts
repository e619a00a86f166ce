// The types of Preact bring in those of browsers, whose streams lack a method that Bun's have.

interface ReadableStream {
  text(): Promise<string>;
}
