// What node's HTTP server takes for requests. Says on which port it listens, then a line of JSON for each request.
const http = require("node:http");

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts).toString("latin1");
    console.log(JSON.stringify([request.method, request.url, body]));
    response.end("ok");
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
