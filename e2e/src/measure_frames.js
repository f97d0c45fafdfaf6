// Reads the in-picture time stamp of displayed frames until `count` were read or `within_ms` passed, then calls back.
// A sample: when the frame was due on screen minus when it was taken, both in milliseconds since 1970 on this machine's clock.
const [count, within_ms] = [arguments[0], arguments[1]];
const done = arguments[arguments.length - 1];
const video = document.querySelector('[data-testid="large-picture"] video');
if (!video) { done({ error: 'no large picture' }); return; }
const canvas = document.createElement('canvas');
const context = canvas.getContext('2d', { willReadFrequently: true });
const samples = [];
let unreadable = 0;
// The browser's own count of frames that it put on screen: a frame that this script was too slow for is in it too.
let first = null, last = 0;
// The longest time in which this script saw no new frame, the wait for the first one included.
let longest_gap_ms = 0;
const began = performance.now();

function crc16(bytes) {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

function stamp() {
  const width = video.videoWidth, height = video.videoHeight;
  const block = Math.max(8, Math.floor(width / 40));
  const strip = 2 * block;
  canvas.width = 40 * block;
  canvas.height = strip;
  context.drawImage(video, 0, height - strip, 40 * block, strip, 0, 0, 40 * block, strip);
  const pixels = context.getImageData(0, 0, 40 * block, strip).data;
  const inset = Math.floor(block / 4);
  const bytes = new Uint8Array(10);
  for (let index = 0; index < 80; index++) {
    const left = (index % 40) * block, top = Math.floor(index / 40) * block;
    let sum = 0, seen = 0;
    for (let y = top + inset; y < top + block - inset; y++)
      for (let x = left + inset; x < left + block - inset; x++) { sum += pixels[(y * 40 * block + x) * 4 + 1]; seen++; }
    if (sum / seen >= 128) bytes[index >> 3] |= 0x80 >> (index & 7);
  }
  if (crc16(bytes.subarray(0, 8)) !== (bytes[8] << 8 | bytes[9])) return null;
  return Number(new DataView(bytes.buffer).getBigInt64(0)) / 1000;
}

let seen_at = began;
function note_gap() {
  const now = performance.now();
  longest_gap_ms = Math.max(longest_gap_ms, now - seen_at);
  seen_at = now;
}

function finish() {
  clearTimeout(limit);
  note_gap();
  done({ samples, unreadable, shown: last - first, longest_gap_ms, took_ms: performance.now() - began });
}
const limit = setTimeout(finish, within_ms);
let previous = 0;
function each(now, metadata) {
  first ??= metadata.presentedFrames;
  last = metadata.presentedFrames;
  note_gap();
  const taken_ms = stamp();
  if (taken_ms === null) unreadable++;
  else if (taken_ms !== previous) {
    previous = taken_ms;
    samples.push(performance.timeOrigin + metadata.expectedDisplayTime - taken_ms);
  }
  if (samples.length >= count) finish();
  else video.requestVideoFrameCallback(each);
}
video.requestVideoFrameCallback(each);
