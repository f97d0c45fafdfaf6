// Runs before the page: keeps what it says on the fast channel and what it hears there, with the time of this machine's clock in
// milliseconds since 1970, and how long each of its signatures took. Changes nothing of it.
(() => {
  const kept = window.driving = { said: [], heard: [], signed: [], latest: null, latest_at: 0 };
  const now = () => performance.timeOrigin + performance.now();
  const hex = bytes => [...new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength)]
    .map(byte => byte.toString(16).padStart(2, '0')).join('');
  const sign = SubtleCrypto.prototype.sign;
  SubtleCrypto.prototype.sign = async function (...what) {
    const began = performance.now();
    const signature = await sign.apply(this, what);
    kept.signed.push(performance.now() - began);
    return signature;
  };
  const create = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (label, options) {
    const channel = create.call(this, label, options);
    if (label !== 'fast') return channel;
    const send = channel.send;
    channel.send = function (bytes) {
      kept.said.push([now(), hex(bytes)]);
      return send.call(channel, bytes);
    };
    const words = new TextDecoder();
    channel.addEventListener('message', event => {
      const report = JSON.parse(words.decode(event.data));
      kept.latest = report;
      kept.latest_at = now();
      kept.heard.push([kept.latest_at, report]);
    });
    return channel;
  };
  // What the robot says just now; nothing when it was not heard for as long as the page calls history.
  window.drivingNow = () => now() - kept.latest_at < 500 ? kept.latest : null;
  window.takeDriving = () => {
    const { said, heard, signed } = kept;
    Object.assign(kept, { said: [], heard: [], signed: [] });
    return { said, heard, signed };
  };
})();
