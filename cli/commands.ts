import type { Command } from '@oclif/core';
import AuditBundle from './commands/audit/bundle.ts';
import AuditProve from './commands/audit/prove.ts';
import AuditShow from './commands/audit/show.ts';
import AuditVerify from './commands/audit/verify.ts';
import Check from './commands/check.ts';
import Compact from './commands/compact.ts';
import Completion from './commands/completion.ts';
import Decrypt from './commands/decrypt.ts';
import Diff from './commands/diff.ts';
import Edit from './commands/edit.ts';
import EjsonDecrypt from './commands/ejson/decrypt.ts';
import EjsonEncrypt from './commands/ejson/encrypt.ts';
import EjsonKeygen from './commands/ejson/keygen.ts';
import Encrypt from './commands/encrypt.ts';
import Endorse from './commands/endorse.ts';
import Exposure from './commands/exposure.ts';
import Get from './commands/get.ts';
import Grant from './commands/grant.ts';
import Init from './commands/init.ts';
import New from './commands/new.ts';
import RecipientsAdd from './commands/recipients/add.ts';
import RecipientsCreate from './commands/recipients/create.ts';
import RecipientsEnroll from './commands/recipients/enroll.ts';
import RecipientsJoin from './commands/recipients/join.ts';
import RecipientsLeave from './commands/recipients/leave.ts';
import RecipientsList from './commands/recipients/list.ts';
import RecipientsPin from './commands/recipients/pin.ts';
import RecipientsRemove from './commands/recipients/remove.ts';
import RecipientsReplace from './commands/recipients/replace.ts';
import RecipientsRestore from './commands/recipients/restore.ts';
import RecipientsRetire from './commands/recipients/retire.ts';
import RecipientsRewrap from './commands/recipients/rewrap.ts';
import RecipientsRotate from './commands/recipients/rotate.ts';
import RecipientsSigner from './commands/recipients/signer.ts';
import Resolve from './commands/resolve.ts';
import Revoke from './commands/revoke.ts';
import Rewrap from './commands/rewrap.ts';
import Rotate from './commands/rotate.ts';
import SetEntry from './commands/set.ts';
import Status from './commands/status.ts';
import Unset from './commands/unset.ts';
import { giveHelpTexts } from './help-texts.ts';

/** Every command by its id. All are loaded on each run, so none imports anything heavy outside of `run()`. */
export const COMMANDS: Record<string, Command.Class> = {
  'audit:bundle': AuditBundle,
  'audit:prove': AuditProve,
  'audit:show': AuditShow,
  'audit:verify': AuditVerify,
  check: Check,
  compact: Compact,
  completion: Completion,
  decrypt: Decrypt,
  diff: Diff,
  edit: Edit,
  'ejson:decrypt': EjsonDecrypt,
  'ejson:encrypt': EjsonEncrypt,
  'ejson:keygen': EjsonKeygen,
  encrypt: Encrypt,
  endorse: Endorse,
  exposure: Exposure,
  get: Get,
  grant: Grant,
  init: Init,
  new: New,
  'recipients:add': RecipientsAdd,
  'recipients:create': RecipientsCreate,
  'recipients:enroll': RecipientsEnroll,
  'recipients:join': RecipientsJoin,
  'recipients:leave': RecipientsLeave,
  'recipients:list': RecipientsList,
  'recipients:pin': RecipientsPin,
  'recipients:remove': RecipientsRemove,
  'recipients:replace': RecipientsReplace,
  'recipients:restore': RecipientsRestore,
  'recipients:retire': RecipientsRetire,
  'recipients:rewrap': RecipientsRewrap,
  'recipients:rotate': RecipientsRotate,
  'recipients:signer': RecipientsSigner,
  resolve: Resolve,
  revoke: Revoke,
  rewrap: Rewrap,
  rotate: Rotate,
  set: SetEntry,
  status: Status,
  unset: Unset,
};

for (const command of Object.values(COMMANDS)) giveHelpTexts(command);
