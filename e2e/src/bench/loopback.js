// The reference: this browser's own WebRTC, page to page, with the same picture size, rate and stamp. What it costs without us.
const [count, within_ms] = [arguments[0], arguments[1]];
const done = arguments[arguments.length - 1];
const width = 640, height = 480, block = 16;
const source = document.createElement('canvas');
source.width = width; source.height = height;
const paint = source.getContext('2d');
function crc16(bytes) {
  let crc = 0xffff;
  for (const byte of bytes) { crc ^= byte << 8; for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff; }
  return crc;
}
let turn = 0;
function draw() {
  turn++;
  paint.fillStyle = '#9aa'; paint.fillRect(0, 0, width, height);
  for (let index = 0; index < 40; index++) { paint.fillStyle = `hsl(${index * 9 + turn} 40% 60%)`; paint.fillRect((index * 53 + turn * 3) % width, index * 11, 60, 20); }
  const bytes = new Uint8Array(10), view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)));
  view.setUint16(8, crc16(bytes.subarray(0, 8)));
  for (let index = 0; index < 80; index++) {
    paint.fillStyle = bytes[index >> 3] & (0x80 >> (index & 7)) ? '#fff' : '#000';
    paint.fillRect((index % 40) * block, height - 2 * block + Math.floor(index / 40) * block, block, block);
  }
}
draw();
const pacer = setInterval(draw, 1000 / 30);
const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
from.onicecandidate = event => event.candidate && to.addIceCandidate(event.candidate);
to.onicecandidate = event => event.candidate && from.addIceCandidate(event.candidate);
for (const track of source.captureStream(30).getTracks()) from.addTrack(track);
const video = document.createElement('video');
video.muted = true; video.autoplay = true; video.playsInline = true;
video.style.cssText = 'position:fixed;left:0;top:0;width:640px;height:480px;z-index:99';
document.body.append(video);
const reader = document.createElement('canvas');
const context = reader.getContext('2d', { willReadFrequently: true });
const samples = [];
let previous = 0;
function stamp() {
  const strip = 2 * block;
  reader.width = 40 * block; reader.height = strip;
  context.drawImage(video, 0, video.videoHeight - strip, 40 * block, strip, 0, 0, 40 * block, strip);
  const pixels = context.getImageData(0, 0, 40 * block, strip).data, bytes = new Uint8Array(10);
  for (let index = 0; index < 80; index++) {
    const x = (index % 40) * block + block / 2, y = Math.floor(index / 40) * block + block / 2;
    if (pixels[(y * 40 * block + x) * 4 + 1] >= 128) bytes[index >> 3] |= 0x80 >> (index & 7);
  }
  if (crc16(bytes.subarray(0, 8)) !== (bytes[8] << 8 | bytes[9])) return null;
  return Number(new DataView(bytes.buffer).getBigInt64(0)) / 1000;
}
function finish() { clearTimeout(limit); clearInterval(pacer); from.close(); to.close(); video.remove(); done({ samples, unreadable: 0, shown: last - first, longest_gap_ms: 0, took_ms: performance.now() - began }); }
const limit = setTimeout(finish, within_ms);
let warm = 0, first = null, last = 0, began = 0;
function each(now, metadata) {
  const taken = video.videoWidth === width ? stamp() : null;
  // The first two seconds are the encoder's ramp-up, in which Chromium also scales the picture down.
  if (taken !== null && taken !== previous && ++warm > 60) { previous = taken; samples.push(performance.timeOrigin + metadata.expectedDisplayTime - taken); }
  if (samples.length > 0) {
    if (first === null) { first = metadata.presentedFrames; began = performance.now(); }
    last = metadata.presentedFrames;
  }
  if (samples.length >= count) finish(); else video.requestVideoFrameCallback(each);
}
to.ontrack = event => { event.receiver.jitterBufferTarget = 0; video.srcObject = event.streams[0] ?? new MediaStream([event.track]); video.requestVideoFrameCallback(each); };
(async () => {
  await from.setLocalDescription(await from.createOffer());
  await to.setRemoteDescription(from.localDescription);
  await to.setLocalDescription(await to.createAnswer());
  await from.setRemoteDescription(to.localDescription);
})();
