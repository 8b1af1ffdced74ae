declare module 'snappyjs' {
  const snappy: {
    /** The block format, without a frame. */
    compress(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
    uncompress(bytes: Uint8Array, maxLength?: number): Uint8Array<ArrayBuffer>;
  };
  export default snappy;
}
