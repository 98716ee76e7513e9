// automerge-repo behind the commands that the benchmark gives to every peer; ../README.md lists them.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { setImmediate as breath, setTimeout as sleep } from "node:timers/promises";

import * as Automerge from "@automerge/automerge";
import { Repo, decodeHeads, generateAutomergeUrl, parseAutomergeUrl } from "@automerge/automerge-repo";
import { WebSocketClientAdapter, WebSocketServerAdapter } from "@automerge/automerge-repo-network-websocket";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";
import { WebSocketServer } from "ws";

const RETRY_MS = 5_000;

/** Pieces of a file: `numbers` little-endian numbers of 32 bits, the last of them the length of what follows. */
function pieces(file, numbers) {
  const bytes = fs.readFileSync(file);
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const head = Array.from({ length: numbers }, (_, index) => bytes.readUInt32LE(at + 4 * index));
    at += 4 * numbers;
    found.push([...head.slice(0, -1), new Uint8Array(bytes.subarray(at, (at += head.at(-1))))]);
  }
  return found;
}

const ids_of = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
const every_second = (progress) => setInterval(() => say({ progress: progress() }), 1_000);
const repo_in = (folder, more = {}) => new Repo({ storage: new NodeFSStorageAdapter(folder), ...more });
const number_of_changes = (handle) => Automerge.stats(handle.doc()).numChanges;

/** Adds changes to a document as its author would have made them. */
function apply(handle, changes) {
  handle.update((document) => Automerge.applyChanges(document, changes)[0]);
}

/** Puts documents into an empty folder, and writes their ids down. */
async function seed(folder, documents, ids_file) {
  const repo = repo_in(folder);
  const ids = [];
  for (const [document] of pieces(documents, 1)) {
    const id = parseAutomergeUrl(generateAutomergeUrl()).documentId;
    await repo.storageSubsystem.saveDoc(id, Automerge.load(document));
    ids.push(id);
  }
  fs.writeFileSync(ids_file, JSON.stringify(ids));
  say({ documents: ids.length });
  process.exit(0);
}

/** Serves a folder until standard input ends. */
async function serve(folder) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((listening) => server.once("listening", listening));
  const repo = repo_in(folder, { network: [new WebSocketServerAdapter(server)] });
  say({ port: server.address().port });
  await asked_to_end();
  await repo.flush();
  process.exit(0);
}

/** Connects `repo` to a server. `opened` is when the socket was open. */
async function connect(repo, port) {
  const adapter = new WebSocketClientAdapter(`ws://127.0.0.1:${port}`, RETRY_MS);
  const peer = new Promise((known) => adapter.once("peer-candidate", known));
  repo.networkSubsystem.addNetworkAdapter(adapter);
  while (!adapter.socket) await breath();
  const socket = adapter.socket;
  const opened = await new Promise((open) => socket.addEventListener("open", () => open(performance.now())));
  const { peerMetadata } = await peer;
  return { opened, socket: socket._socket, server: peerMetadata.storageId };
}

/** Waits until the server has said that it holds what we hold. */
function equal(handle, server) {
  const same = () => {
    const theirs = handle.getSyncInfo(server)?.lastHeads;
    return theirs && String([...theirs].sort()) === String([...handle.heads()].sort());
  };
  return new Promise((done) => {
    const look = () => {
      if (!same()) return;
      handle.off("remote-heads", look);
      handle.off("heads-changed", look);
      done();
    };
    handle.on("remote-heads", look);
    handle.on("heads-changed", look);
    look();
  });
}

