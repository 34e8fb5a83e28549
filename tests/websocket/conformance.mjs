// A WebSocket client and a server that have to understand each other through a gateway.
//
//   node conformance.mjs serve            says its port, then serves
//   node conformance.mjs check HOST:PORT  plays every case through the gateway, and says how many there were
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { WebSocket, WebSocketServer } from "ws";

const MIB = 1024 * 1024;
const [role, gateway] = process.argv.slice(2);

// === the server: sends back what it gets ===

function serve() {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true, maxPayload: 64 * MIB });
  server.on("listening", () => console.log(server.address().port));
  server.on("connection", (socket, request) => {
    if (request.url === "/close") socket.close(4321, "as you wish");
    if (request.url === "/drop") socket.terminate();
    if (request.url === "/ping") socket.ping("are you there", false, () => {});
    socket.on("pong", (data) => socket.send(`pong ${data}`));
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    // What does not conform is answered with a close frame, which the client has to see.
    socket.on("error", () => {});
  });
}

// === the client ===

const cases = {
  async "text and bytes of every kind of length"() {
    const socket = await open("/");
    for (const length of [0, 1, 125, 126, 127, 65535, 65536, 65537, 3 * MIB]) {
      const bytes = randomBytes(length);
      assert.deepEqual(await echo(socket, bytes), bytes, `${length} bytes`);
      const text = "ä".repeat(length / 4);
      assert.equal(String(await echo(socket, text)), text, `${length / 4} letters`);
    }
    await close(socket);
  },

  async "a message of 16 MiB"() {
    const socket = await open("/");
    const bytes = randomBytes(16 * MIB);
    assert.deepEqual(digest(await echo(socket, bytes)), digest(bytes));
    await close(socket);
  },

  async "fragments, with pings between them"() {
    const socket = await open("/");
    const parts = Array.from({ length: 50 }, (_, n) => randomBytes(n * 100));
    const answer = once(socket, "message");
    parts.forEach((part, n) => {
      socket.send(part, { binary: true, fin: n === parts.length - 1, compress: false });
      if (n % 10 === 0) socket.ping(`${n}`);
    });
    assert.deepEqual((await answer)[0], Buffer.concat(parts));
    await close(socket);
  },

  async "pings of both sides"() {
    const socket = await open("/");
    const pong = once(socket, "pong");
    socket.ping("hello");
    assert.equal(String((await pong)[0]), "hello");
    await close(socket);
    const asked = await open("/ping");
    assert.equal(String((await once(asked, "message"))[0]), "pong are you there");
    await close(asked);
  },

  async "close codes of both sides"() {
    for (const [code, reason] of [[1000, ""], [1001, "gone"], [3000, "ä".repeat(60)], [4999, "x"]]) {
      const socket = await open("/");
      const closed = once(socket, "close");
      socket.close(code, reason);
      const [seen, said] = await closed;
      assert.deepEqual([seen, String(said)], [code, reason]);
    }
    const [code, reason] = await once(await open("/close"), "close");
    assert.deepEqual([code, String(reason)], [4321, "as you wish"]);
  },

  async "a server that hangs up without a word"() {
    const [code] = await once(await open("/drop"), "close");
    assert.equal(code, 1006);
  },

  async "compression on and off"() {
    for (const perMessageDeflate of [true, false]) {
      const socket = await open("/", { perMessageDeflate });
      assert.equal(socket.extensions.includes("permessage-deflate"), perMessageDeflate);
      const text = "the same again ".repeat(100_000);
      assert.equal(String(await echo(socket, text)), text);
      await close(socket);
    }
  },

  async "frames that break the protocol are answered by the server"() {
    const frames = {
      "reserved opcode": [0x83, 0x80, 0, 0, 0, 0],
      "reserved bits": [0xf1, 0x80, 0, 0, 0, 0],
      "no mask": [0x81, 0x01, 0x61],
      "fragmented ping": [0x09, 0x80, 0, 0, 0, 0],
      "continuation of nothing": [0x80, 0x80, 0, 0, 0, 0],
      "text that is no UTF-8": [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    };
    for (const [name, frame] of Object.entries(frames)) {
      const bytes = await raw(Buffer.from(frame));
      // A close frame with 1002 or 1007, and the end.
      assert.equal(bytes[0], 0x88, name);
      assert.ok([1002, 1007].includes(bytes.readUInt16BE(2)), name);
    }
  },

  async "bytes in pieces of any size"() {
    const socket = await open("/", { perMessageDeflate: false });
    const sent = Array.from({ length: 500 }, () => randomBytes(Math.floor(Math.random() ** 4 * 200_000)));
    const seen = [];
    const done = new Promise((resolve) => {
      socket.on("message", (data) => seen.push(data) === sent.length && resolve());
    });
    sent.forEach((bytes) => socket.send(bytes));
    await done;
    assert.deepEqual(digest(Buffer.concat(seen)), digest(Buffer.concat(sent)));
    await close(socket);
  },

  async "fifty at once"() {
    await Promise.all(Array.from({ length: 50 }, async () => {
      const socket = await open("/");
      const bytes = randomBytes(100_000);
      assert.deepEqual(await echo(socket, bytes), bytes);
      await close(socket);
    }));
  },
};

async function check() {
  for (const [name, play] of Object.entries(cases)) {
    try {
      await play();
    } catch (error) {
      console.error(`${name}: ${error.stack}`);
      process.exit(1);
    }
  }
  console.log(Object.keys(cases).length);
  process.exit(0);
}

async function open(path, options = {}) {
  const socket = new WebSocket(`ws://${gateway}${path}`, { maxPayload: 64 * MIB, ...options });
  await once(socket, "open");
  return socket;
}

async function echo(socket, data) {
  const answer = once(socket, "message");
  socket.send(data);
  return (await answer)[0];
}

async function close(socket) {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

// Everything that comes back after a frame, until the connection ends.
function raw(frame) {
  const [host, port] = gateway.split(":");
  const upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  return new Promise((resolve, reject) => {
    const line = net.connect(Number(port), host, () => line.write(upgrade));
    let bytes = Buffer.alloc(0);
    let head = -1;
    line.on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      if (head === -1 && (head = bytes.indexOf("\r\n\r\n")) !== -1) line.write(frame);
    });
    line.on("end", () => {
      line.destroy();
      resolve(bytes.subarray(head + 4));
    });
    line.on("error", reject);
  });
}

function digest(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

await (role === "serve" ? serve() : check());
