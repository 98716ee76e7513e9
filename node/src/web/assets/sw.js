// The service worker: keeps the program's own files and the registers that were opened, so that
// these open without a network. It keeps nothing else, and never answers from what it keeps while
// the hub answers. VERSION and ASSETS stand above, put there by the hub.
const FILES = `causeway-files-${VERSION}`;
const REGISTERS = "causeway-registers-";
const OFFLINE = "/offline";
const REGISTER = /^\/work-groups\/[^/]+\/register\/[^/]+$/;
// How long the network has before what is kept is shown instead.
const PATIENCE_MS = 5000;
// How long a register is kept after the hub gave it last.
const KEPT_MS = 14 * 24 * 60 * 60 * 1000;
const KEPT_AT = "x-causeway-kept-at";

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(FILES)
      .then((files) => files.addAll([...ASSETS, OFFLINE]))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("causeway-files-") && name !== FILES;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(file(request, url));
  else if (request.mode === "navigate") event.respondWith(page(request, url));
});

// A file of the program: its address changes with its content, so what is kept is right. A page
// that was kept before an upgrade asks for an older one and gets the newest.
async function file(request, url) {
  const files = await caches.open(FILES);
  const exact = await files.match(request);
  if (exact) return exact;
  try {
    return await fetch(request);
  } catch (error) {
    const name = url.pathname.split("/").pop();
    const newest = ASSETS.find((address) => address.endsWith(`/${name}`));
    const found = newest && (await files.match(newest));
    if (found) return found;
    throw error;
  }
}

// A page: from the hub, and where it does not answer the register that was kept, or a page that
// says so.
async function page(request, url) {
  const network = fetch(request);
  network.catch(() => {});
  await forget(isOld).catch(() => {});
  const kept = REGISTER.test(url.pathname) ? await register(url.pathname) : undefined;
  try {
    const answer = await (kept ? Promise.race([network, patience()]) : network);
    if (kept && answer && [401, 403, 404].includes(answer.status)) {
      await forget((path) => path === url.pathname);
    }
    if (answer && ![502, 504].includes(answer.status)) return answer;
    if (!kept) return answer;
  } catch {
    // There is no answer.
  }
  return kept || (await (await caches.open(FILES)).match(OFFLINE)) || Response.error();
}

const patience = () => new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));

async function register(path) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(REGISTERS)) continue;
    const found = await (await caches.open(name)).match(path);
    if (found) return found;
  }
  return undefined;
}

// Forgets the registers of which this is so.
async function forget(is) {
  for (const name of await caches.keys()) {
    if (!name.startsWith(REGISTERS)) continue;
    const registers = await caches.open(name);
    for (const request of await registers.keys()) {
      const answer = await registers.match(request);
      if (answer && is(new URL(request.url).pathname, answer)) await registers.delete(request);
    }
  }
}

const isOld = (_path, answer) => !(Date.now() - Number(answer.headers.get(KEPT_AT)) < KEPT_MS);

addEventListener("message", (event) => {
  const path = event.data?.keep;
  if (typeof path !== "string" || !REGISTER.test(path)) return;
  const answer = keep(path).then(
    (kept) => (kept ? "kept" : "not kept"),
    () => "not kept",
  );
  event.waitUntil(answer.then((word) => event.ports[0]?.postMessage(word)));
});

// Keeps a register as the hub gives it for keeping, with the time: without names where the hub does
// not allow them on devices.
async function keep(path) {
  const answer = await fetch(`${path}?offline=yes`, { redirect: "error", credentials: "same-origin" });
  const account = answer.headers.get("x-causeway-register");
  if (!answer.ok || !account) return false;
  const headers = new Headers(answer.headers);
  headers.set(KEPT_AT, Date.now());
  const kept = new Response(await answer.blob(), { headers });
  await (await caches.open(REGISTERS + account)).put(path, kept);
  return true;
}
