// Sessions at a proxy, with express-session, connect-redis and http-proxy: `node proxy.js <upstream> <redis socket>`.
//
// As somebody would write it who has these packages and cares about speed: one process for one processor, connections
// to the upstream that are kept, one GET for each request; sessions are written by `/login` and by nothing else.

import { Agent } from "node:http";

import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import httpProxy from "http-proxy";
import { createClient } from "redis";

const LIFE_MS = 7200 * 1000;
const MAPPED = { "x-user-id": "user_id", authorization: "authorization" };

const [upstream, socket] = process.argv.slice(2);
if (!socket) {
  throw new Error("usage: node proxy.js <host:port of the upstream> <redis socket>");
}

const client = await createClient({ socket: { path: socket } }).connect();
const proxy = httpProxy.createProxyServer({
  target: `http://${upstream}`,
  agent: new Agent({ keepAlive: true }),
});
proxy.on("error", (_error, _request, response) => {
  response.writeHead(502).end();
});

const app = express();
app.disable("x-powered-by");
app.use(
  session({
    store: new RedisStore({ client, prefix: "express:", disableTouch: true }),
    name: "session_id",
    secret: "of a comparison in which nobody attacks",
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: LIFE_MS },
  }),
);
app.post("/login", express.json(), (request, response) => {
  Object.assign(request.session, request.body);
  response.end();
});
// A client cannot say who it is: what it sent is replaced, or goes.
app.use((request, response) => {
  for (const [header, attribute] of Object.entries(MAPPED)) {
    delete request.headers[header];
    const value = request.session[attribute];
    if (value !== undefined) {
      request.headers[header] = value;
    }
  }
  proxy.web(request, response);
});

const server = app.listen(0, "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`listening on ${address}:${port}`);
});
