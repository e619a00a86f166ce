// A DNS server that drops the first query for each record type, then answers every query for an A record with one
// address, its argument (RFC 1035, sections 4.1.1 to 4.1.3). Runs in a container, as the text of `bun -e`.
export {};

const address = process.argv[1] ?? "";
const A = 1;
const dropped = new Set<number>();

Bun.udpSocket({
  port: 53,
  socket: {
    data(socket, query, port, host) {
      const questionEnd = query.indexOf(0, 12) + 5;
      const type = query.readUInt16BE(questionEnd - 4);
      if (!dropped.has(type)) return void dropped.add(type);
      const answers = type === A ? 1 : 0;
      // A pointer to the name in the question, type A, class IN, a TTL of one second, four bytes of address.
      const answer = [0xc0, 12, 0, A, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split(".").map(Number)];
      const header = [...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0];
      const bytes = [...header, ...query.subarray(12, questionEnd), ...(answers ? answer : [])];
      socket.send(Buffer.from(bytes), port, host);
    },
  },
});
