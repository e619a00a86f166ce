import Fastify from "fastify";
import { Pool } from "undici";

const backend = new Pool(`http://127.0.0.1:${process.env.BACKEND_PORT}`, { connections: 64 });
const app = Fastify();
app.get("/", async (_request, reply) => {
  const answer = await backend.request({ method: "GET", path: "/" });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    reply.code(502);
    return { error_message: `GET / on backend API ${answer.statusCode}`, status: "[ERROR]" };
  }
  return { return: await answer.body.json(), status: "[SUCESS]" };
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
