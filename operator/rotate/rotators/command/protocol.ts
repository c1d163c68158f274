import { base64Bytes } from '../../../../core/crypto/base64-bytes.ts';
import { objectOf, parseJson } from '../../../../core/json.ts';

/** docs/rotation.md, "A command". */
export interface Question {
  step: 'install' | 'verify' | 'retire';
  rotator: string;
  entry: string;
  isExposed: boolean;
}

export interface Reply {
  /** Undefined: it did not say. */
  result: 'done' | 'failed' | undefined;
  /** What it wants people to know: cut, and withheld where it quotes a value. */
  messages: string[];
}

const MOST_MESSAGES = 20;
const LONGEST_MESSAGE = 200;
/** Of a value's characters: what quotes so many in a row quotes the value. */
const QUOTED = 8;

/** Lines of JSON, which the caller wipes: the question, then each value in base64. No value passes through a string. */
export function questionLines(question: Question, values: { former?: Buffer | undefined; next: Buffer }): Buffer {
  const { step, rotator, entry, isExposed } = question;
  const lines = [Buffer.from(`${JSON.stringify({ protocol: 1, step, rotator, entry, exposed: isExposed })}\n`)];
  for (const [name, value] of [
    ['former', values.former],
    ['next', values.next],
  ] as const) {
    if (value === undefined) continue;
    const text = base64Bytes(value);
    lines.push(Buffer.concat([Buffer.from(`{"${name}":"`), text, Buffer.from('"}\n')]));
    text.fill(0);
  }
  const all = Buffer.concat(lines);
  for (const line of lines) line.fill(0);
  return all;
}

/** Lines that are no JSON object are passed over: a program may chat. */
export function readReply(output: Buffer, values: readonly Buffer[]): Reply {
  const reply: Reply = { result: undefined, messages: [] };
  for (const line of output.toString('utf8').split('\n')) {
    const { result, message } = line.startsWith('{') ? objectOf(parseJson(line)) : {};
    if (result === 'done' || result === 'failed') reply.result = result;
    if (typeof message === 'string' && reply.messages.length < MOST_MESSAGES) {
      reply.messages.push(quotes(message, values) ? '[withheld: it quotes a value]' : presentable(message));
    }
  }
  return reply;
}

function quotes(message: string, values: readonly Buffer[]): boolean {
  const bytes = Buffer.from(message);
  for (const value of values) {
    for (const form of [value, base64Bytes(value)]) {
      const length = Math.min(QUOTED, form.length);
      for (let at = 0; length > 0 && at + length <= form.length; at += 1) {
        if (bytes.includes(form.subarray(at, at + length))) return true;
      }
    }
  }
  return false;
}

function presentable(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, LONGEST_MESSAGE);
}
