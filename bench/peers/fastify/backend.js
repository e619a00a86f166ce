import Fastify from "fastify";

const app = Fastify();
app.get("/", () => ({ body: "Je suis une réponse du backend" }));
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
