import type { Command } from '@oclif/core';
import EjsonDecrypt from './commands/ejson/decrypt.ts';
import EjsonEncrypt from './commands/ejson/encrypt.ts';
import EjsonKeygen from './commands/ejson/keygen.ts';

/** Every command by its id. All are loaded on each run, so none imports anything heavy outside of `run()`. */
export const COMMANDS: Record<string, Command.Class> = {
  'ejson:decrypt': EjsonDecrypt,
  'ejson:encrypt': EjsonEncrypt,
  'ejson:keygen': EjsonKeygen,
};
