// One running call: captions, what the agent thinks of saying, listening in, whispering, hanging up.

import { spoken, stateBadge } from "./clock.js";
import { ListenIn } from "./listen-in.js";

const call = document.querySelector("[data-call]");
const id = encodeURIComponent(call.dataset.call);
const csrf = document.querySelector('meta[name="csrf-token"]').content;
const part = (name) => call.querySelector(`[data-${name}]`);
const status = part("status");
const since = Date.parse(call.dataset.started);
let over = false;

function timeOf(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function line(kind, text) {
  const element = document.createElement("span");
  element.className = kind;
  element.textContent = text;
  return element;
}

const turns = new Map();

function caption(event) {
  const box = part("scroll");
  const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  let item = turns.get(event.turn);
  if (!event.text) {
    item?.remove();
    turns.delete(event.turn);
    return;
  }
  if (!item) {
    item = document.createElement("li");
    item.dataset.speaker = event.speaker;
    turns.set(event.turn, item);
  }
  item.dataset.start = event.start_ms;
  item.toggleAttribute("data-final", event.final);
  const who = line("who", "");
  who.append(line("", event.speaker), line("", timeOf(event.start_ms)));
  item.replaceChildren(who, line("words", event.text));
  const list = part("captions");
  const after = [...list.children].find((other) => other !== item && Number(other.dataset.start) > event.start_ms);
  if (item.nextElementSibling !== (after ?? null) || !item.parentElement) list.insertBefore(item, after ?? null);
  part("silent").hidden = list.children.length > 0;
  if (follows) box.scrollTop = box.scrollHeight;
}

const thoughts = new Map();
const KINDS = { adopted: "good", failed: "bad", pending: "accent" };

function thought(event) {
  let item = thoughts.get(event.id);
  if (!item) {
    item = document.createElement("li");
    thoughts.set(event.id, item);
    part("thoughts").prepend(item);
  }
  const badge = line(`badge badge-${KINDS[event.outcome] ?? "plain"}`, event.outcome);
  item.replaceChildren(badge, line("", ` ${event.text || "…"} `), line("basis", `on “${event.basis}”, from ${event.source}`));
  part("thoughtless").hidden = true;
}

const follow = {
  caption,
  oracle: thought,
  state: (event) => stateBadge(part("state"), event.state),
  latency: (event) => { status.textContent = `Answered after ${event.gap_ms} ms.`; },
  dtmf: (event) => { status.textContent = `The caller pressed ${event.digit}.`; },
  lost: () => undefined,
  ended: end,
};

function end(event) {
  over = true;
  source.close();
  const wasAtWork = call.contains(document.activeElement) && document.activeElement.matches("button, textarea, input");
  stateBadge(part("state"), "ended");
  for (const control of call.querySelectorAll("button, textarea")) control.disabled = true;
  const link = document.createElement("a");
  link.href = `/calls/${id}`;
  link.textContent = "Open its record";
  status.replaceChildren(`The call is over: ${event.reason}. `, link);
  if (wasAtWork) link.focus();
}

const source = new EventSource(`/api/calls/${id}/events`);
for (const [type, act] of Object.entries(follow)) {
  source.addEventListener(type, (event) => act(JSON.parse(event.data)));
}
source.addEventListener("open", () => { status.textContent = "You see this call as it happens."; });
source.addEventListener("error", () => { if (!over) status.textContent = "Connecting again …"; });
setInterval(() => { if (!over) part("age").textContent = spoken(since); }, 500);

async function post(path, body) {
  const answer = await fetch(`/api/calls/${id}/${path}`, {
    method: "POST",
    headers: { "X-CSRF-Token": csrf, "Content-Type": "application/json" },
    body: body ? JSON.stringify(body) : undefined,
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(typeof told.detail === "string" ? told.detail : `refused (${answer.status})`);
  return told;
}

part("hang-up")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  if (button.ariaDisabled === "true" || !confirm("End this call? The agent says goodbye first.")) return;
  button.ariaDisabled = "true"; // `disabled` would take the focus away from who works by keyboard
  try {
    await post("hang-up");
    status.textContent = "The agent says goodbye, then hangs up.";
  } catch (error) {
    button.ariaDisabled = null;
    status.textContent = `Not hung up: ${error.message}`;
  }
});

part("whisper")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const hint = event.target.elements.text;
  try {
    await post("whisper", { text: hint.value });
    hint.value = "";
    status.textContent = "Whispered.";
  } catch (error) {
    status.textContent = `Not whispered: ${error.message}`;
  }
});

part("whisper")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
});

let ears = null;
part("listen")?.addEventListener("click", async () => {
  const button = part("listen");
  if (ears) {
    ears.stop();
    return;
  }
  ears = new ListenIn(call.dataset.call, call.dataset.worklet, {
    levels: (caller, agent) => {
      call.querySelector('[data-level="caller"]').value = caller;
      call.querySelector('[data-level="agent"]').value = agent;
    },
    stopped: (why) => {
      ears = null;
      button.setAttribute("aria-pressed", "false");
      button.textContent = "Listen in";
      part("sound").hidden = true;
      if (why && !over) status.textContent = why;
    },
  });
  button.setAttribute("aria-pressed", "true");
  button.textContent = "Stop listening";
  part("sound").hidden = false;
  await ears.start(part("apart").checked);
});
part("apart")?.addEventListener("change", (event) => ears?.apart(event.target.checked));

// Only now do they do what they say.
for (const button of call.querySelectorAll("button")) button.disabled = false;
