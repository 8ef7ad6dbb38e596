import gifenc from 'gifenc';
import { PNG } from 'pngjs';

/** A picture of the page, and when it was taken. */
export interface Frame {
  png: Buffer;
  /** Milliseconds, of any clock that does not go back. */
  at: number;
}

/** One colour of the 256 that a GIF can have stands for a pixel that is as before. */
const COLOURS = 255;
/** The palette is made of this many of the frames, as it takes long. */
const SAMPLES = 8;
/** How long the last frame is shown before the first one comes again. */
const REST_MS = 4000;

/**
 * Makes a GIF of pictures of one size, without end. Each is shown until the next one was taken; one that is as the one
 * before it only makes that one last longer.
 *
 * @throws Error without a picture, or if two of them have different sizes
 */
export function gifOf(frames: readonly Frame[]): Uint8Array {
  const pictures = distinct(frames);
  const [first] = pictures;
  if (!first) throw new Error('expected at least one picture, there is none');
  const palette = gifenc.quantize(sample(pictures), COLOURS);
  const unchanged = palette.length;

  const gif = gifenc.GIFEncoder();
  let before: Uint8Array | undefined;
  for (const [n, { rgba, at }] of pictures.entries()) {
    const index = gifenc.applyPalette(rgba, palette);
    const drawn = before
      ? index.map((colour, pixel) => (colour === before?.[pixel] ? unchanged : colour))
      : index;
    gif.writeFrame(drawn, first.width, first.height, {
      ...(!before && { palette: [...palette, [0, 0, 0]] }),
      transparent: before !== undefined,
      transparentIndex: unchanged,
      dispose: 1,
      delay: (pictures[n + 1]?.at ?? at + REST_MS) - at,
    });
    before = index;
  }
  gif.finish();
  return gif.bytes();
}

interface Picture {
  rgba: Uint8Array;
  width: number;
  height: number;
  at: number;
}

function distinct(frames: readonly Frame[]): Picture[] {
  const pictures: Picture[] = [];
  for (const { png, at } of frames) {
    const { data, width, height } = PNG.sync.read(png);
    const last = pictures.at(-1);
    if (last && (last.width !== width || last.height !== height)) {
      throw new Error(`expected pictures of ${last.width} x ${last.height}, one has ${width} x ${height}`);
    }
    if (!last || data.compare(last.rgba) !== 0) pictures.push({ rgba: data, width, height, at });
  }
  return pictures;
}

/** The pixels of some of the pictures, the last one among them, which has the most on it. */
function sample(pictures: readonly Picture[]): Uint8Array {
  const step = Math.max(1, Math.floor(pictures.length / SAMPLES));
  return Buffer.concat(
    pictures.filter((_, n) => (pictures.length - 1 - n) % step === 0).map(({ rgba }) => rgba),
  );
}
