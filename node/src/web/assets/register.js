// The register of a session: every mark goes to the outbox first, shows "On this device", and then
// "Saved" once the hub has said so.
import { discard, forgetEnded, key, listen, put, send, startOutbox, state, waiting } from "./outbox.js";

const register = document.querySelector("[data-register]");
const path = register?.dataset.register;
const rows = register ? [...register.querySelectorAll("[data-member]")] : [];
const find = (selector) => register.querySelector(selector);
let heads = register?.dataset.heads;
let kept = false;
let notes = [];
let stood = 0;
let known = [];
// Who was marked last without this device keeping it.
const lost = new Set();

const WORDS = {
  none: "Not marked",
  device: "On this device",
  saved: "Saved",
  refused: "Not taken",
  lost: "Not kept on this device",
};

function show(row, name) {
  const shown = row.querySelector(".register-state");
  if (shown.dataset.state === name) return;
  shown.dataset.state = name;
  shown.textContent = WORDS[name];
}

function check(row, mark) {
  for (const input of row.querySelectorAll("input[type=radio]")) input.checked = input.value === mark;
}

// Brings the page to what the outbox holds, or held when it could last be read, and the hub has
// said.
async function draw() {
  known = await waiting().catch(() => known);
  const marks = known.filter((mark) => mark.register === path);
  const pending = new Map(marks.map((mark) => [mark.member, mark]));
  for (const row of rows) {
    const mark = pending.get(row.dataset.member);
    check(row, mark ? mark.mark : row.dataset.mark);
    if (lost.has(row.dataset.member)) show(row, "lost");
    else show(row, mark ? (mark.refused ? "refused" : "device") : row.dataset.mark ? "saved" : "none");
  }
  total(marks);
  tell(marks);
}

function total(marks) {
  const chosen = rows.map((row) => row.querySelector("input:checked")?.value).filter(Boolean);
  for (const shown of register.querySelectorAll("[data-total]")) {
    shown.textContent = chosen.filter((mark) => mark === shown.dataset.total).length;
  }
  const open = marks.length;
  const where = open > 0 ? `, ${open} on this device` : chosen.length > 0 ? ", all saved" : "";
  const text = `${chosen.length} of ${rows.length} marked${where}`;
  if (find("[data-saved]").textContent !== text) find("[data-saved]").textContent = text;
}

const counted = (count) => (count === 1 ? "1 mark" : `${count} marks`);

function tell(marks) {
  const line = find("[data-line]");
  const refused = marks.filter((mark) => mark.refused);
  const open = marks.length - refused.length;
  const parts = [];
  if (open > 0 && state.line === "signed-out") {
    const link = document.createElement("a");
    link.href = `/sign-in?next=${encodeURIComponent(path)}`;
    link.textContent = `Sign in again to send ${counted(open)}`;
    parts.push(link);
  } else if (open > 0 && state.line === "offline") {
    parts.push(`No connection: ${counted(open)} wait${open === 1 ? "s" : ""} on this device.`);
  } else if (open > 0 && state.line === "refused") {
    parts.push(`${state.sentence} ${counted(open)} wait on this device.`);
  } else if (open > 0 && state.line === "account") {
    parts.push("Somebody else is signed in here. These marks wait until you sign in again.");
  } else if (open === 0 && kept) {
    parts.push("It also opens on this device without a network.");
  }
  if (lost.size > 0) {
    const what = `This device has no room for ${counted(lost.size)}, which will not be sent. `;
    parts.push(paragraph(`${what}Make room on it and mark again, or write it down on paper.`));
  }
  for (const mark of refused) parts.push(refusal(mark));
  for (const note of notes) parts.push(paragraph(note));
  // Its room is kept, so that nothing moves under a thumb.
  line.hidden = false;
  line.replaceChildren(...parts);
  line.classList.toggle("register-kept", parts.length > 0);
  line.classList.toggle("register-waits", marks.length + lost.size + notes.length > 0);
}

function paragraph(text) {
  const shown = document.createElement("span");
  shown.className = "under";
  shown.textContent = text;
  return shown;
}

function refusal(mark) {
  const shown = paragraph(`Not taken, ${mark.title}: ${mark.refused}. `);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button-link";
  button.textContent = "Remove this mark";
  button.addEventListener("click", () => discard([mark.key]));
  shown.append(button);
  return shown;
}

async function mark(row, value) {
  const { item, member } = row.dataset;
  const made = {
    key: key(),
    register: path,
    member,
    title: row.querySelector(".register-name").textContent,
    mark: value,
    after: item ? [item] : [],
    heads,
  };
  try {
    await put(made);
  } catch {
    // The store is full or gone: the row says again what is known of it.
    lost.add(member);
    return draw();
  }
  if (lost.delete(member)) draw();
  send();
}

// Takes in what stands at the hub.
function stand(body) {
  stood += 1;
  heads = body.heads;
  const found = new Map(body.rows.map((it) => [it.member, it]));
  for (const row of rows) {
    const it = found.get(row.dataset.member);
    row.dataset.item = it ? it.item : "";
    row.dataset.mark = it ? it.mark : "";
  }
}

async function renew() {
  const before = stood;
  try {
    const answer = await fetch(`${path}/marks`, { redirect: "manual", cache: "no-store" });
    if (answer.type === "opaqueredirect" || [401, 403].includes(answer.status)) {
      kept = false;
      await forgetEnded();
    }
    const body = answer.ok ? await answer.json() : null;
    // What the hub said in the meantime is newer.
    if (body && before === stood) stand(body);
  } catch {
    // What is shown stays as it is.
  }
  draw();
}

// Asks the service worker to keep this page, and says so only once it has.
async function keep() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    const ready = await navigator.serviceWorker.ready;
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }) => {
      kept = kept || data === "kept";
      draw();
    };
    ready.active.postMessage({ keep: path }, [channel.port2]);
  } catch {
    // Without a service worker marks wait in this page and in the outbox all the same.
  }
}

function start() {
  for (const part of document.querySelectorAll(".without-scripts")) part.hidden = true;
  for (const part of register.querySelectorAll(".with-scripts")) part.hidden = false;
  find("form").addEventListener("submit", (event) => event.preventDefault());
  for (const row of rows) {
    row.addEventListener("change", (event) => {
      if (event.target.type === "radio") mark(row, event.target.value);
    });
  }
  find("[data-mark-rest]")?.addEventListener("click", async () => {
    for (const row of rows) if (!row.querySelector("input:checked")) await mark(row, "present");
  });
  listen(({ register: of, body, sentences, elsewhere }) => {
    if (elsewhere) return renew();
    if (of === path && body) {
      stand(body);
      if (sentences.length > 0) notes = [...new Set([...notes, ...sentences])];
    }
    return draw();
  });
  document.querySelector("[data-finish] form")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const open = (await waiting()).filter((it) => it.register === path);
    if (open.length === 0) return event.target.submit();
    notes = [`The session can be finished once ${counted(open.length)} are saved.`];
    draw();
    send();
  });
  if (document.body.dataset.account) {
    const events = new EventSource("/events");
    events.addEventListener("records", renew);
    events.addEventListener("open", () => {
      send();
      renew();
    });
    addEventListener("pagehide", () => events.close());
  }
  let again = 0;
  listen(({ body }) => {
    if (!body) return;
    clearTimeout(again);
    again = setTimeout(keep, 500);
  });
}

// Where this browser keeps nothing, the page stays the plain form that it is.
const stores = await waiting().then(
  () => true,
  () => false,
);
if (register && stores) {
  start();
  await draw();
  await startOutbox();
  send();
  keep();
}
