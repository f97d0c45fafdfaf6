// Says the SHA-256 of every encoded frame that comes in, and passes the frame on untouched. Answers [camera, RTP time, hash, whether
// it is a key frame].
onrtctransform = ({ transformer: { readable, writable, options } }) => {
  const passing = new TransformStream({
    transform(frame, controller) {
      const bytes = frame.data.slice(0);
      const time = frame.getMetadata().rtpTimestamp ?? frame.timestamp;
      const isKey = frame.type === "key";
      // Before it is hashed: no picture waits for this.
      controller.enqueue(frame);
      crypto.subtle.digest("SHA-256", bytes).then((hash) => postMessage([options, time, hash, isKey]));
    },
  });
  // A camera that ends ends its pipe.
  readable.pipeThrough(passing).pipeTo(writable).catch(() => {});
};
