// How loud a stream is, sixty times a second, as a number from 0 to 1.

const FLOOR_DB = -55;

export class LevelMeter {
  #context = null;
  #taps = [];
  #frame = 0;

  /** Must be made within a click, or the browser keeps the audio context asleep. */
  constructor() {
    this.#context = new AudioContext();
  }

  /** Tell `show` the level of `stream` from now on. */
  watch(stream, show) {
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 512;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    this.#taps.push({ analyser, show, samples: new Float32Array(analyser.fftSize), level: 0 });
    if (this.#taps.length === 1) this.#look();
  }

  close() {
    cancelAnimationFrame(this.#frame);
    for (const { show } of this.#taps) show(0);
    this.#taps = [];
    this.#context.close();
  }

  #look() {
    for (const tap of this.#taps) {
      tap.analyser.getFloatTimeDomainData(tap.samples);
      const power = tap.samples.reduce((sum, sample) => sum + sample * sample, 0) / tap.samples.length;
      const loud = Math.min(Math.max(1 - (10 * Math.log10(power + 1e-12)) / FLOOR_DB, 0), 1);
      // Up at once, down gently: that is how a needle moves.
      tap.level = Math.max(loud, tap.level * 0.88);
      tap.show(tap.level);
    }
    this.#frame = requestAnimationFrame(() => this.#look());
  }
}
