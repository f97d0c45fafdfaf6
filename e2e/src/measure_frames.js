// Reads the in-picture time stamp of displayed frames until `count` were read or `within_ms` passed, then calls back.
// A sample: when the frame was due on screen minus when it was taken, both in milliseconds since 1970 on this machine's clock.
const [count, within_ms] = [arguments[0], arguments[1]];
const done = arguments[arguments.length - 1];
const video = document.querySelector('[data-testid="large-picture"] video');
if (!video) { done({ error: 'no large picture' }); return; }
const samples = [];
let unreadable = 0;
// The browser's own count of frames that it put on screen: a frame that this script was too slow for is in it too.
let first = null, last = 0;
// The longest time in which this script saw no new frame, the wait for the first one included.
let longest_gap_ms = 0;
const began = performance.now();

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
  const taken_ms = stamp(video, video.videoWidth, video.videoHeight);
  if (taken_ms === null) unreadable++;
  else if (taken_ms !== previous) {
    previous = taken_ms;
    samples.push(performance.timeOrigin + metadata.expectedDisplayTime - taken_ms);
  }
  if (samples.length >= count) finish();
  else video.requestVideoFrameCallback(each);
}
video.requestVideoFrameCallback(each);
