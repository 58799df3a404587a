// Plays both sides of a running call: a WebSocket of samples into an audio worklet.

const RATE = 24000;

export class ListenIn {
  #socket;
  #context;
  #player;
  #stopped = false;

  constructor(callId, worklet, { levels, stopped }) {
    this.callId = callId;
    this.worklet = worklet;
    this.levels = levels;
    this.onStopped = stopped;
  }

  async start(apart) {
    try {
      this.#context = new AudioContext({ sampleRate: RATE });
      await this.#context.audioWorklet.addModule(this.worklet);
      await this.#context.resume();
      this.#player = new AudioWorkletNode(this.#context, "call-player", { outputChannelCount: [2] });
      this.#player.connect(this.#context.destination);
      this.#player.port.onmessage = ({ data }) => this.levels(data.caller, data.agent);
      this.apart(apart);
      const url = new URL(`/api/calls/${encodeURIComponent(this.callId)}/listen`, location.href);
      url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
      this.#socket = new WebSocket(url);
      this.#socket.binaryType = "arraybuffer";
      this.#socket.onmessage = ({ data }) => {
        if (data instanceof ArrayBuffer) this.#player.port.postMessage(data, [data]);
      };
      this.#socket.onclose = ({ code }) => this.stop(code === 1000 ? "" : "The sound broke off.");
    } catch (error) {
      this.stop(`No sound: ${error.message}`);
    }
  }

  apart(yes) {
    this.#player?.port.postMessage({ apart: yes });
  }

  stop(why = "") {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#socket?.close();
    this.#context?.close();
    this.onStopped(why);
  }
}
