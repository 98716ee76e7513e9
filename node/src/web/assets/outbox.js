// The outbox: marks that were made on this device and that the hub has not taken yet. They stand in
// this browser's own store, a list for each account, and leave it only when the hub says that they
// are durable there.
import { createStore, get, keys, update } from "./idb-keyval.js";

const DATABASE = "causeway-outbox";
const STORE = "marks";
// As many are sent together; if the line drops, only these are sent again.
const TOGETHER = 5;
const WAIT_MS = [1000, 2000, 5000, 10000, 30000, 60000];

// As idb-keyval does it, and written down before it counts as written.
const relaxed = createStore(DATABASE, STORE);
const store = (mode, work) =>
  relaxed(mode, (objects) => {
    if (mode === "readonly") return work(objects);
    const strict = objects.transaction.db.transaction(STORE, mode, { durability: "strict" });
    return work(strict.objectStore(STORE));
  });

const told = "BroadcastChannel" in globalThis ? new BroadcastChannel(DATABASE) : null;
const listeners = new Set();
let timer = 0;
let failed = 0;
let running = null;
let wanted = false;

export const state = { line: "idle", sentence: "" };

export const account = () => document.body.dataset.account || "";

export function key() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function waiting(of = account()) {
  return (of && (await get(of, store))) || [];
}

// How many marks wait, by account.
export async function counts() {
  const found = new Map();
  for (const name of await keys(store)) {
    const marks = await waiting(name);
    if (marks.length > 0) found.set(name, marks);
  }
  return found;
}

// Puts a mark in. An earlier one of the same person in the same session that was not taken yet
// is replaced; the new one says so, in case the earlier one arrived after all.
export async function put(mark) {
  const before = (other) => other.register === mark.register && other.member === mark.member;
  await update(
    account(),
    (list = []) => {
      const replaced = list.filter(before);
      const after = new Set(mark.after);
      for (const old of replaced) for (const item of [...old.after, `mark-${old.key}`]) after.add(item);
      return [...list.filter((other) => !before(other)), { ...mark, after: [...after] }];
    },
    store,
  );
  navigator.storage?.persist?.().catch(() => {});
  changed();
}

async function without(gone) {
  await update(account(), (list = []) => list.filter((mark) => !gone.has(mark.key)), store);
}

async function refuse(sentences) {
  const refused = (mark) =>
    sentences.has(mark.key) ? { ...mark, refused: sentences.get(mark.key) } : mark;
  await update(account(), (list = []) => list.map(refused), store);
}

// Takes marks out that the hub did not take, once somebody has read why.
export async function discard(gone) {
  await without(new Set(gone));
  changed();
}

export function listen(listener) {
  listeners.add(listener);
}

function changed(event = {}) {
  for (const listener of listeners) listener(event);
  told?.postMessage("changed");
}

function say(line, sentence) {
  state.line = line;
  state.sentence = sentence;
  for (const listener of listeners) listener({});
}

// Sends what waits, in order, one tab at a time. The hub takes each key once, so that sending what
// it has already does no harm.
export function send() {
  if (running) {
    wanted = true;
    return running;
  }
  clearTimeout(timer);
  const locked = navigator.locks
    ? navigator.locks.request(DATABASE, () => sendAll())
    : sendAll();
  running = Promise.resolve(locked)
    .catch(() => later())
    .finally(() => {
      running = null;
      if (wanted) {
        wanted = false;
        send();
      }
    });
  return running;
}

function later() {
  const wait = WAIT_MS[Math.min(failed, WAIT_MS.length - 1)];
  failed += 1;
  say("offline", "");
  clearTimeout(timer);
  timer = setTimeout(send, wait);
}

async function sendAll() {
  let csrf = "";
  for (let round = 0; round < 1000; round += 1) {
    const list = (await waiting()).filter((mark) => !mark.refused);
    if (list.length === 0) {
      failed = 0;
      say("idle", "");
      return;
    }
    const register = list[0].register;
    const end = list.findIndex((mark) => mark.register !== register);
    const marks = list.slice(0, Math.min(TOGETHER, end < 0 ? list.length : end));
    if (!csrf) {
      csrf = await proof(register, marks);
      if (csrf === null) return;
      if (!csrf) continue;
    }
    say("sending", "");
    const answer = await ask(register, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf": csrf },
      body: JSON.stringify({ account: account(), marks: marks.map(sendable) }),
    });
    if (!answer) return;
    if (answer.status === 403 && answer.body.why === "csrf") {
      csrf = "";
      failed += 1;
      if (failed > 3) return later();
      continue;
    }
    if (!(await taken(answer, register, marks))) return;
  }
}

