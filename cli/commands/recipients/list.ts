import type { Recipient } from '../../../core/keys/recipient.ts';
import { Args, BaseCommand, Flags } from '../../base-command.ts';
import { count } from '../../render/count.ts';

/** One row, as `--json` has it. */
interface Row {
  name: string;
  type: string;
  /** pinned: you trust it. unknown: not yet. changed: its identity is not the one that you trust. */
  trust: 'pinned' | 'unknown' | 'changed';
  identity: string;
  members: readonly string[];
  /** Days until the active key is due for rotation, less than 0 when it is over; null: it has no term, or there is no such key. */
  due: number | null;
  /** `stanzas`: in the working tree. */
  keys: { id: string; status: string; created: string; days: number; stanzas: number }[];
}

export default class RecipientsList extends BaseCommand {
  static override summary = 'show the keyring: who can open secrets, with which keys, and whom you trust';
  static override description =
    `With the age of each key, how many stanzas of the working tree are for it, and when the active one is due (spec.rotation.every of
the recipient): an operator makes itself a new key then; for others, coffer recipients rotate.`;
  static override examples = [
    'coffer recipients list',
    {
      description: 'For CI (COFFER_PINS), which has nobody to ask:',
      command: 'coffer recipients list --pins > pins',
    },
    {
      description:
        'For an operator, which seals to those it pins when a commit asks for it: no more than have to be there:',
      command: 'coffer recipients list production --pins > production-pins',
    },
  ];
  static override strict = false;
  static override args = {
    names: Args.string({ ignoreStdin: true, description: 'only these' }),
  };
  static override flags = {
    pins: Flags.boolean({
      description: 'print a file of pins: those whom you trust; exit code 1 when somebody is left out',
    }),
  };

  override async run(): Promise<Record<string, unknown>> {
    const { flags, argv } = await this.parse(RecipientsList);
    const [{ openWorkspace, recipientOf }, { checkPin }, { identityText }, { stanzaCounts }, { keyDue }] =
      await Promise.all([
        import('../../workspace/workspace.ts'),
        import('../../../core/keys/pins.ts'),
        import('../../../core/keys/key-texts.ts'),
        import('../../recipients/stanza-counts.ts'),
        import('../../../core/keys/key-due.ts'),
      ]);
    const workspace = await openWorkspace();
    const names = argv.map(String);
    const wanted =
      names.length === 0
        ? [...workspace.keyring.recipients.values()]
        : names.map((name) => recipientOf(workspace, name));
    const counts = flags.pins ? new Map<string, number>() : await stanzaCounts(workspace);
    const rows = wanted
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((recipient): Row => {
        const due = keyDue(recipient);
        return {
          ...{ name: recipient.name, type: recipient.type, members: recipient.members },
          ...{ trust: checkPin(workspace.pins, recipient), identity: identityText(recipient.identity) },
          due: due === undefined ? null : Math.floor((due.getTime() - Date.now()) / DAY),
          keys: recipient.keys.map((key) => keyOf(key, counts.get(key.kid) ?? 0)),
        };
      });
    if (flags.pins) this.#sayPins(rows);
    else for (const row of rows) for (const line of this.#lines(row)) this.say(line);
    if (rows.length === 0)
      this.note('The keyring is empty. Make a recipient: coffer recipients create NAME --type person');
    for (const problem of workspace.keyring.problems) this.report(problem);
    return { recipients: rows, errors: this.reported };
  }

  #sayPins(rows: readonly Row[]): void {
    for (const row of rows) {
      if (row.trust === 'pinned') this.say(`${row.name} ${row.identity}`);
      else {
        this.warn(
          `${row.name} is left out: you have not pinned ${row.trust === 'changed' ? 'its new' : 'its'} identity`,
        );
        this.answerNo();
      }
    }
  }

  #lines(row: Row): string[] {
    const members = row.members.length === 0 ? '' : `, members ${row.members.join(', ')}`;
    return [
      `${this.emphasise(row.name)} (${row.type}${members}) ${row.trust}`,
      `  ${row.identity}`,
      ...row.keys.map(
        (key) =>
          `  ${key.id} ${key.status.padEnd(7)} ${key.created} (${age(key.days)}), ${count(key.stanzas, 'stanza')}`,
      ),
      ...(row.due === null ? [] : [`  ${dueText(row.due)}`]),
    ];
  }
}

function age(days: number): string {
  return days === 0 ? 'today' : `${count(days, 'day')} ago`;
}

function dueText(days: number): string {
  if (days === 0) return 'due today';
  return days < 0 ? `due ${count(-days, 'day')} ago` : `due in ${count(days, 'day')}`;
}

function keyOf({ kid, status, created }: Recipient['keys'][number], stanzas: number): Row['keys'][number] {
  return { id: kid, status, created, days: daysSince(created), stanzas };
}

const DAY = 86_400_000;

function daysSince(created: string): number {
  return Math.max(0, Math.floor((Date.now() - Date.parse(created)) / DAY));
}
