// A name server that loses the first question for each kind of address, then names one address (its argument) for
// every name: RFC 1035, sections 4.1.1 to 4.1.3. Runs in a container, as the text of `bun -e`.
export {};

const address = process.argv[1] ?? "";
const A = 1;
const lost = new Set<number>();

Bun.udpSocket({
  port: 53,
  socket: {
    data(socket, question, port, host) {
      const end = question.indexOf(0, 12) + 5;
      const kind = question.readUInt16BE(end - 4);
      if (!lost.has(kind)) return void lost.add(kind);
      const answers = kind === A ? 1 : 0;
      // The name of the question, A, IN, for a second, four bytes.
      const answer = [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)];
      const head = [...question.subarray(0, 2), 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0];
      const bytes = [...head, ...question.subarray(12, end), ...(answers ? answer : [])];
      socket.send(Buffer.from(bytes), port, host);
    },
  },
});
