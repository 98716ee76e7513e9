// What can be opened without a network, and what waits on this device.
import { counts } from "./outbox.js";

const CACHE = "causeway-registers-";
const place = document.getElementById("offline");
const counted = (count) => (count === 1 ? "1 mark" : `${count} marks`);

function element(name, text, inner = []) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...inner);
  return made;
}

async function registers() {
  const found = [];
  for (const name of await caches.keys()) {
    if (!name.startsWith(CACHE)) continue;
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const text = await (await cache.match(request)).text();
      const page = new DOMParser().parseFromString(text, "text/html");
      const { title, day } = page.querySelector("[data-register]")?.dataset ?? {};
      if (title) found.push({ path: new URL(request.url).pathname, title, day, account: name.slice(CACHE.length) });
    }
  }
  return found.sort((one, other) => one.title.localeCompare(other.title));
}

function line(register, waiting) {
  const link = element("a", register.title);
  link.href = register.path;
  const marks = waiting.get(register.account) ?? [];
  const open = marks.filter((mark) => mark.register === register.path).length;
  const says = open > 0 ? `${register.day}. ${counted(open)} on this device, not sent yet.` : register.day;
  return element("li", "", [element("div", "", [link, element("p", says)])]);
}

const waiting = await counts();
const found = await registers();
const all = [...waiting.values()].reduce((sum, marks) => sum + marks.length, 0);
if (found.length > 0) {
  const list = element("ul", "", found.map((register) => line(register, waiting)));
  list.className = "tasks";
  place.append(element("h2", "Registers on this device"), list);
} else {
  place.append(element("p", "No register is kept on this device. Open one while it has a network, and it opens here too."));
}
place.append(
  element("h2", "Not sent from this device"),
  element("p", all > 0 ? `${counted(all)}. They are sent when this device has a network and you are signed in.` : "Nothing."),
);
