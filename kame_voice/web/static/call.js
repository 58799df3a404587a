// One call: the recording in step with the transcript, by mouse and by keyboard. Works without it, too, less the sound.
"use strict";

(() => {
  const player = document.getElementById("player");
  const turns = [...document.querySelectorAll("#turns > .turn")];
  const starts = turns.map((turn) => Number(turn.dataset.start));
  const audio = player.dataset.audio ? new Audio() : null;
  const lengthS = Number(player.dataset.lengthMs) / 1000;
  const PEAKS_A_SECOND = 20;
  let wave = null;
  let current = -1;
  let followUntil = 0;

  const clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor(whole / 60) % 60;
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  // The last turn that had begun by then; a binary search, as a long call has hundreds.
  const turnAt = (ms) => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  };

  const position = () => (audio ? audio.currentTime : starts[Math.max(current, 0)] / 1000 || 0);

  const show = (seconds, scroll) => {
    const index = turnAt(seconds * 1000);
    const output = document.getElementById("clock");
    if (output) output.textContent = clock(seconds);
    const line = document.getElementById("strip-now");
    if (line) {
      const x = String(lengthS ? (seconds / lengthS) * 10000 : 0);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
    if (index !== current) {
      turns[current]?.removeAttribute("aria-current");
      turns[index]?.setAttribute("aria-current", "true");
      current = index;
      if (scroll || Date.now() > followUntil) {
        turns[index]?.scrollIntoView({ block: "nearest", behavior: "instant" });
      }
    }
  };

  const seek = (ms, play) => {
    const seconds = ms / 1000;
    if (audio) {
      audio.currentTime = seconds;
      if (play) audio.play().catch(() => {});
    }
    show(seconds, true);
  };

  // A canvas knows no variable and no light-dark(): let the browser work the colour out.
  const colour = (value) => {
    const probe = document.createElement("span");
    probe.style.color = value;
    player.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  // Sound and its outline.

  const draw = async () => {
    const answer = await fetch(player.dataset.peaks, { credentials: "same-origin" });
    if (!answer.ok) return;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const half = bytes.length / 2;
    const side = (from) => Float32Array.from(bytes.subarray(from, from + half), (peak) => peak / 255);
    const peaks = [side(0), side(half)];
    const options = (name) => ({
      waveColor: colour(`color-mix(in srgb, var(--${name}) 40%, var(--surface))`),
      progressColor: colour(`var(--${name})`),
    });
    wave = WaveSurfer.create({
      container: "#wave",
      media: audio,
      peaks,
      duration: half / PEAKS_A_SECOND,
      height: 34,
      normalize: false,
      maxPeak: Math.max(0.05, ...peaks.map((one) => one.reduce((a, b) => Math.max(a, b), 0))),
      cursorColor: colour("var(--ink)"),
      cursorWidth: 2,
      dragToSeek: true,
      cspNonce: player.dataset.nonce,
      splitChannels: [options("caller"), options("agent")],
    });
    wave.on("interaction", (seconds) => show(seconds, true));
    const recolour = () => {
      wave.setOptions({ splitChannels: [options("caller"), options("agent")], cursorColor: colour("var(--ink)") });
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
    new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    player.dataset.drawn = String(Math.round(performance.now()));
  };

  if (audio) {
    audio.preload = "metadata";
    audio.src = player.dataset.audio;
    const button = document.getElementById("play");
    const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
    button.addEventListener("click", toggle);
    for (const name of ["play", "pause", "ended"]) {
      audio.addEventListener(name, () => {
        player.classList.toggle("playing", !audio.paused);
        button.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
      });
    }
    audio.addEventListener("timeupdate", () => show(audio.currentTime, false));
    document.getElementById("speed").addEventListener("change", (event) => {
      audio.playbackRate = Number(event.target.value);
    });
    draw();
    player.toggle = toggle;
  }

  // A person who scrolls wants to read: the page does not follow the sound for a while.
  for (const name of ["wheel", "touchmove"]) {
    addEventListener(name, () => { followUntil = Date.now() + 5000; }, { passive: true });
  }

  // Words become places to click once they come into view: an hour's call has thousands.
  const toPlaces = (words) => {
    inView.unobserve(words);
    if (words.querySelector("[data-t]")) return;
    const times = words.dataset.ms.split(" ");
    let number = 0;
    for (const heard of words.querySelectorAll(":scope > span")) {
      const places = heard.textContent.split(" ").map((word) => {
        const place = document.createElement("span");
        place.dataset.t = times[number++];
        place.tabIndex = -1;
        place.textContent = word;
        return place;
      });
      heard.replaceChildren(...places.flatMap((place, at) => (at ? [" ", place] : [place])));
    }
  };
  const inView = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) toPlaces(target);
  }, { rootMargin: "300px" });
  for (const words of document.querySelectorAll(".words[data-ms]")) inView.observe(words);

  document.addEventListener("click", (event) => {
    const place = event.target.closest("[data-t]");
    if (place && !event.target.closest("a")) seek(Number(place.dataset.t), true);
  });
  document.getElementById("strip")?.addEventListener("click", (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * lengthS * 1000, false);
  });

  // Links to a moment.

  const fromHash = () => {
    const found = /^#t=([0-9]+(?:\.[0-9]+)?)$/.exec(location.hash);
    if (found) seek(Number(found[1]) * 1000, false);
  };
  addEventListener("hashchange", fromHash);
  fromHash();
  document.getElementById("link")?.addEventListener("click", async (event) => {
    history.replaceState(null, "", `#t=${position().toFixed(1)}`);
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    event.target.textContent = "Copied";
    setTimeout(() => { event.target.textContent = "Copy link to this moment"; }, 1500);
  });

  // Notes.

  // Looked up each time: saving a note replaces that part of the page.
  const noteAt = (ms) => {
    document.getElementById("note-at").value = ms === null ? "" : String(Math.round(ms));
    document.getElementById("note-label").textContent =
      ms === null ? "On the whole call" : `On the moment ${clock(ms / 1000)}`;
    document.getElementById("note-whole").hidden = ms === null;
    document.getElementById("note-here").hidden = ms !== null;
  };
  document.addEventListener("click", (event) => {
    if (event.target.id === "note-whole") noteAt(null);
    if (event.target.id === "note-here") noteAt(position() * 1000);
  });

  // A note that was removed took the focus with it.
  document.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.requestConfig?.path.endsWith("/remove")) document.getElementById("note-text").focus({ preventScroll: true });
  });

  // Keys.

  const go = (step) => {
    const next = Math.min(Math.max(current + step, 0), turns.length - 1);
    if (!turns[next]) return;
    seek(starts[next], audio ? !audio.paused : false);
    turns[next].querySelector(".at").focus({ preventScroll: true });
  };
  const wordsOf = (turn) => {
    const words = turn?.querySelector(".words[data-ms]");
    if (words) toPlaces(words);
    return words ? [...words.querySelectorAll("[data-t]")] : [];
  };
  // From word to word, and on into the next turn that has any. The first step goes to the turn's own first word.
  const goWord = (step) => {
    let turn = Math.max(current, 0);
    let words = wordsOf(turns[turn]);
    const at = words.indexOf(document.activeElement);
    let next = at < 0 ? (step > 0 ? 0 : -1) : at + step;
    while (!words[next] && turns[turn + step]) {
      turn += step;
      words = wordsOf(turns[turn]);
      next = step > 0 ? 0 : words.length - 1;
    }
    if (!words[next]) return;
    words[next].focus({ preventScroll: true });
    seek(Number(words[next].dataset.t), audio ? !audio.paused : false);
    words[next].scrollIntoView({ block: "nearest" });
  };
  const nudge = (seconds) => seek(Math.max(0, position() + seconds) * 1000, false);
  const faster = (step) => {
    const speed = document.getElementById("speed");
    if (!speed) return;
    speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + step, 0), speed.options.length - 1);
    speed.dispatchEvent(new Event("change"));
  };
  const keys = {
    " ": () => player.toggle?.(),
    j: () => go(1),
    k: () => go(-1),
    ".": () => goWord(1),
    ",": () => goWord(-1),
    ArrowLeft: () => nudge(-5),
    ArrowRight: () => nudge(5),
    "[": () => faster(-1),
    "]": () => faster(1),
    n: () => { noteAt(position() * 1000); document.getElementById("note-text").focus(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    // A focused button keeps its own Space, but for a turn's: there Space is the sound's, as Enter jumps.
    if (event.key === " " && event.target.closest("button:not(.at), summary, a")) return;
    if (event.key === "Enter" && event.target.matches(".words [data-t]")) seek(Number(event.target.dataset.t), true);
    const action = keys[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
})();
