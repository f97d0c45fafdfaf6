// How a picture's stamp is read (agent/src/cameras/stamp.rs).
const canvas = document.createElement('canvas');
const context = canvas.getContext('2d', { willReadFrequently: true });

function crc16(bytes) {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

// The capture time in a picture, milliseconds since 1970; null where there is none.
function stamp(source, width, height) {
  const block = Math.max(8, Math.floor(width / 40));
  const strip = 2 * block;
  canvas.width = 40 * block;
  canvas.height = strip;
  context.drawImage(source, 0, height - strip, 40 * block, strip, 0, 0, 40 * block, strip);
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

