// A name server that loses the first question for each kind of address, then names one address (its argument) for
// every name: RFC 1035, sections 4.1.1 to 4.1.3. Runs in a container, as the text of `bun -e`.
const [address] = process.argv.slice(1);
const A = 1;
const lost = new Set();

Bun.udpSocket({
  port: 53,
  socket: {
    data(socket, question, port, host) {
      const kind = question.readUInt16BE(question.indexOf(0, 12) + 1);
      if (!lost.has(kind)) return void lost.add(kind);
      const end = question.indexOf(0, 12) + 5;
      const answers = kind === A ? 1 : 0;
      const head = Buffer.from([question[0], question[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0]);
      // The name of the question, A, IN, for a second, four bytes.
      const answer = [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)];
      const bytes = [...head, ...question.subarray(12, end), ...(answers ? answer : [])];
      socket.send(Buffer.from(bytes), port, host);
    },
  },
});
