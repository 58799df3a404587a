// How long a call has lasted, counted on while one looks.

export function spoken(since) {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const pad = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

export function stateBadge(element, state) {
  element.textContent = state;
  element.className = `badge ${state === "ended" ? "" : state === "speaking" ? "badge-live" : state === "thinking" ? "badge-warn" : "badge-good"}`;
}
