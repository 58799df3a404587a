// The running calls, one card each, from one stream. Callers' words are only ever set as text.

import { spoken, stateBadge } from "./clock.js";

const list = document.querySelector("[data-calls]");
const nobody = document.querySelector("[data-nobody]");
const status = document.querySelector("[data-status]");
const template = document.querySelector("[data-card]");
const cards = new Map();
const KEPT_AFTER_MS = 4000;

function add(call) {
  if (cards.has(call.id)) return;
  const item = template.content.firstElementChild.cloneNode(true);
  const part = (name) => item.querySelector(`[data-${name}]`);
  item.querySelector("a").href = `/live/${encodeURIComponent(call.id)}`;
  part("line").textContent = call.line;
  part("from").textContent = call.from;
  stateBadge(part("state"), call.state);
  cards.set(call.id, { item, part, since: Date.parse(call.started_at), turns: new Map(), over: false });
  list.append(item);
  tick();
}

function caption(card, event) {
  card.turns.set(event.turn, event);
  const said = [...card.turns.values()].filter((turn) => turn.text).sort((a, b) => a.start_ms - b.start_ms || a.turn - b.turn);
  card.part("captions").replaceChildren(
    ...said.slice(-2).map((turn) => {
      const line = document.createElement("span");
      line.dataset.speaker = turn.speaker;
      line.textContent = turn.text;
      return line;
    }),
  );
}

function ended(id, card, reason) {
  card.over = true;
  stateBadge(card.part("state"), "ended");
  card.part("from").textContent += ` · ${reason}`;
  card.item.firstElementChild.classList.add("is-over");
  card.item.querySelector("a").href = `/calls/${encodeURIComponent(id)}`;
  setTimeout(() => {
    card.item.remove();
    cards.delete(id);
    count();
  }, KEPT_AFTER_MS);
}

function count() {
  const running = [...cards.values()].filter((card) => !card.over).length;
  status.textContent = running === 1 ? "1 call is running." : `${running} calls are running.`;
  nobody.hidden = cards.size > 0;
}

function tick() {
  for (const card of cards.values()) if (!card.over) card.part("age").textContent = spoken(card.since);
}

function receive(message) {
  const card = cards.get(message.call_id);
  switch (message.type) {
    case "calls":
      list.replaceChildren();
      cards.clear();
      message.calls.forEach(add);
      break;
    case "call": add(message.call); break;
    case "caption": if (card) caption(card, message); break;
    case "state": if (card) stateBadge(card.part("state"), message.state); break;
    case "ended": if (card) ended(message.call_id, card, message.reason); break;
  }
  if (["calls", "call", "ended"].includes(message.type)) count();
}

const source = new EventSource("/api/live/events");
source.addEventListener("message", (event) => receive(JSON.parse(event.data)));
source.addEventListener("error", () => {
  status.textContent = source.readyState === EventSource.CLOSED ? "The connection is closed. Load the page again." : "Connecting again …";
});
setInterval(tick, 1000);
