// Drafts: what is typed into a form marked data-draft and is not saved stays in this browser, under
// the account and the form's name. It is offered again when the page is opened again, and forgotten
// once it is saved, thrown away, or on signing out. Passwords and files are never kept.
import { say } from "./live.js";

const PREFIX = "causeway-draft:";
const KEPT_DAYS = 60;
const SKIPPED = new Set(["password", "file", "hidden", "submit", "button", "search"]);

const account = () => document.body.dataset.account;
const key = (name) => `${PREFIX}${account()}:${name}`;

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(key(name)));
  } catch {
    return null;
  }
}

function write(name, values) {
  try {
    localStorage.setItem(key(name), JSON.stringify({ at: Date.now(), values }));
    return true;
  } catch {
    return false; // The browser keeps nothing, or has no room.
  }
}

function forget(name) {
  try {
    localStorage.removeItem(key(name));
  } catch { /* Nothing is kept then. */ }
}

function forgetWhere(wanted) {
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && wanted(name)) localStorage.removeItem(name);
    }
  } catch { /* Nothing is kept then. */ }
}

// What is typed: the values of each field by its name.
function typed(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || SKIPPED.has(field.type)) continue;
    const list = (values[field.name] ??= []);
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked) list.push(field.value);
    } else if (field.type === "select-multiple") {
      for (const option of field.selectedOptions) list.push(option.value);
    } else {
      list.push(field.value);
    }
  }
  return values;
}

function fill(form, values) {
  const taken = {};
  for (const field of form.elements) {
    if (!field.name || SKIPPED.has(field.type) || !values[field.name]) continue;
    const list = values[field.name];
    if (field.type === "checkbox" || field.type === "radio") {
      field.checked = list.includes(field.value);
    } else {
      const at = (taken[field.name] ??= 0);
      if (at < list.length) field.value = list[at];
      taken[field.name] = at + 1;
    }
  }
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

const moment = (at) => {
  const when = new Date(at);
  const zone = { timeZone: "Europe/London" };
  const day = when.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", ...zone });
  const time = when.toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit", hour12: true, ...zone });
  return `${day} at ${time.replace(/\s/g, "").toLowerCase()}`;
};

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function keep(form) {
  const name = form.dataset.draft;
  const from = typed(form);
  const mark = element(
    "p",
    { class: "draft-mark", "data-mark": "on this device", role: "status" },
    element("strong", { class: "tag tag-look" }, "On this device"),
    " ",
    element("span", { class: "soft" }, "Kept in this browser, and not saved yet."),
  );
  let waiting = 0;

  const now = () => {
    clearTimeout(waiting);
    waiting = 0;
    const values = typed(form);
    if (same(values, from)) {
      forget(name);
      mark.remove();
    } else if (write(name, values)) {
      form.append(mark);
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(now, 250);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", now);
  for (const event of ["beforeunload", "pagehide"]) {
    addEventListener(event, () => { if (waiting) now(); });
  }
  document.addEventListener("visibilitychange", () => { if (waiting && document.hidden) now(); });

  const draft = read(name);
  if (!draft || same(draft.values, from)) return;
  const restore = element("button", { class: "button", type: "button" }, "Restore");
  const discard = element("button", { class: "button button-plain", type: "button" }, "Discard");
  const offer = element(
    "div",
    { class: "note note-draft", role: "region", "aria-label": "Unsaved changes" },
    element("p", { class: "note-title" }, `You began changes here on ${moment(draft.at)} and did not save them`),
    element("p", {}, "They are in this browser alone."),
    element("div", { class: "buttons" }, restore, discard),
  );
  restore.addEventListener("click", () => {
    fill(form, draft.values);
    offer.remove();
    now();
    form.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  });
  discard.addEventListener("click", () => {
    forget(name);
    offer.remove();
  });
  form.before(offer);
}

export function startDrafts() {
  if (!account()) return;
  const old = Date.now() - KEPT_DAYS * 86_400_000;
  forgetWhere((name) => {
    try {
      return !(JSON.parse(localStorage.getItem(name)).at > old);
    } catch {
      return true;
    }
  });
  for (const saved of document.querySelectorAll("[data-saved-draft]")) forget(saved.dataset.savedDraft);
  for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
  for (const form of document.querySelectorAll('form[action="/sign-out"], form[action$="/sign-out-everywhere"]')) {
    form.addEventListener("submit", () => forgetWhere((name) => name.startsWith(`${PREFIX}${account()}:`)));
  }
  addEventListener("offline", () => say("There is no network. What you type stays in this browser."));
  addEventListener("online", () => say(""));
}
