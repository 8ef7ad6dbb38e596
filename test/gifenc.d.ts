/** What is used of gifenc, which has no types of its own. */
declare module 'gifenc' {
  /** Red, green and blue, 0 to 255. */
  type Colour = [number, number, number];

  interface FrameOptions {
    /** Required for the first frame; the others use it, too. */
    palette?: Colour[];
    /** Milliseconds, rounded to hundredths of a second. */
    delay?: number;
    transparent?: boolean;
    transparentIndex?: number;
    /** 1: the frame stays, and the next one is drawn over it. */
    dispose?: number;
  }

  interface Encoder {
    /** One index of the palette for each pixel. */
    writeFrame(index: Uint8Array, width: number, height: number, options?: FrameOptions): void;
    finish(): void;
    bytes(): Uint8Array;
  }

  const gifenc: {
    GIFEncoder(): Encoder;
    quantize(rgba: Uint8Array, maxColors: number): Colour[];
    applyPalette(rgba: Uint8Array, palette: Colour[]): Uint8Array;
  };
  export default gifenc;
}
