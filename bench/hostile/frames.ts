/** WebSocket frames (RFC 6455 §5.2): encodes a client's frames, and parses the heads of a server's. */

const FIN = 0x80;
const MASKED = 0x80;
const TEXT = 0x1;
export const CLOSE = 0x8;
/** The bit of control frames' opcodes. */
const CONTROL = 0x8;
/** A mask of zeros, which leaves the payload unchanged. */
const MASK = Buffer.alloc(4);

export interface FrameHead {
  readonly opcode: number;
  readonly isControl: boolean;
  /** Size of the head in bytes. */
  readonly head: number;
  /** Size of the payload in bytes. */
  readonly size: number;
}

export function textFrame(text: string): Buffer {
  return frame(TEXT, Buffer.from(text));
}

export function closeFrame(code: number): Buffer {
  return frame(CLOSE, Buffer.from([code >> 8, code & 0xff]));
}

/** Parses the head of the frame at the beginning of `bytes`; undefined if it is incomplete. */
export function frameHead(bytes: Buffer): FrameHead | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = bytes.readUInt8(0) & 0x0f;
  const short = bytes.readUInt8(1) & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return undefined;
  const size = head === 2 ? short : head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return { opcode, isControl: (opcode & CONTROL) !== 0, head, size };
}

function frame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([FIN | opcode]), lengthOf(payload.length), MASK, payload]);
}

function lengthOf(size: number): Buffer {
  if (size < 126) return Buffer.from([MASKED | size]);
  if (size < 65_536) {
    const bytes = Buffer.from([MASKED | 126, 0, 0]);
    bytes.writeUInt16BE(size, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, MASKED | 127);
  bytes.writeBigUInt64BE(BigInt(size), 1);
  return bytes;
}