/** Makes documents equal here and at the server, so many at once. */
async function sync(folder, port, ids_file, at_once, changes) {
  const repo = repo_in(folder);
  const ids = ids_of(ids_file);
  const news = new Map();
  for (const [index, change] of changes ? pieces(changes, 2) : []) {
    news.set(index, [...(news.get(index) ?? []), change]);
  }
  // Made and stored before anyone is connected.
  const edited = [];
  for (const [index, made] of news) {
    apply(await repo.find(ids[index]), made);
    edited.push(ids[index]);
  }
  await repo.flush(edited);

  const { opened, socket, server } = await connect(repo, port);
  const handles = [];
  let begun = 0;
  const progress = every_second(() => `${handles.length} of ${ids.length} documents are equal`);
  await Promise.all(
    Array.from({ length: Math.min(at_once, ids.length) }, async () => {
      while (begun < ids.length) {
        const handle = await repo.find(ids[begun++]);
        await equal(handle, server);
        handles.push(handle);
      }
    }),
  );
  const wall_ms = performance.now() - opened;
  const bytes = [socket.bytesWritten, socket.bytesRead];
  clearInterval(progress);
  // From here on the server may be killed.
  say({ wall_ms, bytes_sent: bytes[0], bytes_received: bytes[1] });
  await asked_to_end();
  const held = handles.reduce((sum, handle) => sum + number_of_changes(handle), 0);
  await repo.flush();
  say({ changes: held });
  process.exit(0);
}

/** One writes, others receive: all in this process, each with a folder and a connection of its own. */
async function fanout(folder, port, ids_file, changes, count, rate) {
  const [id] = ids_of(ids_file);
  const made = pieces(changes, 2).map(([, change]) => change);
  const places = new Map(made.map((change, index) => [Automerge.decodeChange(change).hash, index]));
  const join = async (name) => {
    const repo = repo_in(path.join(folder, name));
    await connect(repo, port);
    return repo.find(id);
  };
  const writer = await join("writer");
  const readers = [];
  for (let number = 0; number < count; number++) readers.push(await join(`reader-${number}`));
  await sleep(500);

  const commits = [];
  const last = [];
  const reached = readers.map(() => 0);
  const all = new Promise((done) => {
    readers.forEach((handle, reader) => {
      handle.on("heads-changed", () => {
        const now = performance.now();
        const newest = Math.max(...decodeHeads(handle.heads()).map((head) => places.get(head) ?? -1));
        for (; reached[reader] <= newest; reached[reader]++) last[reached[reader]] = now;
        if (reached.every((edits) => edits === made.length)) done();
      });
    });
  });
  const progress = every_second(() => `${Math.min(...reached)} of ${made.length} edits are at all ${count} readers`);
  const begun = performance.now();
  for (const [index, change] of made.entries()) {
    if (rate > 0) await sleep(Math.max(0, begun + (index * 1_000) / rate - performance.now()));
    else await breath();
    commits.push(performance.now());
    apply(writer, [change]);
  }
  await all;
  clearInterval(progress);
  say({ wall_ms: Math.max(...last) - commits[0], delays_ms: last.map((time, index) => time - commits[index]) });
  await asked_to_end();
  process.exit(0);
}

/** Says how many changes a folder holds. */
async function held(folder, ids_file) {
  const repo = repo_in(folder);
  let changes = 0;
  for (const id of ids_of(ids_file)) {
    const handle = await repo.find(id, { allowableStates: ["ready", "unavailable"] });
    if (handle.isReady()) changes += number_of_changes(handle);
  }
  say({ changes });
  process.exit(0);
}

/** Waits for a line on standard input, or its end. */
async function asked_to_end() {
  const lines = readline.createInterface({ input: process.stdin });
  await Promise.race([new Promise((line) => lines.once("line", line)), new Promise((end) => lines.once("close", end))]);
}

/** Says what went wrong, and ends. */
function fail(error) {
  say({ failed: error.message });
  process.exit(1);
}

// What libraries print must not stand among the answers.
console.log = console.error;
process.on("uncaughtException", fail);
const [command, ...given] = process.argv.slice(2);
try {
  if (command === "seed") await seed(...given);
  else if (command === "serve") await serve(...given);
  else if (command === "held") await held(...given);
  else if (command === "sync") await sync(given[0], Number(given[1]), given[2], Number(given[3]), given[4]);
  else if (command === "fanout") {
    await fanout(given[0], Number(given[1]), given[2], given[3], Number(given[4]), Number(given[5]));
  } else throw new Error(`there is no command ${command}`);
} catch (error) {
  fail(error);
}
