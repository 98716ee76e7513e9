// News: when the node says that something changed, parts marked data-live are asked for again.
// A part that somebody is typing in stays; a line at the top says that there is news.

let waiting = false;

async function renew() {
  waiting = false;
  await renewAll([...document.querySelectorAll("[data-live]")]);
}

async function renewAll(parts) {
  for (const part of parts) {
    try {
      const answer = await fetch(part.dataset.live, {
        headers: { "x-causeway-live": "1" },
        credentials: "same-origin",
      });
      if (!answer.ok || answer.redirected) continue;
      const text = await answer.text();
      if (text === part.dataset.shown) continue;
      const typing = document.activeElement;
      if (part.contains(typing) && typing.matches("input, textarea, select")) {
        say("Something new arrived for this page. What you save is merged with it.");
        continue;
      }
      part.dataset.shown = text;
      part.innerHTML = text;
    } catch {
      say("This computer is not answering at present. What you type stays in this browser.");
      return;
    }
  }
}

export function say(sentence) {
  const news = document.getElementById("news");
  if (!news) return;
  news.textContent = sentence;
  news.hidden = sentence === "";
}

function soon() {
  if (waiting) return;
  waiting = true;
  setTimeout(renew, 150);
}

// What changes without news, such as how far long work is, is asked for every few seconds until it
// says that it has ended.
function poll(part) {
  setTimeout(async () => {
    await renewAll([part]);
    if (part.querySelector("[data-ended]")) part.removeAttribute("data-live");
    else poll(part);
  }, 1000 * Number(part.dataset.every));
}

// While the node is closed for a moment the next page is asked for until it answers.
function waitFor(part) {
  setTimeout(async () => {
    try {
      const answer = await fetch(part.dataset.wait, { method: "HEAD", credentials: "same-origin" });
      if (answer.status < 500) {
        location.replace(part.dataset.wait);
        return;
      }
    } catch {
      // Not yet.
    }
    waitFor(part);
  }, 1000);
}

export function startLive() {
  document.querySelectorAll("[data-every]").forEach(poll);
  document.querySelectorAll("[data-wait]").forEach(waitFor);
  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
  if (!document.querySelector("[data-live]") || !document.body.dataset.account) return;
  const events = new EventSource("/events");
  events.addEventListener("records", soon);
  events.addEventListener("peers", soon);
  // After a pause of the line something may have been missed.
  let opened = false;
  events.addEventListener("open", () => {
    if (opened) soon();
    opened = true;
    say("");
  });
  addEventListener("pagehide", () => events.close());
}
