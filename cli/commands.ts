import type { Command } from '@oclif/core';
import Decrypt from './commands/decrypt.ts';
import EjsonDecrypt from './commands/ejson/decrypt.ts';
import EjsonEncrypt from './commands/ejson/encrypt.ts';
import EjsonKeygen from './commands/ejson/keygen.ts';
import Get from './commands/get.ts';
import Init from './commands/init.ts';
import RecipientsCreate from './commands/recipients/create.ts';
import RecipientsList from './commands/recipients/list.ts';
import RecipientsPin from './commands/recipients/pin.ts';
import SetEntry from './commands/set.ts';
import Unset from './commands/unset.ts';

/** Every command by its id. All are loaded on each run, so none imports anything heavy outside of `run()`. */
export const COMMANDS: Record<string, Command.Class> = {
  'ejson:decrypt': EjsonDecrypt,
  'ejson:encrypt': EjsonEncrypt,
  'ejson:keygen': EjsonKeygen,
  decrypt: Decrypt,
  get: Get,
  init: Init,
  'recipients:create': RecipientsCreate,
  'recipients:list': RecipientsList,
  'recipients:pin': RecipientsPin,
  set: SetEntry,
  unset: Unset,
};
