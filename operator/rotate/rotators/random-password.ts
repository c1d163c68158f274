import { generateValue } from '../../../cli/input/generate.ts';
/** 190 bits, in characters that no URL, shell or DSN reads as something else. */
export function randomPassword(): Buffer {
  return generateValue('password:32');
}
