// What only signed-in staff see: which answer is in force, and how quickly we answered.

export class StaffPanel {
  #panel;
  #gaps = [];

  constructor(panel) {
    this.#panel = panel;
  }

  clear() {
    this.#gaps = [];
    for (const place of this.#panel.querySelectorAll("[data-show]")) place.textContent = "–";
    delete this.#panel.dataset.outcome;
  }

  /** An event of the call; those that are not for staff are left alone. */
  show(event) {
    if (event.type === "oracle") this.#oracle(event);
    if (event.type === "latency") this.#latency(event.gap_ms);
  }

  #oracle({ source, text, outcome, basis }) {
    this.#panel.dataset.outcome = outcome;
    this.#put("oracle", text || "…");
    this.#put("source", `${source}, ${outcome}`);
    this.#put("basis", basis || "–");
  }

  #latency(gapMs) {
    this.#gaps.push(gapMs);
    const sorted = [...this.#gaps].sort((one, other) => one - other);
    this.#put("gap", `${gapMs} ms`);
    this.#put("median", `${sorted[Math.floor(sorted.length / 2)]} ms of ${sorted.length}`);
  }

  #put(name, text) {
    this.#panel.querySelector(`[data-show="${name}"]`).textContent = text;
  }
}
