// Choosing a record: what is found appears while part of its name is typed.
const PAUSE = 200;

function watch(picker) {
  const words = picker.querySelector('input[type="search"]');
  const found = picker.querySelector(".pick-found");
  if (!words || !found) return;
  let waiting = 0;
  let asked = 0;
  const ask = async () => {
    const number = ++asked;
    try {
      const address = `${picker.dataset.pick}&q=${encodeURIComponent(words.value)}`;
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok || answer.redirected || number !== asked) return;
      // What was chosen stays chosen until something else is.
      const chosen = found.querySelector("input:checked")?.closest(".choice");
      found.innerHTML = await answer.text();
      if (chosen?.querySelector("input").value) {
        const value = chosen.querySelector("input").value;
        const again = [...found.querySelectorAll("input")].find((input) => input.value === value);
        if (again) again.checked = true;
        else found.prepend(chosen);
      }
    } catch { /* The button still finds. */ }
  };
  words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, PAUSE);
  });
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(waiting);
    ask();
  });
}

export function startPickers() {
  for (const picker of document.querySelectorAll("[data-pick]")) watch(picker);
}
