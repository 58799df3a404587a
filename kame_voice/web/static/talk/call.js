// One call from this browser: microphone, peer connection, events. Knows no page.

const CONNECT_WITHIN_MS = 12_000;
const LOST_AFTER_MS = 6_000;
const DELAY_EVERY_MS = 2_000;
const OUTPUT_MS = 30; // a loudspeaker's own buffer, where nobody tells

/** What went wrong, by the code that words.js explains. */
export class CallTrouble extends Error {
  constructor(code, detail = "") {
    super(detail || code);
    this.code = code;
    this.detail = detail;
  }
}

/**
 * A call. Events, all `CustomEvent`s: `connected`; `heard` (MediaStream of the agent); `news` (a live
 * event of the server, as in docs/webrtc.md); `over` (detail: null, or the CallTrouble that ended it).
 * `over` comes exactly once after `dial` succeeded.
 */
export class Call extends EventTarget {
  #peer = null;
  #channel = null;
  #microphone = null;
  #over = false;
  #connected = false;
  #timers = new Set();
  #telling = 0;
  #token = null;

  /** Ask for the microphone. Throws CallTrouble. */
  async openMicrophone() {
    if (!window.isSecureContext) throw new CallTrouble("insecure-page");
    if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection) throw new CallTrouble("old-browser");
    const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    try {
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio, video: false });
    } catch (error) {
      throw microphoneTrouble(error);
    }
    this.#microphone.getAudioTracks()[0].addEventListener("ended", () => this.#end(new CallTrouble("microphone-lost")));
    if (this.#over) this.#close();
    return this.#microphone;
  }

  /** Ring the line. `request` goes to the server beside the offer. Throws CallTrouble. */
  async dial(request) {
    const { iceServers } = await ask("ice", request);
    if (this.#over) return;
    const peer = (this.#peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" }));
    peer.addEventListener("track", ({ track }) => this.#tell("heard", new MediaStream([track])));
    peer.addEventListener("connectionstatechange", () => this.#stateChanged());
    const channel = (this.#channel = peer.createDataChannel("events"));
    channel.addEventListener("message", ({ data }) => this.#received(data));
    for (const track of this.#microphone.getAudioTracks()) peer.addTrack(track, this.#microphone);
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer);
    if (this.#over) return;
    const answer = await ask("offer", { ...request, sdp: peer.localDescription.sdp, type: "offer" });
    this.#token = answer.token;
    if (this.#over) return this.#giveBack();
    await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    this.#after(CONNECT_WITHIN_MS, () => this.#connected || this.#end(new CallTrouble("no-connection")));
  }

  /** The caller's voice goes out, or silence. */
  set muted(muted) {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** How long sound waits in this browser: the server counts words as heard only after it. */
  async #tellDelay() {
    const stats = await this.#peer?.getStats().catch(() => null);
    for (const report of stats?.values() ?? []) {
      if (report.type !== "inbound-rtp" || !report.jitterBufferEmittedCount) continue;
      const buffered = report.jitterBufferDelay / report.jitterBufferEmittedCount;
      this.#send({ type: "playout", delay_ms: Math.round(buffered * 1000 + OUTPUT_MS) });
    }
  }

  /** Press a key: 0-9, * or #. */
  press(digit) {
    this.#send({ type: "dtmf", digit });
  }

  /** The caller hangs up. */
  hangUp() {
    this.#send({ type: "hangup" });
    this.#giveBack();
    this.#end(null);
  }

  // The channel may not be open yet, and a page that goes away has no time: this reaches the server anyway.
  #giveBack() {
    if (!this.#token) return;
    fetch(`/webrtc/calls/${this.#token}`, { method: "DELETE", keepalive: true }).catch(() => {});
  }

  #received(data) {
    const news = JSON.parse(data);
    this.#tell("news", news);
    if (news.type === "ended") this.#end(null);
  }

  #stateChanged() {
    const state = this.#peer?.connectionState;
    if (state === "connected" && !this.#connected) {
      this.#connected = true;
      this.#telling = setInterval(() => this.#tellDelay(), DELAY_EVERY_MS);
      this.#tell("connected", null);
    } else if (state === "failed" || state === "closed") {
      this.#end(new CallTrouble(this.#connected ? "connection-lost" : "no-connection"));
    } else if (state === "disconnected") {
      this.#after(LOST_AFTER_MS, () => {
        if (this.#peer?.connectionState === "disconnected") this.#end(new CallTrouble("connection-lost"));
      });
    }
  }

  #send(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  #after(ms, then) {
    this.#timers.add(setTimeout(then, ms));
  }

  #end(trouble) {
    if (this.#over) return;
    this.#over = true;
    if (trouble) this.#giveBack();
    this.#close();
    this.#tell("over", trouble);
  }

  #close() {
    for (const timer of this.#timers) clearTimeout(timer);
    clearInterval(this.#telling);
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
    // A moment for the goodbye on the channel; the server notices a closed peer by itself.
    const peer = this.#peer;
    if (peer) setTimeout(() => peer.close(), 150);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function microphoneTrouble(error) {
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new CallTrouble(window.top === window ? "microphone-refused" : "microphone-refused-in-frame");
    case "NotFoundError":
    case "OverconstrainedError":
      return new CallTrouble("no-microphone");
    case "NotReadableError":
    case "AbortError":
      return new CallTrouble("microphone-busy");
    default:
      return new CallTrouble("no-microphone", error.message);
  }
}

/** GET of /webrtc/…, or POST where there is a body; the answer's JSON. Throws CallTrouble in the server's words. */
async function ask(what, body) {
  let response;
  try {
    response = await fetch(`/webrtc/${what}`, post(body));
  } catch {
    throw new CallTrouble("server-unreachable");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new CallTrouble(answer.code ?? "server-error", answer.detail ?? "");
  return answer;
}

function post(body) {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const headers = { "Content-Type": "application/json", ...(token ? { "X-CSRF-Token": token } : {}) };
  return { method: "POST", headers, body: JSON.stringify(body) };
}

/** All of the offer in one request: wait until the candidates are known, two seconds at most. */
function gathered(peer) {
  return new Promise((resolve) => {
    const done = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, 2_000);
    done();
  });
}
