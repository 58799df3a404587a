// The list of calls by keyboard, and its times in the reader's own zone.
"use strict";

(() => {
  const rows = () => [...document.querySelectorAll("#rows > tr[data-href]")];
  let chosen = null;

  const choose = (row) => {
    rows().forEach((one) => one.classList.toggle("chosen", one === row));
    chosen = row ? row.id : null;
    row?.querySelector("a").focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const all = rows();
    const at = all.findIndex((row) => row.id === chosen);
    choose(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search").focus();
    } else if (event.key === "j" || event.key === "ArrowDown") {
      event.preventDefault();
      move(1);
    } else if (event.key === "k" || event.key === "ArrowUp") {
      event.preventDefault();
      move(-1);
    } else if (event.key === "Enter" && chosen && !event.target.closest("a, button, summary")) {
      const row = document.getElementById(chosen);
      if (row) location.href = row.dataset.href;
    }
  });

  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-href]");
    if (row && !event.target.closest("a") && !getSelection().toString()) location.href = row.dataset.href;
  });

  // New rows came in: what was chosen stays so, and the focus with it; nothing scrolls under the reader.
  let focused = false;
  document.addEventListener("htmx:beforeSwap", () => {
    focused = document.activeElement?.closest("#rows") !== null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const row = chosen && document.getElementById(chosen);
    row?.classList.add("chosen");
    if (focused) row?.querySelector("a").focus({ preventScroll: true });
  });
})();
