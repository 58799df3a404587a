// The call button on a customer's site:
//   <script src="https://voice.example.com/widget.js" data-line="harbor-dental" async></script>
// Draws one button in a shadow root and opens our page in a frame; touches nothing else of the site.
// Options: data-label (words on the button), data-side ("left" or "right").
(() => {
  "use strict";
  const script = document.currentScript;
  const line = script?.dataset.line;
  if (!line) {
    console.warn("kame_voice: the call button's <script> needs data-line");
    return;
  }
  const server = new URL(script.src).origin;
  const label = script.dataset.label || "Talk to us";
  const side = script.dataset.side === "left" ? "left" : "right";
  const HANDSET =
    "M6.6 10.8c1.4 2.8 3.8 5.1 6.6 6.6l2.2-2.2c.3-.3.7-.4 1-.2 1.1.4 2.3.6 3.6.6.6 0 1 .4 1 1V20c0 .6-.4 1-1 1C10.6 21 3 13.4 3 4c0-.6.4-1 1-1h3.5c.6 0 1 .4 1 1 0 1.3.2 2.5.6 3.6.1.3 0 .7-.2 1l-2.3 2.2z";
  const CROSS = "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4L12 13.4 6.4 19 5 17.6 10.6 12 5 6.4z";
  const STYLE = `
    :host { all: initial; }
    * { box-sizing: border-box; }
    .open { position: fixed; z-index: 2147483000; bottom: max(20px, env(safe-area-inset-bottom)); ${side}: 20px;
      display: inline-flex; align-items: center; gap: 10px; min-height: 52px; padding: 0 22px 0 18px; border: 0;
      border-radius: 26px; background: #12704a; color: #fff; font: 600 16px/1 system-ui, sans-serif; cursor: pointer;
      box-shadow: 0 6px 22px rgb(0 0 0 / .25); }
    .open:hover { background: #0c5638; }
    .open.busy { background: #b3312c; }
    .open.busy:hover { background: #8f2420; }
    svg { width: 22px; height: 22px; fill: currentColor; flex: none; }
    :focus-visible { outline: 3px solid #fff; outline-offset: -5px; }
    .panel { position: fixed; z-index: 2147483001; bottom: max(84px, calc(64px + env(safe-area-inset-bottom))); ${side}: 20px;
      width: min(372px, calc(100vw - 24px)); height: min(620px, calc(100vh - 108px)); border-radius: 20px; overflow: hidden;
      background: #f6f4ef; box-shadow: 0 14px 48px rgb(0 0 0 / .3); }
    @media (max-width: 480px) { .panel { ${side}: 12px; } }
    iframe { width: 100%; height: 100%; border: 0; display: block; color-scheme: normal; }
    .close { position: absolute; top: 8px; right: 8px; width: 36px; height: 36px; border: 0; border-radius: 18px;
      display: grid; place-content: center; background: rgb(128 128 128 / .18); color: #555; cursor: pointer; }
    .close:focus-visible { outline-color: #12704a; outline-offset: 1px; }
    .close svg { width: 18px; height: 18px; }
    [hidden] { display: none; }
    @media (prefers-color-scheme: dark) { .panel { background: #131816; } .close { color: #ccc; } }
    @media print { :host { display: none; } }`;

  const host = document.createElement("kame-voice-button");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const button = make("button", "open");
  const words = make("span", "", label);
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-haspopup", "dialog");
  button.append(icon(HANDSET), words);
  const panel = make("div", "panel");
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", label);
  panel.hidden = true;
  const close = make("button", "close");
  close.type = "button";
  close.setAttribute("aria-label", "Close");
  close.append(icon(CROSS));
  root.append(button, panel);

  let frame = null;
  let inCall = false;

  button.addEventListener("click", () => (panel.hidden ? show() : hide()));
  close.addEventListener("click", hide);
  root.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  window.addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== server) return;
    if (event.data?.kame === "phase") phase(event.data.phase);
    if (event.data?.kame === "close") hide();
  });

  function show() {
    if (!frame) {
      frame = document.createElement("iframe");
      frame.title = label;
      frame.allow = "microphone; autoplay; screen-wake-lock";
      // Names this site to the server, whatever the site's own referrer policy, and nothing but its name.
      frame.referrerPolicy = "origin";
      frame.src = `${server}/widget/${encodeURIComponent(line)}`;
      panel.append(frame, close);
    }
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    frame.focus();
  }

  // A call goes on behind the closed panel; the red button brings it back.
  function hide() {
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.focus();
    if (!inCall) drop();
  }

  function drop() {
    frame?.remove();
    frame = null;
  }

  function phase(now) {
    inCall = now === "asking" || now === "connecting" || now === "live";
    button.classList.toggle("busy", inCall);
    words.textContent = inCall ? "In a call" : label;
    if (!inCall && panel.hidden) drop();
  }

  function make(tag, name, text = "") {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  if (document.body) document.body.append(host);
  else document.addEventListener("DOMContentLoaded", () => document.body.append(host));
})();
