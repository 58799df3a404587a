// The page of one line: what the caller sees and presses. The call itself is call.js.

import { Call, CallTrouble } from "./call.js";
import { Captions } from "./captions.js";
import { LevelMeter } from "./level.js";
import { StaffPanel } from "./staff.js";
import { explain } from "./words.js";

const page = document.querySelector(".talk");
const find = (selector) => page.querySelector(selector);
const button = find("#call");
const mute = find("#mute");
const keys = find("#keys");
const keypad = find("#keypad");
const trouble = find("#trouble");
const captions = new Captions({
  log: find("#captions"),
  open: find("#captions-open"),
  scroller: find("#captions-box"),
  names: { caller: "You", agent: page.dataset.business },
});
const staff = page.dataset.staff ? new StaffPanel(find("#staff")) : null;
const voice = find("#voice");

const STATES = { listening: "Listening", thinking: "Thinking …", speaking: "Speaking" };

let call = null;
let meter = null;
let clock = 0;
let wakeLock = null;

// Phases: idle → asking → connecting → live → over, and back to asking.

function enter(phase, status) {
  page.dataset.phase = phase;
  tellSite({ kame: "phase", phase });
  say(status);
  const inCall = phase === "asking" || phase === "connecting" || phase === "live";
  find("#call-label").textContent = inCall ? "Hang up" : phase === "over" ? "Call again" : "Call";
  mute.disabled = keys.disabled = phase !== "live";
  if (phase !== "live") {
    delete page.dataset.agent;
    setMuted(false);
    showKeypad(false);
  }
}

/** In the frame of a call button: what the button must know. */
function tellSite(message) {
  if (page.dataset.site) window.parent.postMessage(message, page.dataset.site);
}

function say(status) {
  const place = find("#status");
  if (place.textContent !== status) place.textContent = status;
}

async function start() {
  trouble.hidden = true;
  captions.clear();
  staff?.clear();
  find("#captions-box").hidden = true;
  find("#hints")?.remove();
  find("#time").textContent = "";
  const mine = (call = new Call());
  const current = (then) => (event) => call === mine && then(event.detail);
  mine.addEventListener("connected", current(() => connected()));
  mine.addEventListener("heard", current(heard));
  mine.addEventListener("news", current(news));
  mine.addEventListener("over", current(over));
  try {
    meter = new LevelMeter();
    enter("asking", "Please allow the microphone");
    const microphone = await mine.openMicrophone();
    if (call !== mine) return;
    meter.watch(microphone, (level) => page.style.setProperty("--caller", level.toFixed(3)));
    enter("connecting", "Connecting …");
    await mine.dial({ line: page.dataset.line, widget_pass: page.dataset.pass ?? null });
  } catch (error) {
    if (call !== mine) return;
    if (!(error instanceof CallTrouble)) console.error(error);
    mine.hangUp();
    over(error instanceof CallTrouble ? error : new CallTrouble("server-error"));
  }
}

function connected() {
  const began = performance.now();
  enter("live", STATES.listening);
  find("#captions-box").hidden = false;
  clock = setInterval(() => showTime(performance.now() - began), 500);
  showTime(0);
  navigator.wakeLock?.request("screen").then((lock) => (wakeLock = lock), () => {});
}

function heard(stream) {
  voice.srcObject = stream;
  voice.play().catch(() => say("Press here to hear the call"));
  meter.watch(stream, (level) => page.style.setProperty("--agent", level.toFixed(3)));
}

function news(event) {
  switch (event.type) {
    case "caption":
      captions.show(event);
      break;
    case "state":
      if (page.dataset.phase !== "live") break;
      page.dataset.agent = event.state;
      say(STATES[event.state] ?? "");
      break;
    case "ended":
      if (event.status === "failed") find("#time").dataset.failed = "yes";
      break;
    default:
      break;
  }
  staff?.show(event);
}

function over(cause) {
  call = null;
  clearInterval(clock);
  meter?.close();
  meter = null;
  voice.srcObject = null;
  wakeLock?.release().catch(() => {});
  wakeLock = null;
  captions.settle();
  const hadFocus = page.querySelector(".controls").contains(document.activeElement);
  enter("over", cause ? "" : "The call has ended");
  if (hadFocus || document.activeElement === document.body) button.focus();
  if (!cause) return;
  const { title, advice } = explain(cause);
  find("#trouble-title").textContent = title;
  find("#trouble-advice").textContent = advice;
  trouble.dataset.code = cause.code;
  trouble.hidden = false;
}

function hangUp() {
  const mine = call;
  mine.hangUp();
  if (call === mine) over(null);
}

function showTime(ms) {
  const seconds = Math.floor(ms / 1000);
  find("#time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function setMuted(muted) {
  if (call) call.muted = muted;
  mute.setAttribute("aria-pressed", String(muted));
  find("#mute-label").textContent = muted ? "Unmute" : "Mute";
  page.classList.toggle("muted", muted);
}

function showKeypad(open) {
  keypad.hidden = !open;
  keys.setAttribute("aria-expanded", String(open));
  if (!open) find("#pressed").textContent = "";
}

function press(key) {
  call?.press(key);
  find("#pressed").textContent += key;
  const digit = keypad.querySelector(`[data-key="${CSS.escape(key)}"]`);
  digit?.classList.add("down");
  setTimeout(() => digit?.classList.remove("down"), 150);
}

button.addEventListener("click", () => (call ? hangUp() : start()));
mute.addEventListener("click", () => setMuted(mute.getAttribute("aria-pressed") !== "true"));
keys.addEventListener("click", () => {
  showKeypad(keypad.hidden);
  if (!keypad.hidden) keypad.querySelector("button").focus();
});
keypad.addEventListener("click", ({ target }) => {
  const key = target.closest("[data-key]")?.dataset.key;
  if (key) press(key);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") {
    if (keypad.hidden) return tellSite({ kame: "close" });
    showKeypad(false);
    keys.focus();
  } else if (page.dataset.phase !== "live") {
    return;
  } else if (/^[0-9*#]$/.test(event.key)) {
    showKeypad(true);
    press(event.key);
  } else if (event.key === "m") {
    setMuted(mute.getAttribute("aria-pressed") !== "true");
  }
});
// A page that goes away hangs up, so that the slot is free at once.
window.addEventListener("pagehide", () => call && hangUp());

if (!window.isSecureContext) {
  const { title, advice } = explain({ code: "insecure-page" });
  find("#trouble-title").textContent = title;
  find("#trouble-advice").textContent = advice;
  trouble.hidden = false;
}
enter("idle", "Ready when you are");
button.disabled = false; // until here a click would have gone nowhere
