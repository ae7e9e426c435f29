// Notes as a JSON API, with Express and express-session: in the process's memory (its default), or in Redis.
import express from "express";
import session from "express-session";

const { SESSION_SECRET, PASSWORD, SESSIONS, REDIS_URL } = process.env;
let store; // express-session's own MemoryStore, unless another one is given

if (SESSIONS === "redis") {
  const { RedisStore } = await import("connect-redis");
  const { createClient } = await import("redis");
  const client = createClient({ url: REDIS_URL });
  client.on("error", (error) => console.error(error.message));
  await client.connect();
  store = new RedisStore({ client });
}

const app = express();
app.use(express.json());
app.get("/health", (request, response) => response.send("well"));
app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false, store }));

app.post("/api/login", (request, response) => {
  const { user, password } = request.body;
  if (password !== PASSWORD) return response.status(403).json({ error: "wrong password" });
  request.session.regenerate(() => {
    request.session.user = user;
    response.json({ user });
  });
});

app.use((request, response, next) => {
  if (request.session.user) return next();
  response.status(401).json({ error: "log in first" });
});

app.get("/api/me", (request, response) => response.json({ user: { name: request.session.user } }));

app.put("/api/notes", (request, response) => {
  request.session.notes = [...(request.session.notes ?? []), request.body.note];
  response.json({ notes: request.session.notes });
});

app.get("/api/notes", (request, response) => response.json({ notes: request.session.notes ?? [] }));

app.post("/api/logout", (request, response) => {
  request.session.destroy(() => response.status(204).end());
});

app.listen(Number(process.argv[2]), "127.0.0.1");
