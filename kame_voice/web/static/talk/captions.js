// Both sides' words as they are understood. What is final is read out by screen readers, once.

export class Captions {
  #log;
  #open;
  #names;
  #scroller;
  #rows = new Map();

  /** `log`: list of final captions; `open`: list of those still growing; `names`: by speaker. */
  constructor({ log, open, scroller, names }) {
    this.#log = log;
    this.#open = open;
    this.#scroller = scroller;
    this.#names = names;
  }

  clear() {
    this.#rows.clear();
    this.#log.replaceChildren();
    this.#open.replaceChildren();
  }

  /** A caption of the server: replaces the earlier one of the same turn. */
  show({ turn, speaker, text, final, start_ms: startMs }) {
    const near = this.#isAtEnd();
    let row = this.#rows.get(turn);
    if (!text.trim() && final) {
      row?.remove();
      this.#rows.delete(turn);
      return;
    }
    if (!row) {
      row = this.#newRow(speaker);
      this.#rows.set(turn, row);
    }
    row.dataset.startMs = startMs;
    row.querySelector(".said").textContent = text;
    this.#place(row, final ? this.#log : this.#open);
    if (near) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Nothing more comes: what is still open stays as it stands. */
  settle() {
    for (const row of [...this.#open.children]) this.#place(row, this.#log);
  }

  #newRow(speaker) {
    const row = document.createElement("li");
    row.className = `caption ${speaker}`;
    const who = document.createElement("span");
    who.className = "who";
    who.textContent = this.#names[speaker];
    const said = document.createElement("span");
    said.className = "said";
    row.append(who, said);
    return row;
  }

  #place(row, list) {
    if (row.parentElement === list) return;
    const later = [...list.children].find((other) => Number(other.dataset.startMs) > Number(row.dataset.startMs));
    list.insertBefore(row, later ?? null);
  }

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < 60;
  }
}
