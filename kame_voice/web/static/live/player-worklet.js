// A short buffer between the network and the ears: 24 kHz, caller left, agent right, 16 bit.

const START = 0.15 * 24000; // so much is waited for before anything sounds, and again after a hole
const MOST = 0.8 * 24000; // more than this is too far behind: skip
const KEEP = 0.2 * 24000;
const TOLD_EVERY = 12; // blocks of 128 between two levels

class CallPlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.blocks = [];
    this.place = 0;
    this.waiting = 0;
    this.playing = false;
    this.apart = false;
    this.loudest = [0, 0];
    this.quanta = 0;
    this.port.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.take(new Int16Array(data));
      else this.apart = data.apart;
    };
  }

  take(samples) {
    this.blocks.push(samples);
    this.waiting += samples.length / 2;
    while (this.waiting > MOST && this.blocks.length > 1 && this.waiting - this.blocks[0].length / 2 > KEEP) {
      this.waiting -= this.blocks.shift().length / 2 - this.place;
      this.place = 0;
    }
    if (this.waiting >= START) this.playing = true;
  }

  process(_, [output]) {
    const [left, right] = output;
    for (let at = 0; at < left.length && this.playing; at += 1) {
      const block = this.blocks[0];
      if (!block) {
        this.playing = false;
        break;
      }
      const caller = block[2 * this.place] / 32768;
      const agent = block[2 * this.place + 1] / 32768;
      this.loudest[0] = Math.max(this.loudest[0], Math.abs(caller));
      this.loudest[1] = Math.max(this.loudest[1], Math.abs(agent));
      left[at] = this.apart ? caller : (caller + agent) * 0.7;
      right[at] = this.apart ? agent : left[at];
      this.place += 1;
      this.waiting -= 1;
      if (2 * this.place >= block.length) {
        this.blocks.shift();
        this.place = 0;
      }
    }
    this.quanta += 1;
    if (this.quanta % TOLD_EVERY === 0) {
      this.port.postMessage({ caller: this.loudest[0], agent: this.loudest[1] });
      this.loudest = this.loudest.map((level) => level * 0.6);
    }
    return true;
  }
}

registerProcessor("call-player", CallPlayer);
