import type { Request } from './arguments.ts';
import { giveOverride } from './audit/override.ts';
import type { OperatorSettings } from './config/settings.ts';
import { sourceIds } from './pipeline.ts';
import { hostUser } from './process/host-user.ts';
import { askForValue } from './rotate/values/due/asked-values.ts';
import { confirmCommit } from './source/admission/confirmations.ts';
import { giveAcceptance } from './trust/acceptances.ts';

/** What a person tells an operator: it lies in the state directory until the running operator, or the next, takes it. */
export type Word = Extract<Request, { do: 'accept' | 'confirm' | 'override' | 'rotate' }>;

/**
 * @returns what will come of it, in a sentence.
 * @throws CofferError CONFIRM_COMMIT_INVALID, ACCEPT_COMMIT_INVALID, ACCEPT_NO_SOURCE, ROTATE_WORD, AUDIT_OVERRIDE_INVALID,
 *   FILE_SYSTEM
 */
export async function giveWord(word: Word, settings: OperatorSettings): Promise<string> {
  const { stateDirectory } = settings;
  switch (word.do) {
    case 'confirm':
      await confirmCommit(stateDirectory, word.commit);
      return `Confirmed ${word.commit}: the operator acts on it at its next look.`;
    case 'accept':
      await giveAcceptance(stateDirectory, sourceIds(settings), word.commit);
      return `Accepted ${word.commit}: the operator takes it at its next look, within a day.`;
    case 'rotate':
      await askForValue(stateDirectory, { ...word, actor: hostUser() }, new Date());
      return `Asked for a new ${word.entry} of ${word.secret}: the operator makes it at its next look.`;
    case 'override': {
      const { until } = await giveOverride(stateDirectory, word, new Date());
      return `The operator goes on without its log until ${until}, as far as it has to.`;
    }
  }
}