const sendable = ({ key, member, mark, after, heads }) => ({ key, member, mark, after, heads });

// What proves that this page is from the session that is signed in now: none if it is not this
// account's, or the session has ended.
async function proof(register, marks) {
  const answer = await ask(register, {});
  if (!answer) return null;
  if (answer.status !== 200) return (await taken(answer, register, marks)) ? "" : null;
  if (answer.body.account !== account()) {
    say("account", "");
    return null;
  }
  return answer.body.csrf;
}

// An answer as JSON; none if there is none, or somebody must sign in first.
async function ask(register, options) {
  let answer;
  try {
    answer = await fetch(`${register}/marks`, {
      credentials: "same-origin",
      redirect: "manual",
      cache: "no-store",
      signal: AbortSignal.timeout?.(30000),
      ...options,
    });
  } catch {
    later();
    return null;
  }
  if (answer.type === "opaqueredirect") {
    say("signed-out", "");
    return null;
  }
  let body;
  try {
    body = await answer.json();
  } catch {
    later();
    return null;
  }
  return { status: answer.status, body };
}

// Takes in what the hub said; whether there is more to send.
async function taken({ status, body }, register, marks) {
  if (status === 200) {
    failed = 0;
    const saved = new Set(body.taken.filter((it) => it.saved).map((it) => it.key));
    const refused = body.taken.filter((it) => !it.saved);
    await without(saved);
    await refuse(new Map(refused.map((it) => [it.key, it.sentence])));
    const sentences = body.taken.filter((it) => it.saved && it.sentence).map((it) => it.sentence);
    changed({ register, body, sentences });
    return true;
  }
  if (status === 403 && body.why !== "role") {
    say("refused", body.sentence || "");
    return false;
  }
  if (status === 409 && body.why === "account") {
    say("account", "");
    return false;
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    await refuse(new Map(marks.map((mark) => [mark.key, body.sentence || "The hub did not take this mark."])));
    changed();
    return true;
  }
  later();
  return false;
}

// On every page: send what waits, forget registers of whoever used this browser before, and warn
// before signing out. Where the hub asks somebody to sign in, a session has ended.
let started = false;

export async function startOutbox() {
  if (location.pathname === "/sign-in") return forgetEnded();
  if (!account() || started) return;
  started = true;
  told?.addEventListener("message", () => {
    for (const listener of listeners) listener({ elsewhere: true });
  });
  addEventListener("online", () => {
    failed = 0;
    send();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) send();
  });
  addEventListener("submit", guardSignOut, true);
  forgetOthers();
  if ((await waiting()).length > 0) send();
}

const CACHE = "causeway-registers-";

async function forgetOthers(all = false) {
  if (!("caches" in globalThis)) return;
  for (const name of await caches.keys()) {
    if (name.startsWith(CACHE) && (all || name !== CACHE + account())) await caches.delete(name);
  }
}

// Forgets the registers of whoever has no mark waiting, as the hub no longer shows them here.
export async function forgetEnded() {
  if (!("caches" in globalThis)) return;
  for (const name of await caches.keys()) {
    if (!name.startsWith(CACHE)) continue;
    if ((await waiting(name.slice(CACHE.length))).length === 0) await caches.delete(name);
  }
}

let warned = false;

async function guardSignOut(event) {
  const form = event.target;
  const path = new URL(form.action, location.href).pathname;
  if (!/\/sign-out(-everywhere)?$/.test(path) || warned) return;
  event.preventDefault();
  event.stopPropagation();
  const submitter = event.submitter;
  const marks = await waiting().catch(() => []);
  const leave = async () => {
    warned = true;
    await forgetOthers(true).catch(() => {});
    form.requestSubmit(submitter);
  };
  if (marks.length === 0) return leave();
  warn(form, marks.length, leave);
}

function warn(form, count, leave) {
  document.getElementById("sign-out-warning")?.remove();
  const note = document.createElement("div");
  note.id = "sign-out-warning";
  note.className = "note note-warning";
  note.role = "alert";
  const what = count === 1 ? "1 mark is" : `${count} marks are`;
  const title = document.createElement("p");
  title.className = "note-title";
  title.textContent = `${what} on this device and not saved yet.`;
  const more = document.createElement("p");
  more.textContent =
    "They stay on this device if you sign out, and are sent when you sign in here again. Registers that were kept on this device are removed from it.";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button-link";
  button.textContent = "Sign out all the same";
  button.addEventListener("click", leave);
  note.append(title, more, button);
  (form.closest(".buttons") ?? form).before(note);
  button.focus();
}
