// Test only: keeps the sound of every received track, as the loudspeaker gets it, at 24 kHz.
(() => {
  const parts = [];
  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...options) {
      super(...options);
      this.addEventListener("track", ({ track }) => {
        const context = new AudioContext({ sampleRate: 24000 });
        const tap = context.createScriptProcessor(4096, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => parts.push(inputBuffer.getChannelData(0).slice());
        context.createMediaStreamSource(new MediaStream([track])).connect(tap);
        tap.connect(context.destination);
      });
    }
  };
  window.kameHeard = () => {
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0) * 2);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const part of parts) {
      for (const sample of part) {
        view.setInt16(at, Math.max(-1, Math.min(1, sample)) * 32767, true);
        at += 2;
      }
    }
    let text = "";
    for (let start = 0; start < bytes.length; start += 32768) {
      text += String.fromCharCode(...bytes.subarray(start, start + 32768));
    }
    return btoa(text);
  };
})();
