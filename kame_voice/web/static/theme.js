// Before the first paint, so that a chosen theme does not flash: loaded without defer, and small.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
