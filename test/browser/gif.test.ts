import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { PNG } from 'pngjs';
import { launchBrowser } from '../fixtures/browser.ts';
import { gifOf } from '../gif.ts';

type Rgb = [number, number, number];

const RED: Rgb = [255, 0, 0];
const BLUE: Rgb = [0, 0, 255];
const WHITE: Rgb = [255, 255, 255];

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

/** A picture of one row. */
function row(...pixels: Rgb[]): Buffer {
  const png = new PNG({ width: pixels.length, height: 1 });
  png.data = Buffer.from(pixels.flatMap((pixel) => [...pixel, 255]));
  return PNG.sync.write(png);
}

/** What a browser shows of a GIF: the pixels of each frame as it is drawn over the ones before, and its duration in ms. */
async function shown(gif: Uint8Array): Promise<{ pixels: number[]; ms: number }[]> {
  const page = await browser.newPage();
  // ImageDecoder exists for origins that can be trusted only.
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<p>' }));
  await page.goto('http://localhost/');
  const frames = await page.evaluate(
    async (bytes) => {
      const decoder = new ImageDecoder({ data: Uint8Array.from(bytes), type: 'image/gif' });
      await decoder.tracks.ready;
      await decoder.completed;
      const all: { pixels: number[]; ms: number }[] = [];
      for (
        let frameIndex = 0;
        frameIndex < (decoder.tracks.selectedTrack?.frameCount ?? 0);
        frameIndex += 1
      ) {
        const { image } = await decoder.decode({ frameIndex });
        const context = new OffscreenCanvas(image.displayWidth, image.displayHeight).getContext('2d');
        context?.drawImage(image, 0, 0);
        const data = context?.getImageData(0, 0, image.displayWidth, image.displayHeight).data ?? [];
        // A decoded frame may pass through another colour space, which moves its values a little.
        const pixels = [...data].filter((_, n) => n % 4 !== 3).map((value) => Math.round(value / 51) * 51);
        all.push({ pixels, ms: (image.duration ?? 0) / 1000 });
      }
      return all;
    },
    [...gif],
  );
  await page.close();
  return frames;
}

test('a browser shows each picture until the next one was taken, and one that is as before it not again', async () => {
  const gif = gifOf([
    { png: row(WHITE, WHITE, RED), at: 1000 },
    { png: row(WHITE, WHITE, RED), at: 1090 },
    { png: row(WHITE, BLUE, RED), at: 1200 },
    { png: row(WHITE, WHITE, RED), at: 1300 },
  ]);

  expect(await shown(gif)).toEqual([
    { pixels: [WHITE, WHITE, RED].flat(), ms: 200 },
    { pixels: [WHITE, BLUE, RED].flat(), ms: 100 },
    { pixels: [WHITE, WHITE, RED].flat(), ms: 4000 },
  ]);
});

test.each([
  ['no picture', [], 'expected at least one picture, there is none'],
  ['pictures of two sizes', [row(RED), row(RED, RED)], 'expected pictures of 1 x 1, one has 2 x 1'],
])('%s is an error', (_what, pictures, message) => {
  expect(() => gifOf(pictures.map((png, at) => ({ png, at })))).toThrow(message);
});
